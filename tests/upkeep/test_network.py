"""Another Wi-Fi, asked for by the keeper and put in force by root."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from appliance.cli import applying
from appliance.cli.applying import ApplyError, Applying, Places
from appliance.cli.serve_request import HANDLERS
from appliance.requests import RefusedError, RequestName, SetNetworkRequest
from appliance.upkeep import network
from appliance.upkeep.network import Run, change
from firmware import checking, household
from firmware.plan import Step

pytestmark = pytest.mark.req("R57")

HOME = """
[lan]
bridge = "br0"
address = "192.0.2.1"
network = "192.0.2.0/24"
network6 = "2001:db8:1::/64"
lease_seconds = 900
[wan]
interface = "eth0"
[resolver]
upstream = ["203.0.113.53"]
"""
WIFI = """
[wifi]
ssid = "Before"
country = "GB"
pmf = "off"
radios = [{ interface = "wlan0", channel = 6 }]
"""


def request(**changes: object) -> SetNetworkRequest:
    return SetNetworkRequest.model_validate({"request_id": "c-1", "at": 1.9e9, "ssid": "Example Home"} | changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "household.toml"
    made.write_text(HOME + WIFI)
    return made


def well(_words: Sequence[str]) -> int:
    return 0


def test_three_values_change_and_nothing_else(path: Path) -> None:
    before, text = household.load(path), path.read_bytes()
    asked: list[Sequence[str]] = []
    new: list[household.Household] = []

    def run(words: Sequence[str]) -> int:
        asked.append(words)
        new.append(household.load(Path(words[-1])))
        return 0

    change(request(isolation=True), path, run=run)
    assert path.read_bytes() == text, "who puts it in force puts it there"
    (after,) = new
    assert after.wifi is not None
    assert (after.wifi.ssid, after.wifi.isolation) == ("Example Home", True)
    assert before.wifi is not None
    assert after == before.model_copy(
        update={"wifi": before.wifi.model_copy(update={"ssid": "Example Home", "isolation": True})}
    )
    assert asked[0][1:-1] == ["apply", "--household", str(path), "--new"]
    assert list(path.parent.iterdir()) == [path]


def test_what_does_not_work_is_refused(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="in force again"):
        change(request(), path, run=lambda _words: 1)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_what_takes_too_long_did_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "APPLY_SECONDS", 0.05)
    assert network._run(["sleep", "60"]) == 1


def test_what_is_so_already_is_left_alone(path: Path) -> None:
    change(request(ssid="Before"), path, run=lambda _words: pytest.fail("nothing was to be applied"))


def test_settings_that_do_not_go_together_are_refused(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="do not go together"):
        change(request(security="wpa2-wpa3"), path, run=well)
    assert path.read_bytes() == before


def test_a_home_by_cable_is_given_no_wifi(path: Path) -> None:
    path.write_text(HOME)
    with pytest.raises(RefusedError, match="no Wi-Fi"):
        change(request(), path, run=well)


def test_a_file_that_is_none_is_left_alone(path: Path) -> None:
    path.write_text("nonsense")
    with pytest.raises(RefusedError, match="cannot be used"):
        change(request(), path, run=well)
    assert path.read_text() == "nonsense"


def test_the_keepers_request_comes_here() -> None:
    assert HANDLERS[RequestName.SET_NETWORK] == "appliance.upkeep.network:set_network"


# --- the power goes -------------------------------------------------------------------------------------------------

STEPS = ("open", "os.rename", "os.remove", "os.symlink", "os.mkdir", "os.truncate", "shutil.rmtree", "os.chmod")
"""Events of Python's audit (PEP 578) that change, or may change, a file system."""


class Around:
    """A box whose way out works, or does not; its Wi-Fi likewise."""

    def __init__(self, *, online: bool, wifi: bool) -> None:
        self.now = 0.0
        self.online = online
        self.wifi = wifi

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def reaches(self, _home: household.Household) -> str:
        return "" if self.online else "no resolver answers"

    def serves(self, home: household.Household) -> str:
        assert home.wifi is not None
        return "" if self.wifi or home.wifi.ssid == "Before" else "the Wi-Fi is not up (wlan0)"

    def do(self, _step: Step) -> str:
        return ""


def cut_at(number: int, folder: Path, work: Callable[[], None]) -> bool:
    """Do the work in a process of its own, and end that without another word before step `number`; whether it came to that."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    code = 1
    try:
        count = 0

        def audit(event: str, given: tuple[object, ...]) -> None:
            nonlocal count
            reads = event == "open" and isinstance(given[2], int) and not given[2] & (os.O_WRONLY | os.O_RDWR)
            if event in STEPS and not reads and any(str(each).startswith(str(folder)) for each in given):
                if count == number:
                    os._exit(9)
                count += 1

        # The power takes the second process with the first: there is none here.
        applying.os.fork = lambda: 2**22  # type: ignore[attr-defined] # this process ends here
        sys.addaudithook(audit)
        work()
        code = 0
    finally:
        os._exit(code)


@pytest.mark.req("R57", "N15")
@pytest.mark.parametrize(("online", "wifi", "works"), [(True, True, True), (True, False, False), (False, True, True)])
def test_the_power_may_go_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, online: bool, wifi: bool, works: bool
) -> None:
    """What the next start puts in force is the household of before, or the new one if that had proved itself."""
    monkeypatch.setattr(checking, "check", lambda _files: checking.Verdict())
    old, found = HOME + WIFI, set()
    for number in range(400):
        config = tmp_path / f"{number}.d"
        config.mkdir()
        path, root = config / "household.toml", tmp_path / f"{number}.root"
        places = Places(root=root, household=path)
        path.write_text(old)
        Applying(places, Around(online=online, wifi=True)).boot()

        def run(words: Sequence[str], places: Places = places) -> int:
            around = Around(online=online, wifi=wifi)
            try:
                Applying(places, around).change(new=Path(words[-1]))
            except ApplyError:
                return 1
            return 0

        def work(path: Path = path, run: Run = run) -> None:
            try:
                change(request(), path, run=run)
            except RefusedError:
                assert not works

        cut = cut_at(number, config, work)
        before_start = {each.name for each in config.iterdir()}
        assert path.name in before_start, "the household file is never away"
        shutil.rmtree(root)  # /etc is memory
        outcome = Applying(places, Around(online=online, wifi=True)).boot()
        in_force = household.load(path)
        assert in_force.wifi is not None
        hostapd = (root / "etc/hostapd/wlan0.conf").read_text()
        assert in_force.wifi.ssid.encode().hex() in hostapd, "what is in force is what the file says"
        assert household.load(places.good) == in_force
        assert not places.trial.exists()
        taken_back = any("never proved" in sentence for sentence in outcome.said)
        assert not (taken_back and in_force.wifi.ssid != "Before")
        found.add((cut, in_force.wifi.ssid))
        if not cut:
            break
    assert (False, "Example Home" if works else "Before") in found, "uncut, it ends"
    assert (True, "Before") in found
    if works:
        assert (True, "Example Home") in found
    else:
        assert {ssid for _, ssid in found} == {"Before"}
