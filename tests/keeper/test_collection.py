from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.keeper import collection as module
from appliance.keeper.authority import Scope
from appliance.keeper.collection import Collection
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.devices.registry import Registry
from appliance.keeper.store.database import Store
from wire.authority import CollectClause, DataClass, QuarantineClause
from wire.base import Standing


def device(number: int, standing: Standing, *, addresses: int = 1) -> Device:
    macs = [f"02:00:00:00:{number:02x}:{index:02x}" for index in range(addresses)]
    return Device(
        device_id=f"d-{number}",
        revision=1,
        standing=standing,
        addresses=tuple(Address(mac=mac, first_seen=1.0, last_seen=float(number)) for mac in macs),
        first_seen=1.0,
        last_seen=float(number),
        reported_at=1.0,
    )


@pytest.mark.req("R55", "R56")
def test_mask_and_order_follow_all_addresses_of_a_device(store: Store, scope: Scope) -> None:
    collection = Collection(store)
    registry = Registry(new_id=lambda: "d-new")
    registry.put(device(1, Standing.REGISTERED, addresses=2))
    registry.put(device(2, Standing.REFUSED, addresses=2))
    registry.put(device(3, Standing.UNKNOWN))
    with store.transaction():
        assert collection.settle(scope, registry, 1) == (True, True)
        assert collection.settle(scope, registry, 1) == (False, False), "nothing changed"
    assert collection.message().names == ("02:00:00:00:01:00", "02:00:00:00:01:01")
    assert collection.enforcement.quarantined == ("02:00:00:00:02:00", "02:00:00:00:02:01")
    generation = collection.enforcement.generation
    with store.transaction():
        assert collection.settle(None, registry, 1) == (True, True), "no authority: of nobody"
    assert (collection.message().names, collection.enforcement.quarantined) == ((), ())
    assert (collection.message().generation, collection.enforcement.generation) == (2, generation + 1)
    assert Collection(store).enforcement.generation > generation + 1, "a generation never means two states"


def test_what_finds_no_room_is_counted(store: Store, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MASKED", 2)
    collection = Collection(store)
    registry = Registry(new_id=lambda: "d-new")
    for number in range(1, 5):
        registry.put(device(number, Standing.REGISTERED))
    with store.transaction():
        collection.settle(scope, registry, 1)
    assert set(collection.mask) == {"02:00:00:00:04:00", "02:00:00:00:03:00"}, "those seen last"
    assert collection.cut == 2


def test_invented_devices_do_not_push_out_one_on_the_register(
    store: Store, make_authority: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_MASKED", 2)
    clause = {"number": "1", "standings": ["registered", "unknown"], "classes": ["presence", "signs"]}
    watched = Scope(authority=make_authority(clauses=[clause | {"kind": "collect"}]))
    registry = Registry(new_id=lambda: "d-new")
    registry.put(device(1, Standing.REGISTERED))
    for number in range(2, 9):
        registry.put(device(number, Standing.UNKNOWN))
    collection = Collection(store)
    with store.transaction():
        collection.settle(watched, registry, 1)
    assert "02:00:00:00:01:00" in collection.message().signs


@pytest.mark.req("R56")
def test_clauses_are_asked_once_a_standing(store: Store, make_authority: Callable[..., Any]) -> None:
    asked: list[Standing] = []

    class Counting(Scope):
        def quarantine(self, standing: Standing) -> str | None:
            asked.append(standing)
            return None

    registry = Registry(new_id=lambda: "d-new")
    for number in range(1, 200):
        registry.put(device(number, Standing.UNKNOWN))
    with store.transaction():
        Collection(store).settle(Counting(authority=make_authority()), registry, 1)
    assert sorted(asked) == sorted(Standing)


@pytest.mark.req("R57")
def test_an_order_says_when_what_has_no_lease_ends(store: Store, make_authority: Any) -> None:
    registry = Registry(new_id=lambda: "d-new")
    registry.put(device(1, Standing.REFUSED))

    def order(standing: Any, **more: Any) -> Any:
        clause = QuarantineClause(number="9", standings=(standing,), **more)
        collection, authority = Collection(store), make_authority(clauses=(clause,))
        with store.transaction():
            collection.settle(Scope(authority=authority), registry, 1)
        return collection.enforcement, authority.not_after.timestamp()

    closed, ends = order(Standing.REFUSED, fail_closed=True)
    assert (closed.closed, closed.ends) == (closed.quarantined, ends)
    assert order(Standing.REFUSED)[0].ends is None, "all of it has a lease"
    assert order(Standing.UNKNOWN, fail_closed=True)[0].ends is None, "there is no such device"


@pytest.mark.req("R55", "R56", "R18")
def test_signs_leave_where_a_clause_lets_them(store: Store, make_authority: Any) -> None:
    clauses = (
        CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,)),
        CollectClause(number="2", standings=(Standing.REGISTERED,), classes=(DataClass.SIGNS,)),
    )
    collection = Collection(store)
    registry = Registry(new_id=lambda: "d-new")
    registry.put(device(1, Standing.REGISTERED, addresses=2))
    registry.put(device(2, Standing.HOUSEHOLD))
    with store.transaction():
        assert collection.settle(Scope(authority=make_authority(clauses=clauses)), registry, 1)[0]
    mask = collection.message()
    assert (mask.signs, mask.names, mask.network) == (("02:00:00:00:01:00", "02:00:00:00:01:01"), (), False)
    first = collection.leave.signs["02:00:00:00:01:00"]
    wider = (*clauses, CollectClause(number="3", standings=(Standing.UNKNOWN,), classes=(DataClass.SIGNS,)))
    with store.transaction():
        assert collection.settle(Scope(authority=make_authority(clauses=wider, number=2)), registry, 1)[0]
    assert collection.message().network
    assert collection.leave.network == collection.generation == first + 1
    assert collection.leave.signs["02:00:00:00:01:00"] == first, "what was let out before still counts"
    with store.transaction():
        assert collection.settle(None, registry, 1)[0]
    assert (collection.leave.signs, collection.leave.network, collection.message().network) == ({}, None, False)
    assert Collection(store).leave.signs == {}, "a restart begins a new generation"
