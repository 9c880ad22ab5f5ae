"""What an observation costs does not grow with the household: counted, not timed."""

from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.devices.registry import MAX_DEVICES
from appliance.keeper.household import crowd as crowds
from appliance.traits import Trait
from wire.box import BoxStatus

KNOWN, NEW = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def statements(bench: Any, *batch: m.Message) -> list[str]:
    """SQL of one turn."""
    seen: list[str] = []
    bench.store._db.conn.set_trace_callback(seen.append)
    try:
        bench.hear(Peer.SENSOR, *batch)
    finally:
        bench.store._db.conn.set_trace_callback(None)
    return [statement.split(" ", 3)[0].lower() for statement in seen]


def crowd(bench: Any, first: int, last: int) -> None:
    """Invented addresses, each seen once and speaking once."""
    for start in range(first, last, 64):
        macs = [f"02:00:00:01:{number >> 8:02x}:{number & 255:02x}" for number in range(start, min(last, start + 64))]
        bench.hear(Peer.SENSOR, *(m.Sighting(ts=bench.wall, mac=mac, via=m.Via.ARP) for mac in macs))
        traits = (
            m.TraitSeen(ts=bench.wall, mac=mac, trait=Trait.DHCP4_VENDOR_CLASS, value="android-dhcp-14") for mac in macs
        )
        bench.hear(Peer.SENSOR, *traits)


@pytest.mark.req("R11", "R13")
def test_an_observation_asks_the_store_as_often_with_4096_devices_as_with_two(
    make_bench: Any, signed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowds, "ALLOWANCE", 100_000)  # all in one afternoon, instead of over days
    bench = make_bench(signed())
    bench.online(credit=0)
    bench.sight(KNOWN)
    bench.trait(KNOWN, Trait.DHCP4_VENDOR_CLASS, "android-dhcp-14")
    bench.wait(0.1)

    def cost() -> tuple[list[str], list[str]]:
        again = m.TraitSeen(ts=bench.wall, mac=KNOWN, trait=Trait.DHCP4_VENDOR_CLASS, value="android-dhcp-14")
        return statements(bench, m.Sighting(ts=bench.wall, mac=KNOWN, via=m.Via.FLOW)), statements(bench, again)

    few = cost()
    crowd(bench, 0, MAX_DEVICES)
    bench.wait(0.1)
    assert cost() == few
    assert max(len(one) for one in few) <= 20


@pytest.mark.req("R11", "N4")
def test_a_crowd_fills_its_bound_pushes_nobody_out_and_shows(
    make_bench: Any, signed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invented addresses beyond the registry: refused, counted, and the count is told with the box's state."""
    monkeypatch.setattr(crowds, "ALLOWANCE", 100_000)  # all in one afternoon, instead of over days
    bench = make_bench(signed())
    bench.online()
    bench.sight(KNOWN)
    crowd(bench, 0, MAX_DEVICES + 63)
    assert bench.device(KNOWN) is not None
    bench.sight(NEW)
    assert bench.device(NEW) is None
    refused = bench.core._book.registry.overflow
    assert refused >= 65
    assert bench.rows("address") == bench.rows("device") == MAX_DEVICES
    assert bench.rows("session") <= MAX_DEVICES
    assert len(bench.core._book.proposals._grown) <= MAX_DEVICES
    told = [bench.open(item).payload for item in bench.wait(61) if isinstance(item, m.Outbound)]
    (status,) = [item for item in told if isinstance(item, BoxStatus)]
    (keeper,) = [tap for tap in status.taps if tap.name == "keeper"]
    assert keeper.overflow >= refused
