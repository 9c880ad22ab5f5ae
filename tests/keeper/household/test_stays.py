from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.household import stays as module
from wire.authority import DataClass
from wire.base import Standing
from wire.models import Device, PresenceState

PHONE, OTHER = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def told(bench: Any, seconds: float, step: float = 10.0) -> list[Any]:
    """Let time pass in steps; everything that went out."""
    out: list[Any] = []
    for _ in range(int(seconds / step)):
        out += bench.wait(step)
        bench.acknowledge()
    return out


@pytest.mark.req("R13")
def test_a_stay_from_joining_to_leaving(bench: Any) -> None:
    bench.station(PHONE, "household")
    assert bench.device(PHONE).presence.state is PresenceState.HERE
    (stay,) = {item.session_id: item for item in bench.stays(told(bench, 60))}.values()
    assert (stay.mac, stay.ended, stay.device_id) == (PHONE, None, bench.device(PHONE).device_id)
    told(bench, 3600)
    assert bench.device(PHONE).presence.state is PresenceState.ASLEEP, "it dozes: it is not gone"
    bench.sight(PHONE)
    assert bench.device(PHONE).presence.state is PresenceState.HERE
    bench.station(PHONE, joined=False)
    sent = told(bench, 120)
    (over,) = {item.session_id: item for item in bench.stays(sent)}.values()
    assert over.session_id == stay.session_id
    assert over.revision > stay.revision
    assert over.ended is not None
    assert 3000 < over.asleep_seconds < 3700
    assert over.ended_because == "It left the Wi-Fi."
    states = [item.presence.state for item in bench.payloads(sent) if isinstance(item, Device)]
    assert states[-1] is PresenceState.LEFT


@pytest.mark.req("R13")
def test_a_stay_goes_on_after_a_restart(bench: Any, signed: Any) -> None:
    bench.station(PHONE, "household")
    told(bench, 90)
    (before,) = bench.store.stays.open()
    bench.stop()
    bench.start(signed())
    bench.online()
    bench.sight(PHONE)
    (after,) = bench.store.stays.open()
    assert (after.session_id, after.stay.started) == (before.session_id, before.stay.started)
    assert bench.rows("session") == 1


@pytest.mark.req("R13")
def test_a_counter_that_moves_is_a_sign_of_life(make_bench: Any, signed: Any) -> None:
    clauses = [
        {"number": "1", "kind": "collect", "standings": ["unknown"], "classes": ["presence", DataClass.VOLUMES]},
    ]
    bench = make_bench(signed(clauses=clauses))
    bench.online()
    bench.sight(PHONE)
    for number in range(12):
        bench.hear(Peer.WARDEN, m.DeviceVolume(ts=bench.wall, mac=PHONE, up=1000 * number))
        told(bench, 100)
    assert bench.device(PHONE).presence.state is PresenceState.HERE
    told(bench, 1000)
    assert bench.device(PHONE).presence.state is PresenceState.ASLEEP
    bench.hear(Peer.WARDEN, m.DeviceVolume(ts=bench.wall, mac=OTHER, up=5))
    assert bench.device(OTHER) is None, "a counter alone is no device"


@pytest.mark.req("R13")
def test_who_reads_the_access_point_is_gone(bench: Any) -> None:
    bench.station(PHONE, "household")
    stays = bench.core._book._stays
    bench.wait(module.RECENT_SECONDS + 1)
    assert stays.here(PHONE, bench.wall), "associated, so there, however quiet"
    bench.gone(Peer.WARDEN)
    assert not stays.here(PHONE, bench.wall), "quiet, and nobody knows"
    bench.sight(PHONE)
    assert stays.here(PHONE, bench.wall)


def test_what_waits_to_be_told_is_bounded(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 1)
    bench.sight(PHONE)
    bench.sight(OTHER)
    assert bench.core._book._stays.overflow() == 1
    assert len(bench.stays(told(bench, 60))) == 1


