from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.keeper.devices.model import Device
from appliance.keeper.devices.presence import Stay
from appliance.keeper.store import stays as module
from appliance.keeper.store.database import Store
from appliance.keeper.store.stays import StoredStay
from wire.models import PresenceState

MAC = "02:00:00:00:00:0a"


def stored(number: int, **changes: object) -> StoredStay:
    stay = Stay(mac=MAC, started=float(number), last=float(number), since=float(number))
    return StoredStay(session_id=f"s-{number}", revision=1, stay=replace(stay, **changes))


@pytest.mark.req("R13")
def test_stays_come_back_and_are_bounded(
    store: Store, make_device: Callable[..., Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_STAYS", 3)
    over = [
        stored(number, ended=number + 0.5, ended_because="It left.", state=PresenceState.LEFT) for number in (1, 2, 3)
    ]
    with store.transaction():
        store.devices.put(make_device("d-1", MAC))
        for item in over:
            store.stays.make_room(MAC)
            store.stays.put(item)
        store.stays.make_room(MAC)
        store.stays.put(stored(4, asleep_seconds=7.0))
    assert store.stays.get("s-1") is None
    assert (store.stays.get("s-2"), store.stays.overflow) == (over[1], 1)
    assert store.stays.open() == [stored(4, asleep_seconds=7.0)]
    with store.transaction():
        store.stays.touch([(9.0, "s-4"), (1.0, "s-3")])
    assert store.stays.spans([MAC], most=2) == ((3.0, 3.0), (4.0, 9.0))
