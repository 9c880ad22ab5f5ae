from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.keeper.ledger.book import MAX_BODY, SALT, UNSTAMPED, Ledger
from appliance.keeper.store.database import Store
from wire import merkle
from wire.ledger import RecordKind, Stamp, leaf_bytes

MAC, DEVICE = "02:00:00:00:00:01", "device-1"


def wrote(store: Store, count: int) -> None:
    with store.transaction():
        for number in range(count):
            store.ledger.note(RecordKind.FINDING, {"number": number}, data_class="signs", macs=(MAC,), device_id=DEVICE)


def recomputed(store: Store) -> bytes:
    """The root, from what is kept and the definitions alone."""
    hashes = []
    for row in store.ledger.log.rows(0, store.ledger.size - 1):
        hashes.append(hashlib.sha256(b"\0" + leaf_bytes(row.leaf(store.epoch))).digest())
        assert hashes[-1] == row.hash
    return merkle.root(hashes)


@pytest.mark.req("R68")
@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_the_root_is_that_of_all_leaves_also_after_a_restart(store_path: Path, count: int) -> None:
    store = Store(store_path)
    wrote(store, count)
    root = store.ledger.root
    assert root == recomputed(store) == store.ledger.log.root_at(count)
    store.close()
    store = Store(store_path)
    assert (store.ledger.size, store.ledger.root) == (count, root)
    wrote(store, 1)
    assert store.ledger.root == recomputed(store)
    store.close()


@pytest.mark.req("R68")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(first=st.integers(1, 300), more=st.integers(0, 300))
def test_proofs_from_what_is_kept_hold(tmp_path_factory: pytest.TempPathFactory, first: int, more: int) -> None:
    store = Store(tmp_path_factory.mktemp("box") / "keeper.db")
    wrote(store, first)
    older = store.ledger.root
    wrote(store, more)
    ledger, log = store.ledger, store.ledger.log
    proof = merkle.consistency_of(log.subtree, first, ledger.size)
    assert merkle.verify_consistency(
        first=first, second=ledger.size, proof=proof, first_root=older, second_root=ledger.root
    )
    row = log.row(first - 1)
    assert row is not None
    path = merkle.inclusion_of(log.subtree, row.n, ledger.size)
    assert merkle.verify_inclusion(leaf=row.hash, n=row.n, size=ledger.size, proof=path, root=ledger.root)
    store.close()


@pytest.mark.req("R68")
def test_a_record_carries_its_moment_and_its_body_and_its_leaf_says_nothing_of_whom(
    store: Store, make_stamp: Callable[..., Stamp]
) -> None:
    with store.transaction():
        store.ledger.begin(make_stamp(5))
        n = store.ledger.note(RecordKind.FINDING, {"b": 1, "a": "é"}, data_class="signs", macs=(MAC,), device_id=DEVICE)
    row = store.ledger.log.row(n)
    assert row is not None
    assert row.at == make_stamp(5)
    found = store.ledger.body(row)
    assert found is not None
    salt, body = found
    assert len(salt) == SALT
    assert body == '{"a":"é","b":1}'.encode()
    assert hashlib.sha256(salt + body).digest() == row.commitment
    leaf = leaf_bytes(row.leaf(store.epoch)).decode()
    assert MAC not in leaf
    assert DEVICE not in leaf
    assert store.ledger.log.about({MAC}) == store.ledger.log.about({DEVICE}) == [n]
    assert store.ledger.log.about_whom(n) == {MAC, DEVICE}


