from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.household.kin import Join
from wire.base import Standing
from wire.models import CommandResult, Device, JoinedBy, Outcome
from wire.orders import SplitDevice

A, B, C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
JOIN = Join(how=JoinedBy.PERSON, because="Made up.", probability=0.9, reasons=("because",), by="officer-1")


def join(bench: Any, stays: str, goes: str) -> None:
    book = bench.core._book
    scope = bench.core._judgement.scope
    with bench.store.transaction():
        book.kin.join(bench.device(stays), bench.device(goes), JOIN, scope=scope, at=bench.wall)


def split(bench: Any, device_id: str, *macs: str) -> CommandResult:
    sent = bench.payloads(bench.order(SplitDevice(device_id=device_id, macs=macs)))
    return next(item for item in sent if isinstance(item, CommandResult))


@pytest.fixture
def three(bench: Any) -> dict[str, str]:
    for mac in (A, B, C):
        bench.sight(mac)
        bench.wait(10)
    return {mac: str(bench.device(mac).device_id) for mac in (A, B, C)}


@pytest.mark.req("N8")
def test_what_was_joined_twice_comes_apart_as_it_was(bench: Any, three: dict[str, str]) -> None:
    join(bench, B, C)
    join(bench, A, B)
    one = bench.device(C)
    assert (one.device_id, set(one.macs)) == (three[A], {A, B, C})
    assert bench.core._book.registry.by_id(three[C]).merged_into == three[B]
    assert split(bench, three[A], B, C).outcome is Outcome.APPLIED
    assert {mac: bench.device(mac).device_id for mac in (A, B, C)} == {A: three[A], B: three[B], C: three[B]}
    assert bench.device(C).address(C).joined_by is JoinedBy.PERSON
    assert split(bench, three[B], C).outcome is Outcome.APPLIED
    assert {mac: bench.device(mac).device_id for mac in (A, B, C)} == three
    for mac in (A, B, C):
        device = bench.device(mac)
        address = device.addresses[0]
        assert (device.first_seen, device.last_seen) == (address.first_seen, address.last_seen)
        assert (address.joined_by, device.merged_into, device.macs) == (None, None, (mac,))


@pytest.mark.req("N8")
def test_one_of_several_comes_out_alone(bench: Any, three: dict[str, str]) -> None:
    join(bench, B, C)
    join(bench, A, B)
    split(bench, three[A], C)
    assert {mac: bench.device(mac).device_id for mac in (A, B, C)} == {A: three[A], B: three[A], C: three[C]}


@pytest.mark.req("N8")
def test_what_cannot_be_split_is_refused(bench: Any, three: dict[str, str]) -> None:
    assert "none would be left" in split(bench, three[A], A).detail
    assert "not addresses" in split(bench, three[A], B).detail
    join(bench, A, B)
    assert split(bench, three[B], B).detail == "The device counts as part of another one now."
    assert split(bench, "d-nobody", B).detail == "The box does not know this device."


@pytest.mark.req("N8", "R55")
def test_joined_and_split_survive_a_restart(bench: Any, signed: Any, three: dict[str, str]) -> None:
    bench.down(bench.command(three[A], Standing.REGISTERED, label="Phone"))
    join(bench, A, B)
    bench.stop()
    bench.start(signed())
    bench.online()
    assert bench.device(B).device_id == three[A]
    assert set(bench.core._collection.mask) == {A, B}
    sent = bench.payloads(bench.order(SplitDevice(device_id=three[A], macs=(B,))))
    assert set(bench.core._collection.mask) == {A}
    states = {item.device_id: item for item in sent if isinstance(item, Device)}
    assert [item.mac for item in states[three[B]].addresses] == [B]
    assert (states[three[B]].standing, states[three[B]].merged_into) == (Standing.UNKNOWN, None)
    assert [link.by for link in bench.store.devices.links([B])] == [None, "officer-1", None]


@pytest.mark.req("R55", "R65")
def test_joined_to_one_whose_names_may_not_be_kept_its_names_go(bench: Any, three: dict[str, str]) -> None:
    bench.down(bench.command(three[B], Standing.REGISTERED))
    bench.look_up(B, "kept.example", generation=bench.generation)
    bench.down(bench.command(three[A], Standing.HOUSEHOLD))
    join(bench, A, B)
    assert bench.rows("name_visit") == 0
    bench.wait(1)
    assert bench.core._collection.mask == {}


@pytest.mark.req("R11")
def test_addresses_of_a_device_are_bounded(bench: Any, monkeypatch: pytest.MonkeyPatch, three: dict[str, str]) -> None:
    monkeypatch.setattr("appliance.keeper.household.arrivals.MAX_ADDRESSES", 2)
    join(bench, A, B)
    join(bench, A, C)
    assert set(bench.device(C).macs) == {B, C}, "the one longest not used is forgotten"
    assert bench.core._book.overflow() == 1
    assert bench.rows("address") == 2
    assert bench.device(A) is None
    assert three
