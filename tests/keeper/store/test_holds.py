"""Case holds as rows: which records they cover, and how many there may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.keeper.store.database import Store
from appliance.keeper.store.devices import Link
from appliance.keeper.store.holds import MAX_HOLDS, Hold

HOLD = Hold(
    hold_id="h-0",
    since=100.0,
    until=200.0,
    device_id=None,
    review=900.0,
    reason="A hearing.",
    by="officer-1",
    second="officer-2",
    at=50.0,
)


def test_as_it_was_put(store: Store) -> None:
    with store.transaction():
        assert store.holds.put(HOLD)
        assert store.holds.put(replace(HOLD, review=950.0))
    assert store.holds.active() == [replace(HOLD, review=950.0)]
    assert store.holds.get("h-1") is None


@pytest.mark.req("N17")
def test_what_it_covers(store: Store) -> None:
    with store.transaction():
        store.holds.put(replace(HOLD, device_id="d-1"))
        for device_id in ("d-1", "d-2"):
            store.devices.link(Link(mac="02:00:00:00:00:01", device_id=device_id, since=1.0))
    covers = store.holds.covers
    assert covers("d-1", first=0.0, last=100.0)
    assert covers("d-1", first=200.0, last=300.0)
    assert not covers("d-1", first=0.0, last=99.0)
    assert not covers("d-1", first=201.0, last=300.0)
    assert covers("d-2", first=150.0, last=150.0), "an address of the held device is another's now"
    assert not covers("d-3", first=150.0, last=150.0)
    with store.transaction():
        store.holds.put(replace(HOLD, device_id="d-1", ended=300.0))
    assert not covers("d-1", first=150.0, last=150.0)


def test_holds_are_bounded(store: Store) -> None:
    with store.transaction():
        for number in range(MAX_HOLDS):
            assert store.holds.put(replace(HOLD, hold_id=f"h-{number}"))
        assert not store.holds.put(replace(HOLD, hold_id="h-more"))
        assert store.holds.put(replace(HOLD, hold_id="h-7", ended=500.0))
        assert store.holds.put(replace(HOLD, hold_id="h-more")), "one that is over makes room"
    assert store.holds.get("h-7") is None
    assert len(store.holds.active()) == MAX_HOLDS
