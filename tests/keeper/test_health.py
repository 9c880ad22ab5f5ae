from __future__ import annotations

from appliance.keeper.health import MAX_TAPS, Health
from appliance.messages import TapReport


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
