from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.household.noise import BUDGET
from appliance.signals import Signal
from wire.base import Standing

FAR = {"server": "192.0.2.7", "port": 1080}
MACS = [f"02:00:00:00:00:{number:02x}" for number in range(0x20, 0x30)]


@pytest.mark.req("R28")
def test_signs_of_one_device_are_one_item(played: Any) -> None:
    told = [
        *played.hear(Signal.SOCKS, "5", **FAR),
        *played.hear(Signal.WIREGUARD, "initiation", **FAR),
        *played.hear(Signal.TOR_NAMED, "project"),
        *played.hear(Signal.DOT, "syn", **FAR),
        *played.hear(Signal.RELAY, "icloud", **FAR),
    ]
    assert len({item.cause for item in told}) == 1
    assert all(item.severity == "this_week" for item in told)


@pytest.mark.req("R28", "R27")
def test_what_goes_over_the_day_s_share_is_one_item_and_nothing_is_lost(played: Any) -> None:
    told = []
    for mac in MACS[:8]:
        played.owns(mac)
        told += [item for item in played.hear(Signal.SOCKS, "5", mac=mac, **FAR) if item.kind == "proxy"]
    assert len(told) == 8
    causes = {item.cause for item in told}
    assert len(causes) == BUDGET + 1
    assert played.bench.core._book._record.noise.folded == 8 - BUDGET
    (high,) = played.hear(Signal.SOCKS, "5", mac=MACS[7], count=5, **FAR)
    assert high.severity == "today"
    assert not str(high.cause).startswith("further-signs"), "a strong sign stands by itself"
    played.days(1)
    played.owns(MACS[9])
    (fresh,) = [item for item in played.hear(Signal.SOCKS, "5", mac=MACS[9], **FAR) if item.kind == "proxy"]
    assert not str(fresh.cause).startswith("further-signs"), "another day"


@pytest.mark.req("R28")
def test_what_comes_again_soon_after_it_was_over_is_for_information(played: Any) -> None:
    (first,) = played.hear(Signal.SOCKS, "5", **FAR)
    assert first.severity == "this_week"
    played.days(7.5)
    (again,) = played.hear(Signal.SOCKS, "5", **FAR)
    assert (again.severity, again.grade) == ("information", "medium")
    assert again.finding_id != first.finding_id
    (higher,) = played.hear(Signal.SOCKS, "5", count=9, **FAR)
    assert (higher.severity, higher.grade) == ("today", "high")
    played.days(20)
    (later,) = played.hear(Signal.SOCKS, "5", **FAR)
    assert later.severity == "this_week", "long after"


@pytest.mark.req("R27", "R11")
def test_an_unregistered_device_is_never_held_down(played: Any) -> None:
    for mac in MACS:
        told = [item for item in played.told(played.bench.sight(mac)) if item.kind == "unregistered-device"]
        assert [(item.severity, item.cause) for item in told] == [("today", None)]


@pytest.mark.req("R27")
def test_a_sign_of_another_s_device_is_a_step_less(played: Any) -> None:
    played.owns(MACS[0], Standing.WORK)
    (sign,) = played.hear(Signal.TOR, "directory", mac=MACS[0], server="192.0.2.9")
    assert (sign.grade, sign.severity) == ("medium", "information")


@pytest.mark.req("R28")
def test_what_was_told_as_one_item_stays_one_when_it_comes_again(played: Any) -> None:
    for mac in MACS[:6]:
        played.owns(mac)
        played.hear(Signal.SOCKS, "5", mac=mac, **FAR)
    before = {item.finding.finding_id: item.finding.cause for item in played.open()}
    played.days(0.1)
    for mac in MACS[:6]:
        played.hear(Signal.SOCKS, "5", mac=mac, **FAR)
    played.days(0.1)
    assert {item.finding.finding_id: item.finding.cause for item in played.open()} == before
    assert {item.finding.count for item in played.open()} == {2}


@pytest.mark.req("R28", "R30")
def test_what_goes_on_after_the_cool_down_is_an_item_again(played: Any) -> None:
    """Being told once and waiting for a week buys no peace."""
    far = {"server": "192.0.2.7", "port": 853}
    played.hear(Signal.DOT, "syn", **far)
    played.days(7.5)
    (again,) = played.hear(Signal.DOT, "syn", **far)
    told = [again]
    for _ in range(5):
        played.days(1.9)
        told += [*played.hear(Signal.DOT, "syn", **far), *played.days(0.1)]
    assert {(item.finding_id, item.grade) for item in told} == {(again.finding_id, "medium")}
    assert [item.severity for item in told] == ["information"] * 4 + ["this_week"] * (len(told) - 4)
    assert told[-1].severity == "this_week"


@pytest.mark.req("R28")
def test_made_up_devices_leave_room_for_one_on_the_register(played: Any) -> None:
    for mac in MACS[:5]:
        played.bench.sight(mac)
        played.bench.acknowledge()
        told = played.hear(Signal.SOCKS, "5", mac=mac, **FAR)
        assert "proxy" in [item.kind for item in told]
    (mine,) = played.hear(Signal.SOCKS, "5", **FAR)
    assert not str(mine.cause).startswith("further-signs")
