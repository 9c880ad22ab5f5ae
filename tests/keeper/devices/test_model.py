from __future__ import annotations

from datetime import UTC, datetime

import pytest

from appliance.keeper.devices.model import TOLD, Address, Device, is_group, is_locally_administered
from wire.base import Standing


@pytest.mark.req("R47")
@pytest.mark.parametrize(
    ("mac", "local", "group"),
    [
        ("00:00:5e:00:53:01", False, False),
        ("02:00:00:00:00:01", True, False),
        ("da:a1:19:00:00:01", True, False),
        ("01:00:5e:00:00:fb", False, True),
        ("33:33:00:00:00:01", True, True),
        ("ff:ff:ff:ff:ff:ff", True, True),
        ("00:00:00:00:00:00", False, True),
    ],
)
def test_what_an_address_says(mac: str, local: bool, group: bool) -> None:
    assert is_locally_administered(mac) is local
    assert is_group(mac) is group


DAY = 24 * 3600.0


def device(*addresses: Address) -> Device:
    return Device(
        device_id="d-1",
        revision=1,
        standing=Standing.UNKNOWN,
        addresses=addresses,
        first_seen=0.0,
        last_seen=9 * DAY,
        reported_at=0.0,
    )


def used(number: int, first: float, last: float, *, local: bool = True) -> Address:
    return Address(mac=f"{'02' if local else '00'}:00:5e:00:53:{number:02x}", first_seen=first, last_seen=last)


@pytest.mark.req("R47", "N8")
@pytest.mark.parametrize(
    ("addresses", "rotating"),
    [
        ([used(1, 0.0, 100.0)], [None]),
        ([used(1, 0.0, 100.0).seen(3600.0)], [None]),
        ([used(1, 0.0, 100.0).seen(DAY)], [False]),
        ([used(1, 0.0, 100.0).seen(3 * DAY)], [False]),
        ([used(1, 0.0, 100.0), used(2, 200.0, 300.0)], [True, True]),
        ([used(1, 0.0, DAY).seen(2 * DAY), used(2, 2 * DAY, 3 * DAY)], [True, True]),
        ([used(1, 0.0, DAY), used(2, 100.0, 200.0)], [False, False]),
        ([used(1, 0.0, 100.0, local=False).seen(3 * DAY)], [None]),
        ([used(1, 0.0, 100.0, local=False), used(2, 200.0, 300.0)], [None, None]),
    ],
)
def test_a_kept_made_up_address_is_told_from_one_that_changes(
    addresses: list[Address], rotating: list[bool | None]
) -> None:
    assert [item.rotating for item in device(*addresses).payload().addresses] == rotating


@pytest.mark.req("R13")
def test_the_latest_addresses_travel() -> None:
    many = [used(number, float(number), float(number)) for number in range(TOLD + 8)]
    payload = device(*many).payload(key_id="key-7")
    assert [item.mac for item in payload.addresses] == [item.mac for item in many[8:]]
    assert payload.addresses[0].first_seen == datetime.fromtimestamp(8.0, UTC)
    assert payload.key_id == "key-7"
