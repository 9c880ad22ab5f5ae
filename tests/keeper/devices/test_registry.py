from __future__ import annotations

import itertools

import pytest

from appliance.keeper.devices.ids import id_source
from appliance.keeper.devices.registry import STALE_SECONDS, Registry
from wire.base import Standing


def mac(number: int) -> str:
    return f"02:00:00:00:{number // 256:02x}:{number % 256:02x}"


def made(limit: int) -> Registry:
    numbers = itertools.count(1)
    return Registry(new_id=lambda: f"d-{next(numbers)}", limit=limit)


@pytest.mark.req("R11", "R13", "R47")
def test_one_address_is_one_device() -> None:
    registry = made(10)
    device = registry.create(mac(1), 5.0)
    assert device is not None
    assert registry.by_mac(mac(1)) is None, "not before it is put in"
    registry.put(device)
    assert registry.by_mac(mac(1)) == registry.by_id(device.device_id) == device
    assert device.standing is Standing.UNKNOWN
    assert device.locally_administered
    assert list(registry) == [device]
    registry.remove(device)
    assert len(registry) == 0
    assert registry.by_mac(mac(1)) is None


@pytest.mark.req("R11")
def test_a_full_table_keeps_what_it_has_and_counts() -> None:
    registry = made(3)
    for number in range(3):
        device = registry.create(mac(number), float(number))
        assert device is not None
        registry.put(device)
    assert registry.create(mac(9), 10.0) is None
    assert registry.overflow == 1
    assert registry.stale(10.0) is None, "nobody was gone for long"
    stale = registry.stale(STALE_SECONDS + 1.5)
    assert stale is not None
    assert stale.addresses[0].mac == mac(0), "the one longest not seen"


@pytest.mark.req("R13")
def test_devices_with_a_standing_are_pinned() -> None:
    from dataclasses import replace

    registry = made(1)
    device = registry.create(mac(1), 0.0)
    assert device is not None
    registry.put(replace(device, standing=Standing.REGISTERED))
    assert registry.stale(10 * STALE_SECONDS) is None


@pytest.mark.req("R47")
def test_ids_are_opaque_and_deterministic_from_their_source() -> None:
    new_id = id_source("d", lambda count: bytes(range(count)))
    assert new_id() == new_id() == "d-aaaqeayeau"


@pytest.mark.req("N8")
def test_an_address_that_moves_is_found_where_it_went() -> None:
    from dataclasses import replace

    registry = made(10)
    one, two = (registry.create(mac(number), float(number)) for number in (1, 2))
    assert one is not None
    assert two is not None
    registry.put(one)
    registry.put(two)
    registry.put(replace(one, addresses=(*one.addresses, *two.addresses)))
    registry.put(replace(two, addresses=(), merged_into=one.device_id))
    assert {registry.by_mac(mac(number)) for number in (1, 2)} == {registry.by_id(one.device_id)}
    registry.put(replace(one, addresses=one.addresses))
    assert registry.by_mac(mac(2)) is None
    registry.put(two)
    registry.remove(one)
    assert registry.by_mac(mac(2)) == two


@pytest.mark.req("R11")
def test_a_full_table_is_not_looked_through_for_each_new_address() -> None:
    registry = made(2)
    for number in range(2):
        device = registry.create(mac(number), 0.0)
        assert device is not None
        registry.put(device)
    looked: list[int] = []
    by_id = registry._by_id

    class Counting(dict[str, object]):
        def values(self) -> object:  # type: ignore[override] # counts who looks
            looked.append(1)
            return by_id.values()

    registry._by_id = Counting(by_id)  # type: ignore[assignment] # as above
    for _ in range(1000):
        assert registry.stale(10.0) is None
    assert len(looked) == 1


@pytest.mark.req("N8")
def test_the_latest_of_those_that_are_wanted() -> None:
    from dataclasses import replace

    registry = made(10)
    for number in range(5):
        device = registry.create(mac(number), float(number))
        assert device is not None
        standing = Standing.HOUSEHOLD if number == 1 else Standing.UNKNOWN
        registry.put(replace(device, standing=standing))
    found = registry.latest(lambda device: device.macs != (mac(4),), most=3)
    assert [device.macs[0] for device in found] == [mac(1), mac(3), mac(2)]
