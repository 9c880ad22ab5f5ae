from __future__ import annotations

import pytest

from appliance.keeper.store import ledger as table
from appliance.keeper.store.database import Store
from appliance.keeper.store.ledger import MAX_ABOUT, Log
from wire.ledger import ClockState, Head, RecordKind, Stamp

DAY = 86_400_000


def stamp(wall_ms: int) -> Stamp:
    return Stamp(wall_ms=wall_ms, mono_ms=wall_ms, boot="a", clock=ClockState.FREE)


def wrote(store: Store, wall_ms: int, *about: str) -> int:
    with store.transaction():
        store.ledger.begin(stamp(wall_ms))
        return store.ledger.note(RecordKind.FINDING, {"at": wall_ms}, data_class="signs", macs=about)


def put(log: Log, size: int, wall_ms: int, *, cosigned: bool = False) -> None:
    signature = "A" * 86 + "=="
    root = size.to_bytes(32, "big").hex()
    log.put_head(Head(tenant="t", site="s", epoch="e", size=size, root=root, at=stamp(wall_ms), signature=signature))
    if cosigned:
        log.put_cosigned(size, wall_ms / 1000, signature)


def test_leaves_are_found_by_position_time_and_whom_they_are_about(store: Store) -> None:
    log = store.ledger.log
    assert log.span(0, 10**15) == (0, -1)
    assert log.row(0) is None
    for number in range(600):
        wrote(store, 1000 + number, f"device-{number % 3}", "everybody")
    assert [row.n for row in log.rows(10, 580)] == list(range(10, 581))  # more than one portion
    assert log.span(1100, 1200) == (100, 199)
    assert log.about({"device-1"}) == list(range(1, 600, 3))
    assert log.about_whom(4) == {"device-1", "everybody"}
    assert log.of_kinds({"device-1"}, {RecordKind.NAMES}) == []


def test_whom_a_leaf_is_about_is_bounded(store: Store) -> None:
    n = wrote(store, 1, *(f"device-{number:03}" for number in range(MAX_ABOUT + 10)))
    assert len(store.ledger.log.about_whom(n)) == MAX_ABOUT


@pytest.mark.req("R65")
def test_a_body_is_erased_once_and_its_leaf_stays(store: Store) -> None:
    n = wrote(store, 1, "device-1")
    log = store.ledger.log
    before = log.row(n)
    assert before is not None
    with store.transaction():
        assert log.erase([n]) == 1
        assert log.erase([n]) == 0
    after = log.row(n)
    assert after is not None
    assert (after.sealed, after.key, after.hash, after.commitment) == (None, None, before.hash, before.commitment)
    assert log.about({"device-1"}) == []


@pytest.mark.req("R68")
def test_heads_are_thinned_to_the_last_confirmed_of_a_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_HEADS", 36)
    log = store.ledger.log
    with store.transaction():
        for day in range(10):
            for number in range(4):
                put(log, day * 10 + number + 1, day * DAY + number, cosigned=number < 3)
    kept = [head.size for head in log.heads()]
    assert kept[:6] == [3, 13, 21, 22, 23, 24]  # of old days the last that was confirmed
    assert len(kept) == 2 + 8 * 4
    latest, confirmed = log.latest_head(), log.latest_head(cosigned=True)
    assert latest is not None
    assert confirmed is not None
    assert (latest.size, confirmed.size) == (94, 93)


def test_heads_that_are_all_young_are_bounded_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_HEADS", 30)
    log = store.ledger.log
    with store.transaction():
        for size in range(1, 200):
            put(log, size, size)
    kept = [head.size for head in log.heads()]
    assert len(kept) <= 30
    assert kept[-1] == 199
