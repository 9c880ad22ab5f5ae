"""hostapd's events as its control socket writes them."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import StationChanged
from appliance.warden import hostapd
from appliance.warden.hostapd import AccessPoints, station

MAC = "02:00:5e:00:53:0a"


@pytest.mark.req("N9")
@pytest.mark.parametrize(
    ("event", "joined", "key_id"),
    [
        (f"<3>AP-STA-CONNECTED {MAC} keyid=laptop-1", True, "laptop-1"),
        (f"<3>AP-STA-CONNECTED {MAC}", True, None),
        (f"<3>AP-STA-CONNECTED {MAC.upper()} auth_alg=open keyid=phone-2 x=1\n", True, "phone-2"),
        (f"<3>AP-STA-DISCONNECTED {MAC}", False, None),
        (f"<3>AP-STA-DISCONNECTED {MAC} keyid=laptop-1", False, None),
        (f"<3>AP-STA-CONNECTED {MAC} keyid={'x' * 65}", True, None),
        (f"<3>AP-STA-CONNECTED {MAC} keyid=a/b", True, None),
        (f"<3>AP-STA-CONNECTED {MAC} notkeyid=a", True, None),
    ],
)
def test_a_station_joins_or_leaves(event: str, joined: bool, key_id: str | None) -> None:
    assert station(event.encode(), 5.0) == StationChanged(ts=5.0, mac=MAC, joined=joined, key_id=key_id)


@pytest.mark.parametrize(
    "event",
    [
        b"OK\n",
        b"PONG\n",
        b"",
        f"<3>AP-STA-POSSIBLE-PSK-MISMATCH {MAC}".encode(),
        b"<3>AP-STA-CONNECTED 02:00:5e",
        f"AP-STA-CONNECTED {MAC}".encode(),
        f"<3>AP-STA-CONNECTED {MAC}{'0' * 5000}".encode(),
        f"<3>AP-STA-CONNECTED {MAC}x".encode(),
        b"<3>AP-STA-CONNECTED \xff\xff",
    ],
)
def test_anything_else_is_no_station(event: bytes) -> None:
    assert station(event, 5.0) is None


@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing(event: bytes) -> None:
    station(event, 5.0)
    station(b"<3>AP-STA-CONNECTED " + event, 5.0)


class Daemon:
    """The far end of a control socket: as much of hostapd as attaching needs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.bind(str(path))
        self.peer = ""

    def expect(self, request: bytes) -> None:
        said, self.peer = self.socket.recvfrom(100)
        assert said == request

    def say(self, event: str) -> None:
        self.socket.sendto(event.encode(), self.peer)

    def close(self) -> None:
        self.socket.close()
        self.path.unlink(missing_ok=True)


@pytest.fixture
def daemon(short_path: Path) -> Iterator[Daemon]:
    (short_path / "hostapd").mkdir()
    made = Daemon(short_path / "hostapd" / "wlan0")
    yield made
    made.close()


def test_events_of_an_access_point_are_heard_until_it_goes(daemon: Daemon, short_path: Path) -> None:
    points = AccessPoints(short_path, daemon.path.parent)
    (fresh,), gone = points.refresh()
    assert gone == []
    daemon.expect(b"ATTACH")
    daemon.say("OK\n")
    daemon.say(f"<3>AP-STA-CONNECTED {MAC} keyid=laptop-1")
    daemon.say("<3>CTRL-EVENT-SOMETHING else")
    daemon.say(f"<3>AP-STA-DISCONNECTED {MAC}")
    assert [(change.joined, change.key_id) for change in fresh.read(1.0)] == [(True, "laptop-1"), (False, None)]
    assert points.refresh() == ([], [])
    daemon.expect(b"PING")
    daemon.close()
    assert points.refresh() == ([], [fresh])
    fresh.close()
    assert not (short_path / "hostapd-wlan0").exists()


def test_a_socket_nobody_listens_at_is_passed_over(daemon: Daemon, short_path: Path) -> None:
    daemon.socket.close()
    assert AccessPoints(short_path, daemon.path.parent).refresh() == ([], [])


def test_where_there_is_no_hostapd_nothing_is_done(tmp_path: Path) -> None:
    assert AccessPoints(tmp_path, tmp_path / "none").refresh() == ([], [])


def test_access_points_are_bounded(short_path: Path) -> None:
    folder = short_path / "many"
    folder.mkdir()
    daemons = [Daemon(folder / f"wlan{number:02}") for number in range(hostapd.MAX_ACCESS_POINTS + 2)]
    fresh, _ = AccessPoints(short_path, folder).refresh()
    assert len(fresh) == hostapd.MAX_ACCESS_POINTS
    for point in fresh:
        point.close()
    for daemon in daemons:
        daemon.close()


@pytest.mark.req("R21")
def test_probe_requests_come_only_while_they_are_asked_for(tmp_path: Path) -> None:
    """The lab's access point speaks as hostapd does."""
    from lab.accesspoint import AccessPoint as Played

    with Played("wlan0", tmp_path / "control") as played:
        points = AccessPoints(tmp_path, tmp_path / "control")
        (point,), _ = points.refresh()
        try:
            played.wait_attached()
            played.probed(MAC)
            point.listen_for_probes(wanted=True)
            played.wait_probes_wanted()
            played.probed(MAC)
            played.connected(MAC)
            changes: list[StationChanged] = []
            near: list[str] = []
            while not changes:
                assert select.select([point], [], [], 10)[0], "the box is told"
                changes += point.read(5.0)
                near += point.near
            assert near == [MAC], "one of the two: the first was not asked for"
            assert changes == [StationChanged(ts=5.0, mac=MAC, joined=True)]
        finally:
            point.close()
