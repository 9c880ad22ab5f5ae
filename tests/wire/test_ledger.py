from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from wire import ledger
from wire.ledger import ClockState, Head, Leaf, RecordKind, Stamp

STAMP = Stamp(wall_ms=1_900_000_000_123, mono_ms=45_678, boot="b007-1", clock=ClockState.AUTHENTICATED, error_ms=20)
UNSIGNED = "A" * 86 + "=="


def leaf(**changes: Any) -> Leaf:
    fields: dict[str, Any] = {
        "epoch": "e-1",
        "n": 7,
        "kind": RecordKind.FINDING,
        "data_class": "signs",
        "at": STAMP,
        "commitment": "ab" * 32,
    }
    return Leaf(**(fields | changes))


def head(**changes: Any) -> Head:
    fields: dict[str, Any] = {
        "tenant": "force-a",
        "site": "box-1",
        "epoch": "e-1",
        "size": 8,
        "root": "cd" * 32,
        "at": STAMP,
        "signature": UNSIGNED,
    }
    return Head(**(fields | changes))


@pytest.mark.req("R68")
def test_a_leaf_has_one_way_to_be_written() -> None:
    assert ledger.leaf_bytes(leaf()) == (
        b'{"at":{"boot":"b007-1","clock":"authenticated","error_ms":20,"mono_ms":45678,"wall_ms":1900000000123},'
        b'"commitment":"%b","data_class":"signs","epoch":"e-1","kind":"finding","n":7,"v":1}' % (b"ab" * 32)
    )
    free = leaf(at=STAMP.model_copy(update={"clock": ClockState.FREE, "error_ms": None}))
    assert b"error_ms" not in ledger.leaf_bytes(free)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": "e-2"},
        {"n": 8},
        {"kind": RecordKind.GAP},
        {"data_class": "box"},
        {"commitment": "ac" * 32},
        {"at": STAMP.model_copy(update={"wall_ms": 1})},
        {"at": STAMP.model_copy(update={"mono_ms": 1})},
        {"at": STAMP.model_copy(update={"clock": ClockState.FREE})},
    ],
)
def test_whatever_a_leaf_says_is_hashed(changes: dict[str, Any]) -> None:
    assert ledger.leaf_bytes(leaf(**changes)) != ledger.leaf_bytes(leaf())


def test_what_cannot_be_written_in_one_way_is_no_leaf() -> None:
    for wrong in ({"n": -1}, {"n": 1.5}, {"commitment": "AB" * 32}, {"data_class": "No Class"}, {"v": 2}):
        with pytest.raises(ValidationError):
            leaf(**wrong)


def test_json_is_sorted_close_and_utf_8() -> None:
    assert ledger.canonical({"b": 1, "a": "nåme", "c": [True, None]}) == '{"a":"nåme","b":1,"c":[true,null]}'.encode()


@pytest.mark.req("R68")
def test_a_commitment_hides_and_binds() -> None:
    body = b'{"state":"here"}'
    one, two = ledger.commitment(bytes(32), body), ledger.commitment(b"\1" * 32, body)
    assert one == hashlib.sha256(bytes(32) + body).hexdigest()
    assert one != two != ledger.commitment(b"\1" * 32, b'{"state":"away"}')


@pytest.mark.req("R68", "N3")
def test_a_head_covers_which_log_how_far_and_when_but_not_its_proof() -> None:
    signed = ledger.head_bytes(head())
    context, _, text = signed.partition(b"\n")
    assert context == b"gatehouse/ledger-head/v1"
    assert sorted(json.loads(text)) == ["at", "epoch", "root", "site", "size", "tenant"]
    # The proof and the signature are no part of what is signed: a head is the same whatever it is proved from.
    assert ledger.head_bytes(head(since=3, consistency=("ee" * 32,), signature="B" * 86 + "==")) == signed
    later = STAMP.model_copy(update={"wall_ms": 1})
    for changes in ({"tenant": "x"}, {"site": "x"}, {"epoch": "x"}, {"size": 9}, {"root": "ef" * 32}, {"at": later}):
        assert ledger.head_bytes(head(**changes)) != signed


def seen(**changes: Any) -> bytes:
    at = datetime.fromtimestamp(1_900_000_000.5, UTC)
    fields: dict[str, Any] = {"tenant": "t", "site": "s", "epoch": "e", "size": 8, "root": "cd" * 32, "at": at}
    return ledger.cosigned_bytes(**(fields | changes))


@pytest.mark.req("R68", "N3")
def test_a_counter_signature_is_no_head_and_says_when() -> None:
    assert seen() == (
        b"gatehouse/ledger-cosigned/v1\n"
        b'{"at_ms":1900000000500,"epoch":"e","root":"%b","site":"s","size":8,"tenant":"t"}' % (b"cd" * 32)
    )
    assert ledger.COSIGNED_CONTEXT != ledger.HEAD_CONTEXT
    for changes in ({"tenant": "x"}, {"site": "x"}, {"epoch": "x"}, {"size": 9}, {"root": "ef" * 32}):
        assert seen(**changes) != seen()


@pytest.mark.req("N3")
def test_a_signature_holds_for_its_key_and_message_alone() -> None:
    mine, another = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    mark = ledger.signed(mine, b"message")
    keys = [another.public_key(), mine.public_key()]
    assert ledger.holds(mark, b"message", keys)
    assert not ledger.holds(mark, b"massage", keys)
    assert not ledger.holds(mark, b"message", keys[:1])
    assert not ledger.holds(mark, b"message", [])
    assert not ledger.holds("not base64", b"message", keys)
    assert not ledger.holds("", b"message", keys)
