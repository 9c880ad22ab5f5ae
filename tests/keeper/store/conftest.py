"""Devices to keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.keeper.devices.model import Address, Device
from wire.base import Standing


@pytest.fixture
def make_device() -> Callable[..., Device]:
    def make(device_id: str, *macs: str, **changes: Any) -> Device:
        fields: dict[str, Any] = {
            "device_id": device_id,
            "revision": 1,
            "standing": Standing.UNKNOWN,
            "addresses": tuple(Address(mac=mac, first_seen=1.0, last_seen=2.0) for mac in macs),
            "first_seen": 1.0,
            "last_seen": 2.0,
            "reported_at": 2.0,
        }
        return Device(**(fields | changes))

    return make