@pytest.mark.req("R69")
def test_a_stay_waits_behind_what_was_there_before(bench: Any) -> None:
    """A full outbox drops the oldest of the class; the stay itself is kept and told."""
    bench.sight(PHONE)
    bench.store.outbox._limit = 3
    bench.wait(10)
    bench.wait(40)
    assert bench.store._db.execute("select count(*) from outbox where type like '%session%'").fetchone()[0] == 1
    assert bench.rows("session") == 1


@pytest.mark.req("R13", "N8")
def test_a_device_is_there_while_one_of_its_addresses_is(bench: Any) -> None:
    bench.station(PHONE, "key-7")
    device_id = bench.device(PHONE).device_id
    bench.down(bench.command(device_id, Standing.REGISTERED))
    bench.station(PHONE, joined=False)
    bench.station(OTHER, "key-7")
    told(bench, 60)
    device = bench.device(OTHER)
    assert device.device_id == device_id
    assert device.presence.state is PresenceState.HERE
    assert len(bench.core._book._stays.spans(device.macs, most=9)) == 2


@pytest.mark.req("R13")
def test_when_the_access_points_port_goes_down_its_word_does_not_hold(bench: Any) -> None:
    """A station that does not come back after the access point's restart must not be there for ever."""
    bench.station(PHONE, "household")
    bench.hear(Peer.WARDEN, m.LinkChanged(ts=bench.wall, interface="wlan0", up=False))
    told(bench, 300)
    assert not bench.core._book._stays.here(PHONE, bench.wall)
    told(bench, 5 * 3600, step=300)
    assert bench.device(PHONE).presence.state is PresenceState.LEFT


@pytest.mark.req("R13")
def test_an_access_point_that_tells_all_stations_anew_changes_no_stay(bench: Any) -> None:
    bench.station(PHONE, "household")
    told(bench, 60)
    (before,) = bench.store.stays.open()
    bench.hear(Peer.WARDEN, m.LinkChanged(ts=bench.wall, interface="wlan0", up=False))
    bench.wait(5)
    bench.station(PHONE, "household")
    told(bench, 3600)
    (after,) = bench.store.stays.open()
    assert (after.session_id, after.stay.started) == (before.session_id, before.stay.started)
    assert bench.device(PHONE).presence.state is PresenceState.ASLEEP


@pytest.mark.req("R13", "N4", "N8")
def test_a_stay_does_not_go_through_days_in_which_the_box_was_off(bench: Any, signed: Any) -> None:
    bench.station(PHONE, "household")
    told(bench, 90)
    last = bench.store.stays.open()[0].stay.last
    bench.stop()
    bench.wall += 20 * 3600
    bench.start(signed())
    bench.online()
    bench.wait(5)
    bench.station(OTHER, "household")
    bench.wait(600)
    bench.station(PHONE, "household")
    rows = bench.store._db.execute("select started, ended from session where mac = ? order by started", (PHONE,))
    (_first, ended), (started, still) = rows.fetchall()
    assert (ended, started, still) == (last, bench.wall, None)
    assert not bench.core._book._stays.together((PHONE,), (OTHER,))


@pytest.mark.req("R13")
def test_a_device_on_a_cable_or_without_an_access_point(bench: Any) -> None:
    """Only frames and the kernel's word: asleep first, gone when it does not answer and its lease is over."""
    wired = "00:00:5e:00:53:09"
    bench.sight(wired)
    told(bench, 900)
    assert bench.device(wired).presence.state is PresenceState.ASLEEP
    bench.hear(Peer.WARDEN, m.NeighbourChanged(ts=bench.wall, mac=wired, ip="192.0.2.9", reachable=False))
    told(bench, 3600)
    assert bench.device(wired).presence.state is PresenceState.LEFT
    bench.hear(Peer.WARDEN, m.NeighbourChanged(ts=bench.wall, mac=wired, ip="192.0.2.9", reachable=True))
    assert bench.device(wired).presence.state is PresenceState.HERE
