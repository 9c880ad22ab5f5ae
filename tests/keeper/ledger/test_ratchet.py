from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.keeper.store.database import Store
from wire.ledger import LedgerSeed, RecordKind, Stamp
from wire.ratchet import broken


def marks(store: Store, stretch: int) -> list[tuple[int, bytes, bytes]]:
    rows = store.ledger.log.rows(0, store.ledger.size - 1)
    return [
        (row.step, row.hash, row.mac)
        for row in rows
        if row.stretch == stretch and row.step is not None and row.mac is not None
    ]


def wrote(store: Store, stamp: Stamp) -> None:
    with store.transaction():
        store.ledger.begin(stamp)
        store.ledger.note(RecordKind.COVERAGE, {"at": stamp.wall_ms})


def begun(store: Store, stamp: Stamp) -> LedgerSeed:
    with store.transaction():
        store.ledger.begin(stamp)
        seed = store.ledger.ratchet.prepare(stamp, size=store.ledger.size)
        store.ledger.ratchet.begin(stamp, size=store.ledger.size)
    return seed


@pytest.mark.req("R68")
def test_each_leaf_is_marked_under_the_key_of_its_hour(store: Store, make_stamp: Callable[..., Stamp]) -> None:
    wrote(store, make_stamp(0))
    seed = begun(store, make_stamp(0))
    for hours in (0.1, 0.9, 1.0, 1.5, 26.0):
        wrote(store, make_stamp(hours * 3600))
    made = marks(store, seed.stretch)
    assert [step for step, _, _ in made] == [0, 0, 1, 1, 26]
    assert broken(bytes.fromhex(seed.seed), made, epoch=store.epoch, stretch=seed.stretch) == ()
    first = store.ledger.log.row(0)
    assert first is not None
    assert first.mac is None  # the server held no seed yet


@pytest.mark.req("R68")
def test_a_restart_of_the_machine_goes_a_step_forward_one_of_the_keeper_does_not(
    store_path: Path, make_stamp: Callable[..., Stamp]
) -> None:
    store = Store(store_path)
    seed = begun(store, make_stamp(0))
    wrote(store, make_stamp(10))
    store.close()
    store = Store(store_path)
    wrote(store, make_stamp(20))
    wrote(store, make_stamp(5, boot="b"))
    wrote(store, make_stamp(3700, boot="b"))
    made = marks(store, seed.stretch)
    assert [step for step, _, _ in made] == [0, 0, 1, 2]
    assert broken(bytes.fromhex(seed.seed), made, epoch=store.epoch, stretch=seed.stretch) == ()
    store.close()


@pytest.mark.req("R68")
def test_a_used_key_is_in_no_file_any_more(store_path: Path, make_stamp: Callable[..., Stamp]) -> None:
    store = Store(store_path)
    begun(store, make_stamp(0))
    wrote(store, make_stamp(10))
    key = store.ledger.log.ratchets()[0][-1]
    assert len(key) == 32
    assert any(key in path.read_bytes() for path in store_path.parent.iterdir())
    wrote(store, make_stamp(3700))
    assert store.ledger.log.ratchets()[0][-1] != key
    assert not [path.name for path in store_path.parent.iterdir() if key in path.read_bytes()]
    store.close()


def test_a_stretch_begins_only_when_it_is_told_to(store: Store, make_stamp: Callable[..., Stamp]) -> None:
    ratchet = store.ledger.ratchet
    assert ratchet.due(make_stamp())
    with store.transaction():
        ratchet.prepare(make_stamp(), size=0)
    assert (ratchet.waits, ratchet.due(make_stamp())) == (1, False)
    assert ratchet.mark(b"x" * 32) is None
    with store.transaction():
        ratchet.abandon()
        ratchet.begin(make_stamp(), size=0)  # nothing waits: nothing begins
    assert (ratchet.waits, ratchet.due(make_stamp())) == (None, True)
    assert ratchet.mark(b"x" * 32) is None
    begun(store, make_stamp())
    assert ratchet.mark(b"x" * 32) is not None
    assert not ratchet.due(make_stamp(60))
    ratchet.forward(make_stamp(3601))
    assert ratchet.due(make_stamp(3601))