@pytest.mark.req("R68")
@pytest.mark.req("R65")
def test_an_erased_body_is_gone_and_the_log_still_verifies(store: Store, store_path: Path) -> None:
    with store.transaction():
        kept = store.ledger.note(RecordKind.NAMES, {"canary": "kept"}, data_class="full_names", macs=("other",))
        gone = store.ledger.note(RecordKind.NAMES, {"canary": "gone"}, data_class="full_names", macs=(MAC,))
    root = store.ledger.root
    with store.transaction():
        assert store.ledger.forget({MAC}, {RecordKind.NAMES}, why="standing") == 1
        assert store.ledger.forget({MAC}, {RecordKind.NAMES}, why="standing") == 0  # nothing more, and nothing said
    row, other, said = (store.ledger.log.row(n) for n in (gone, kept, 2))
    assert row is not None
    assert other is not None
    assert said is not None
    assert store.ledger.body(row) is None
    assert store.ledger.body(other) is not None
    assert store.ledger.log.about_whom(gone) == frozenset()
    assert said.kind is RecordKind.ERASURE
    told = store.ledger.body(said)
    assert told is not None
    assert json.loads(told[1]) == {"count": 1, "kinds": ["names"], "why": "standing"}
    assert store.ledger.log.root_at(2) == root
    assert recomputed(store) == store.ledger.root
    assert MAC.encode() not in store_path.read_bytes()


def test_bodies_under_a_destroyed_key_are_gone(store: Store) -> None:
    wrote(store, 3)
    row = store.ledger.log.row(0)
    assert row is not None
    assert row.key is not None
    with store.transaction():
        assert store.ledger.log.erase_under({row.key}) == 3
        store.vault.destroy_keys({row.key})
    assert all(store.ledger.body(item) is None for item in store.ledger.log.rows(0, 2))
    assert recomputed(store) == store.ledger.root


def test_what_is_rolled_back_never_was(store: Store) -> None:
    wrote(store, 70)
    root = store.ledger.root

    class StopError(Exception):
        pass

    def fail() -> None:
        with store.transaction():
            store.ledger.note(RecordKind.FINDING, {"number": 1})
            raise StopError

    with pytest.raises(StopError):
        fail()
    assert (store.ledger.size, store.ledger.root) == (70, root)
    wrote(store, 70)
    assert store.ledger.root == recomputed(store)


def test_a_body_that_was_exchanged_is_not_passed_off(store: Store) -> None:
    wrote(store, 2)
    first, second = store.ledger.log.rows(0, 1)
    assert second.key is not None
    assert second.sealed is not None
    with store.transaction():
        store.ledger.log.reseal(0, second.key, second.sealed)
    altered = store.ledger.log.row(0)
    assert altered is not None
    assert store.ledger.body(altered) is None
    assert store.ledger.body(first) is not None


@pytest.mark.req("R69")
def test_a_full_log_says_so_and_keeps_room_for_what_may_not_be_silent(store: Store) -> None:
    ledger = Ledger(store.ledger.log, store.vault, epoch=store.epoch, overwritten=lambda: None, limit=10)
    with store.transaction():
        written = [ledger.note(RecordKind.SIGNALS, {"number": number}) for number in range(8)]
        assert written == [0, 1, 2, 3, 4, -1, -1, -1]
        assert ledger.note(RecordKind.FINDING, {"number": 9}) == 6
        assert (ledger.refused, ledger.overflow) == (3, 3)
        assert [ledger.note(RecordKind.GAP, {}) for _ in range(4)] == [7, 8, 9, -1]
    gap = ledger.log.row(5)
    assert gap is not None
    assert gap.kind is RecordKind.GAP
    body = ledger.body(gap)
    assert body is not None
    assert json.loads(body[1])["cause"] == "ledger-full"
    assert ledger.size == 10


def test_too_long_a_body_is_recorded_as_its_hash(store: Store) -> None:
    body = b"x" * (MAX_BODY + 1)
    with store.transaction():
        n = store.ledger.write(RecordKind.FINDING, body)
    row = store.ledger.log.row(n)
    assert row is not None
    found = store.ledger.body(row)
    assert found is not None
    assert json.loads(found[1]) == {"too_long": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    assert store.ledger.overflow == 1
    assert row.at == UNSTAMPED
