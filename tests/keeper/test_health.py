from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.health import MAX_TAPS, Health
from appliance.messages import TapReport
from wire.box import BoxStatus


def report(tap: str, messages: int = 1) -> TapReport:
    return TapReport(ts=1.0, tap=tap, messages=messages, octets=2, lost=3, unparsed=4, overflow=5)


def test_the_latest_report_of_each_tap_and_the_keepers_own() -> None:
    health = Health()
    health.tap(report("dns"))
    health.tap(report("dns", 9))
    health.peers.add("sensor")
    taps = health.taps(overflow=7)
    assert [(tap.name, tap.messages, tap.overflow) for tap in taps] == [("dns", 9, 5), ("keeper", 0, 7)]
    assert {item.name: item.connected for item in health.processes()} == {
        "sensor": True,
        "warden": False,
        "courier": False,
        "porch": False,
        "resolver": False,
    }


def test_taps_are_bounded() -> None:
    health = Health()
    for number in range(MAX_TAPS + 3):
        health.tap(report(f"tap-{number}"))
    assert len(health.reports) == MAX_TAPS
    assert len(health.taps(overflow=0)) == MAX_TAPS + 1
    assert health.taps(overflow=0)[-1].overflow == 3


@pytest.mark.req("R57")
def test_how_many_devices_are_at_their_limit_is_told_and_nothing_else_of_them(make_bench: Any) -> None:
    """The counter is the network's: it needs no authority, and leads to no device."""
    bench = make_bench(None)
    bench.online()

    def said(heard: list[m.Message]) -> list[BoxStatus]:
        opened = [bench.open(message).payload for message in heard if isinstance(message, m.Outbound)]
        return [payload for payload in opened if isinstance(payload, BoxStatus)]

    assert said(bench.wait(60))[-1].at_limit == 0
    bench.hear(Peer.WARDEN, m.RulesOverflow(ts=bench.wall, packets={"over_connections": 10}, at_limit=2))
    assert said(bench.wait(60))[-1].at_limit == 2
    bench.gone(Peer.WARDEN)
    assert said(bench.wait(60))[-1].at_limit is None
