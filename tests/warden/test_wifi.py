"""Which passphrases count: the keeper's word in, hostapd's file and its commands out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.messages import Passphrase, WifiPassphrases
from appliance.passphrases import read
from appliance.warden.wifi import AGAIN_SECONDS, KEEP_SECONDS, LOOK_SECONDS, SEEN_SECONDS, Wifi

pytestmark = pytest.mark.req("N9", "R57")

HOUSEHOLD = Passphrase(key_id="household", passphrase="horse battery staple", purpose="household")
LAPTOP = Passphrase(key_id="laptop-1", passphrase="paper lamp orbit", purpose="device")
VISIT = Passphrase(key_id="visitor-1", passphrase="visitors welcome 7", purpose="guest", ends=5000.0)
ONE, TWO, THREE = (f"02:00:5e:00:53:0{n}" for n in "abc")


class Point:
    """hostapd's answers; what it was asked is kept."""

    def __init__(self, stations: dict[str, str] | None = None) -> None:
        self.stations = stations or {}
        self.asked: list[str] = []
        self.reload: str | None = "OK\n"

    def ask(self, command: str, seconds: float = 0.5) -> str | None:
        assert seconds <= 3.0
        self.asked.append(command)
        match command.split(" "):
            case ["STA-FIRST"]:
                return self._from(0)
            case ["STA-NEXT", mac]:
                return self._from(list(self.stations).index(mac) + 1)
            case ["RELOAD_WPA_PSK"]:
                return self.reload
            case ["STATUS"]:
                return f"state=ENABLED\nssid[0]=Example Home\nnum_sta[0]={len(self.stations)}\n"
            case _:
                return "OK\n"

    def _from(self, number: int) -> str:
        found = list(self.stations.items())[number : number + 1]
        return "".join(f"{mac}\n{said}\n" for mac, said in found) or "FAIL\n"

    @property
    def sent_away(self) -> list[str]:
        return [command.split(" ")[1] for command in self.asked if command.startswith("DEAUTHENTICATE")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "warden" / "wifi.psk"


@pytest.fixture
def make(path: Path) -> Callable[..., Wifi]:
    def wifi(*keys: Passphrase, now: float = 1000.0, point: Point | None = None) -> Wifi:
        made = Wifi(path, now=now, monotonic=0.0)
        if keys:
            made.take(WifiPassphrases(keys=keys, at=now), [point or Point()], monotonic=0.0)
        return made

    return wifi


def test_a_new_passphrase_counts_at_once_and_nobody_is_sent_away(make: Callable[..., Wifi], path: Path) -> None:
    point = Point({ONE: "flags=[AUTH][ASSOC][AUTHORIZED]\nkeyid=laptop-1"})
    wifi = make(HOUSEHOLD, LAPTOP, point=point)
    wifi.take(WifiPassphrases(keys=(HOUSEHOLD, LAPTOP, VISIT), at=1001.0), [point], monotonic=1.0)
    assert [each for each in point.asked if not each.startswith("STA-")] == ["RELOAD_WPA_PSK", "RELOAD_WPA_PSK"]
    assert point.sent_away == []
    assert set(read(path.read_text()).keys) == {HOUSEHOLD, LAPTOP, VISIT}
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_said_again_does_nothing(make: Callable[..., Wifi]) -> None:
    point = Point()
    wifi = make(HOUSEHOLD, LAPTOP, point=point)
    point.asked.clear()
    wifi.take(WifiPassphrases(keys=(LAPTOP, HOUSEHOLD), at=1001.0), [point], monotonic=1.0)
    assert point.asked == []


def test_who_joined_with_an_ended_one_is_sent_away_and_nobody_else(make: Callable[..., Wifi]) -> None:
    point = Point(
        {
            ONE: "flags=[AUTH][ASSOC][AUTHORIZED]\nkeyid=laptop-1",
            # Refused: hostapd names the last passphrase that it tried for it.
            TWO: "flags=[AUTH][ASSOC]\nkeyid=laptop-1",
            THREE: "flags=[AUTH][ASSOC][AUTHORIZED]\nkeyid=household",
        }
    )
    wifi = make(HOUSEHOLD, LAPTOP, point=point)
    wifi.take(WifiPassphrases(keys=(HOUSEHOLD,), at=1001.0), [point], monotonic=1.0)
    assert point.sent_away == [ONE]


def test_a_visit_ends_at_its_time_with_the_keeper_dead(make: Callable[..., Wifi], path: Path) -> None:
    point = Point({ONE: "flags=[AUTHORIZED]\nkeyid=visitor-1"})
    wifi = make(HOUSEHOLD, VISIT, point=point)
    wifi.tick([point], monotonic=3999.0)
    assert VISIT in wifi.keys
    wifi.tick([point], monotonic=4000.0)
    assert wifi.keys == read(path.read_text()).keys == (HOUSEHOLD,)
    assert point.sent_away == [ONE]


def test_a_clock_behind_the_file_lets_no_ended_visit_live_again(make: Callable[..., Wifi], path: Path) -> None:
    make(HOUSEHOLD, VISIT, now=4990.0)
    woken = Wifi(path, now=0.0, monotonic=0.0)  # a board without power for its clock
    woken.tick([Point()], monotonic=11.0)
    assert woken.keys == (HOUSEHOLD,)


def test_the_file_says_hourly_how_late_it_is_while_a_visit_lasts(make: Callable[..., Wifi], path: Path) -> None:
    wifi = make(HOUSEHOLD, VISIT)
    wifi.tick([Point()], monotonic=KEEP_SECONDS)
    assert read(path.read_text()).written == 1000.0 + KEEP_SECONDS
    lasting = make(HOUSEHOLD)
    before = path.stat().st_mtime_ns
    lasting.tick([Point()], monotonic=10 * KEEP_SECONDS)
    assert path.stat().st_mtime_ns == before


def test_a_clock_that_was_ahead_is_put_right_by_the_keeper(make: Callable[..., Wifi], path: Path) -> None:
    wifi = make(HOUSEHOLD, VISIT, now=6000.0)
    assert wifi.keys == (HOUSEHOLD,)
    wifi.take(WifiPassphrases(keys=(HOUSEHOLD, VISIT), at=2000.0), [Point()], monotonic=5.0)
    assert set(read(path.read_text()).keys) == {HOUSEHOLD, VISIT}


def test_what_cannot_be_written_is_said_and_what_was_stays(make: Callable[..., Wifi], path: Path) -> None:
    wifi = make(HOUSEHOLD)
    path.unlink()
    path.mkdir()
    wifi.take(WifiPassphrases(keys=(HOUSEHOLD, LAPTOP), at=1001.0), [Point()], monotonic=1.0)
    assert wifi.keys == (HOUSEHOLD,)
    seen = wifi.seen([Point()], now=1001.0, monotonic=1.0)
    assert seen is not None
    assert "cannot be written" in seen.detail


def test_an_access_point_that_does_not_take_them_up_is_told_of(make: Callable[..., Wifi]) -> None:
    point = Point()
    point.reload = "FAIL\n"
    wifi = make(HOUSEHOLD, point=point)
    seen = wifi.seen([point], now=1000.0, monotonic=0.0)
    assert seen is not None
    assert seen.detail == "an access point did not take the passphrases up"


def test_who_is_slow_is_asked_again_and_then_the_ended_are_sent_away(make: Callable[..., Wifi]) -> None:
    point = Point({ONE: "flags=[AUTHORIZED]\nkeyid=laptop-1"})
    wifi = make(HOUSEHOLD, LAPTOP)
    point.reload = None
    wifi.take(WifiPassphrases(keys=(HOUSEHOLD,), at=1001.0), [point], monotonic=1.0)
    assert point.sent_away == []
    point.reload = "OK\n"
    asked = len(point.asked)
    wifi.tick([point], monotonic=4.0)
    assert len(point.asked) == asked, "a busy access point lets nobody in while it works off questions"
    wifi.tick([point], monotonic=1.0 + AGAIN_SECONDS)
    assert point.sent_away == [ONE]
    asked = len(point.asked)
    wifi.tick([point], monotonic=9 * AGAIN_SECONDS)
    assert len(point.asked) == asked


def test_an_access_point_that_appears_takes_the_file_up_and_another_stays_due(make: Callable[..., Wifi]) -> None:
    slow, fresh = Point(), Point({ONE: "flags=[AUTHORIZED]\nkeyid=visitor-1", TWO: "flags=[AUTHORIZED]"})
    slow.reload = None
    wifi = make(HOUSEHOLD, point=slow)
    wifi.anew(fresh, monotonic=1.0)
    assert fresh.asked[0] == "RELOAD_WPA_PSK"
    assert fresh.sent_away == [ONE], "it joined with what ended while nobody looked"
    asked = len(slow.asked)
    wifi.tick([slow, fresh], monotonic=AGAIN_SECONDS)
    assert len(slow.asked) > asked


def test_the_home_s_own_passphrase_is_replaced_and_never_taken_out(make: Callable[..., Wifi], path: Path) -> None:
    wifi = make(HOUSEHOLD, LAPTOP)
    wifi.take(WifiPassphrases(keys=(VISIT,), at=1001.0), [Point()], monotonic=1.0)
    assert set(read(path.read_text()).keys) == {HOUSEHOLD, VISIT}
    another = Passphrase(key_id="household", passphrase="correct staple horse", purpose="household")
    wifi.take(WifiPassphrases(keys=(another,), at=1002.0), [Point()], monotonic=2.0)
    assert read(path.read_text()).keys == (another,)


def test_how_it_is_is_said_when_it_changes_and_now_and_then(make: Callable[..., Wifi]) -> None:
    wifi, point = make(HOUSEHOLD), Point({ONE: ""})
    first = wifi.seen([point, Point()], now=1000.0, monotonic=0.0)
    assert first is not None
    assert (first.up, first.ssid, first.stations, first.passphrases) == (True, "Example Home", 1, 1)
    assert wifi.seen([point], now=1001.0, monotonic=1.0) is None
    assert wifi.seen([point], now=1020.0, monotonic=LOOK_SECONDS) is None
    point.stations = {}
    assert wifi.seen([point], now=1040.0, monotonic=2 * LOOK_SECONDS) is not None
    assert wifi.seen([point], now=1400.0, monotonic=3 * SEEN_SECONDS) is not None


def test_stations_without_end_are_not_looked_through_without_end(make: Callable[..., Wifi]) -> None:
    point = Point({f"02:00:5e:02:00:{n:02x}": "flags=[AUTHORIZED]\nkeyid=laptop-1" for n in range(200)})
    wifi = make(HOUSEHOLD, LAPTOP)
    wifi.take(WifiPassphrases(keys=(HOUSEHOLD,), at=1001.0), [point], monotonic=1.0)
    assert len(point.sent_away) == 128


def test_a_file_that_is_none_counts_as_empty(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff\x00nonsense\n")
    wifi = Wifi(path, now=0.0, monotonic=0.0)
    assert wifi.kept().keys == ()
