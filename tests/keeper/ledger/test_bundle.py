from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from appliance.keeper.ledger.bundle import MAX_HEADS, choose, names_of
from appliance.keeper.store.database import Store
from appliance.keeper.store.ledger import KeptHead
from lab.faults import bundling
from wire.ledger import RecordKind


def head(size: int, *, cosigned: bool = True) -> KeptHead:
    mark = "x" if cosigned else None
    return KeptHead(
        size=size, root=bytes(32), at=bundling.stamp(size), signature="x", cosigned_at=1.0, cosignature=mark
    )


def test_the_smallest_counter_signed_head_that_covers_the_span_is_the_end() -> None:
    heads = [head(10), head(20), head(30), head(40, cosigned=False)]
    assert [item.size for item in choose(heads, 19)] == [10, 20]
    assert [item.size for item in choose(heads, 20)] == [10, 20, 30]


def test_where_none_covers_it_the_largest_is() -> None:
    assert [item.size for item in choose([head(10), head(40, cosigned=False)], 30)] == [10, 40]
    assert [item.size for item in choose([head(4, cosigned=False)], 0)] == [4]


def test_heads_are_few_and_evenly_spread() -> None:
    chosen = [item.size for item in choose([head(size) for size in range(1, 1002)], 1000)]
    assert len(chosen) <= MAX_HEADS
    assert chosen[-1] == 1001
    assert {later - earlier for earlier, later in pairwise(chosen[:-1])} == {16}


def test_names_are_ids_addresses_and_labels() -> None:
    assert names_of([("d-1", ("a", "b"), "A tablet"), ("d-2", (), None)]) == {"d-1", "a", "b", "A tablet", "d-2"}


@pytest.mark.req("N12", "R65")
def test_each_record_is_given_whole_or_not_at_all(tmp_path: Path) -> None:
    for purpose, states in (
        ("evidence", {"given": 20, "withheld": 4}),
        ("access", {"given": 16, "others": 4}),
    ):
        (tmp_path / purpose).mkdir()
        made = bundling.make(tmp_path / purpose, purpose=purpose)
        lines = [json.loads(line) for line in made.given["records.jsonl"].splitlines()]
        found = [line["state"] for line in lines]
        assert {state: found.count(state) for state in set(found)} == states
        assert all((line["salt"] is None) == ("body" not in line) == (line["state"] != "given") for line in lines)
    views = json.dumps([line["view"] for line in lines if "view" in line])
    assert bundling.THEIRS not in views
    assert bundling.THEIR_MAC not in views
    assert "A tablet" not in views


@pytest.mark.req("R68")
def test_for_a_court_the_leaves_on_either_side_are_given_and_nothing_of_their_bodies(tmp_path: Path) -> None:
    for purpose, ends in (("evidence", (2, 21)), ("access", (3, 19))):
        (tmp_path / purpose).mkdir()
        made = bundling.make(tmp_path / purpose, purpose=purpose, within=3)
        lines = [json.loads(line) for line in made.given["records.jsonl"].splitlines()]
        assert (lines[0]["leaf"]["n"], lines[-1]["leaf"]["n"]) == ends
        edges = [line for line in lines if line["state"] == "edge"]
        assert [sorted(line) for line in edges] == [["leaf", "salt", "state"]] * (2 if purpose == "evidence" else 0)


@pytest.mark.req("N12")
def test_the_household_s_own_words_are_not_handed_out_unless_their_device_was_asked_for(tmp_path: Path) -> None:
    made = bundling.make(tmp_path)
    store = Store(tmp_path / "keeper.db")
    asked = replace(bundling.wanted(40, "evidence"), until_ms=10**14)
    words = {"request_id": "r-1", "kind": "complaint", "text": "words of somebody"}
    with store.transaction():
        store.ledger.begin(bundling.stamp(30))
        store.ledger.note(RecordKind.HOUSEHOLD, words)
        store.ledger.note(RecordKind.HOUSEHOLD, {"sha256": "ab" * 32, "lines": ["The notice."]})
        bundling.head(store, box=made.box, server=made.server)
    given = bundling.gather(store, asked, bundling.setting(made.box, made.server, made.issuer))
    store.close()
    assert b"words of somebody" not in given["records.jsonl"]
    assert b"The notice." in given["records.jsonl"]
    assert [json.loads(line)["state"] for line in given["records.jsonl"].splitlines()[-2:]] == ["withheld", "given"]


@pytest.mark.req("R64", "R65")
def test_an_erased_record_leaves_its_leaf(tmp_path: Path) -> None:
    made = bundling.make(tmp_path)
    assert b'"state":"erased"' not in made.given["records.jsonl"]
    store = Store(tmp_path / "keeper.db")
    with store.transaction():
        store.ledger.log.erase([1, 2])
    given = bundling.gather(
        store, bundling.wanted(24, "evidence"), bundling.setting(made.box, made.server, made.issuer)
    )
    store.close()
    lines = [json.loads(line) for line in given["records.jsonl"].splitlines()]
    assert [line["leaf"]["n"] for line in lines if line["state"] == "erased"] == [1, 2]
    assert given["leaves.txt"] == made.given["leaves.txt"]
