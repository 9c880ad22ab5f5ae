"""The warden's part of the Wi-Fi with a real control socket's far end: what it asks, and what it tells."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from appliance import clock
from appliance.messages import Passphrase, PassphraseGuessed, WifiPassphrases, WifiSeen
from appliance.warden.guesses import REPORT_SECONDS
from appliance.warden.hostapd import AccessPoints
from appliance.warden.radio import ATTACH_SECONDS, Radio
from firmware.household import Radio as RadioOf
from firmware.household import Wifi

pytestmark = pytest.mark.req("N9")

MAC = "02:00:5e:00:53:0a"
WIFI = Wifi(ssid="Example Home", country="GB", radios=(RadioOf(interface="wlan0"),))
HOUSEHOLD = Passphrase(key_id="household", passphrase="horse battery staple", purpose="household")


class Daemon:
    """hostapd's end of one control socket, in a thread: it answers, and says what it is told to say."""

    def __init__(self, path: Path) -> None:
        self.asked: list[str] = []
        self.listeners: dict[str, None] = {}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._path = path
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def say(self, event: str) -> None:
        for listener in tuple(self.listeners):
            self._socket.sendto(event.encode(), listener)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                raw, listener = self._socket.recvfrom(256)
            except OSError:
                return
            if not raw:
                return
            command = raw.decode()
            self.asked.append(command)
            if command == "ATTACH":
                self.listeners[listener] = None
            if command == "DETACH":
                self.listeners.pop(listener, None)
            answer = "state=ENABLED\nssid[0]=Example Home\nnum_sta[0]=2\n" if command == "STATUS" else "OK\n"
            with suppress(OSError):
                self._socket.sendto(answer.encode(), listener)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:  # short enough for a socket's name
        (Path(made) / "control").mkdir()
        yield Path(made)


@pytest.fixture
def points(folder: Path) -> Iterator[AccessPoints]:
    made = AccessPoints(folder, folder / "control")
    yield made
    for point in made.attached.values():
        point.close()


@pytest.fixture
def daemon(folder: Path) -> Iterator[Daemon]:
    made = Daemon(folder / "control" / "wlan0")
    yield made
    made.close()


def test_the_keepers_word_reaches_the_access_point_and_its_state_the_keeper(
    folder: Path, daemon: Daemon, points: AccessPoints
) -> None:
    radio = Radio(points, folder / "wifi.psk", WIFI, monotonic=0.0)
    points.refresh()
    radio.take(WifiPassphrases(keys=(HOUSEHOLD,), at=clock.now()))
    assert "RELOAD_WPA_PSK" in daemon.asked
    assert "keyid=household " in (folder / "wifi.psk").read_text()
    assert radio.kept().keys == (HOUSEHOLD,)
    (seen,) = radio.tick(clock.monotonic())
    assert isinstance(seen, WifiSeen)
    assert (seen.up, seen.ssid, seen.stations, seen.passphrases) == (True, "Example Home", 2, 1)


def test_an_access_point_that_appears_is_told_to_read_the_file(
    folder: Path, daemon: Daemon, points: AccessPoints
) -> None:
    (folder / "wifi.psk").write_text("keyid=household 00:00:00:00:00:00 horse battery staple\n")
    radio = Radio(points, folder / "wifi.psk", WIFI, monotonic=0.0)
    ((point,), _gone) = points.refresh()
    radio.found(point)
    assert daemon.asked[-2:] == ["RELOAD_WPA_PSK", "STA-FIRST"]


@pytest.mark.parametrize("by_cable_only", [False, True])
def test_an_access_point_is_missed_where_the_household_has_one(
    folder: Path, points: AccessPoints, *, by_cable_only: bool
) -> None:
    radio = Radio(points, folder / "wifi.psk", None if by_cable_only else WIFI, monotonic=0.0)
    radio.take(WifiPassphrases(keys=(HOUSEHOLD,), at=clock.now()))
    told = [each.up for each in radio.tick(clock.monotonic()) if isinstance(each, WifiSeen)]
    assert told == ([] if by_cable_only else [False])


@pytest.mark.req("R28")
def test_tries_are_told_together_and_events_are_asked_for_anew(
    folder: Path, daemon: Daemon, points: AccessPoints
) -> None:
    radio = Radio(points, folder / "wifi.psk", WIFI, monotonic=0.0)
    ((point,), _gone) = points.refresh()
    point.ask("PING")  # answered after ATTACH was
    for _ in range(3):
        daemon.say(f"<3>AP-STA-POSSIBLE-PSK-MISMATCH {MAC}")
    assert point.read(clock.now()) == []
    radio.heard(point)
    told = [each for each in radio.tick(clock.monotonic() + REPORT_SECONDS) if isinstance(each, PassphraseGuessed)]
    assert [(each.mac, each.count) for each in told] == [(MAC, 3)]
    before = daemon.asked.count("ATTACH")
    list(radio.tick(clock.monotonic() + REPORT_SECONDS + ATTACH_SECONDS))
    point.ask("PING")
    assert daemon.asked.count("ATTACH") == before + 1


def test_an_access_point_that_is_gone_gives_no_answer(daemon: Daemon, points: AccessPoints) -> None:
    ((point,), _gone) = points.refresh()
    daemon.close()
    assert point.ask("STATUS") is None
