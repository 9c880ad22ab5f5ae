"""A household that is tried by `gatehouse apply --new`, and the power that goes at any step of it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import trial
from appliance.cli import applying
from appliance.cli.applying import ApplyError, Applying, Places
from appliance.fitting import line
from appliance.fitting.places import Places as Data
from appliance.requests import RefusedError, SetNetworkRequest
from appliance.upkeep.network import change
from firmware import checking, layout, links
from firmware.household import Household, Wan, as_toml, load
from firmware.plan import Step
from wire.enrolment import Uplink

WIRED = """
[lan]
bridge = "br0"
address = "192.0.2.1"
network = "192.0.2.0/24"
network6 = "2001:db8:1::/64"
[wan]
interface = "eth0"
[resolver]
upstream = ["203.0.113.53"]
"""
HOME = f"""{WIRED}
[wifi]
ssid = "Before"
country = "GB"
radios = [{{ interface = "wlan0", channel = 6 }}]
"""


def test_it_lies_beside_the_household_file_as_long_as_it_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "household.toml"
    path.write_text(HOME)
    wanted = load(path).model_copy(update={"notice_port": 8080})
    for code in (0, 1):
        asked: list[Sequence[str]] = []

        def run(words: Sequence[str], asked: list[Sequence[str]] = asked, code: int = code) -> int:
            asked.append(words)
            assert load(Path(words[-1])) == wanted
            return code

        assert trial.attempt(wanted, path, run=run) is (code == 0)
        assert asked[0][1:-1] == ["apply", "--household", str(path), "--new"]
        assert path.read_text() == HOME, "who puts it in force puts it there"
        assert list(tmp_path.iterdir()) == [path]


def test_what_takes_too_long_or_is_not_there_did_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SECONDS", 0.05)
    assert trial.run(["sleep", "60"]) == 1
    assert trial.run(["no-such-program-anywhere"]) == 1
    assert trial.run(["false"]) == 1
    monkeypatch.undo()
    assert trial.run(["true"]) == 0


def test_all_call_its_files_the_same() -> None:
    places = Places(household=Path(layout.HOUSEHOLD_FILE))
    assert (str(places.good), str(places.trial)) == (layout.HOUSEHOLD_GOOD_FILE, layout.HOUSEHOLD_TRIAL_FILE)


# --- the power goes -------------------------------------------------------------------------------------------------

STEPS = ("open", "os.rename", "os.remove", "os.symlink", "os.mkdir", "os.truncate", "shutil.rmtree", "os.chmod")
"""Events of Python's audit (PEP 578) that change, or may change, a file system."""


@dataclass
class Around:
    """A box whose way out works, or does not; its Wi-Fi likewise."""

    reached: Callable[[Household], bool]
    wifi: bool = True
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def reaches(self, home: Household) -> str:
        return "" if self.reached(home) else "no resolver answers"

    def serves(self, home: Household) -> str:
        up = self.wifi or home.wifi is None or home.wifi.ssid == "Before"
        return "" if up else "the Wi-Fi is not up (wlan0)"

    def do(self, _step: Step) -> str:
        return ""

    def runs(self, places: Places) -> trial.Run:
        """`gatehouse apply --new FILE`."""

        def run(words: Sequence[str]) -> int:
            try:
                Applying(places, self).change(new=Path(words[-1]))
            except ApplyError:
                return 1
            return 0

        return run


def cut_at(number: int, folder: Path, work: Callable[[], None]) -> bool:
    """Do the work in a process of its own, and end that without another word before step `number`; whether it came to that."""
    child = os.fork()
    if child:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in {0, 9}, "its own assertions hold"
        return code == 9
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


def started(places: Places, around: Around) -> Household:
    """What the next start puts in force; `/etc` is memory."""
    shutil.rmtree(places.root, ignore_errors=True)
    Applying(places, around).boot()
    in_force = load(places.household)
    assert load(places.good) == in_force
    assert not places.trial.exists()
    return in_force


@pytest.fixture
def asks_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "check", lambda _files: checking.Verdict())


@pytest.mark.req("R57", "N15")
@pytest.mark.usefixtures("asks_no_program")
@pytest.mark.parametrize(("online", "wifi", "works"), [(True, True, True), (True, False, False), (False, True, True)])
def test_the_power_may_go_at_any_step_of_another_wifi(tmp_path: Path, *, online: bool, wifi: bool, works: bool) -> None:
    """What the next start puts in force is the household of before, or the new one if that had proved itself."""
    found = set()
    for number in range(400):
        config = tmp_path / f"{number}.d"
        config.mkdir()
        places = Places(root=tmp_path / f"{number}.root", household=config / "household.toml")
        places.household.write_text(HOME)
        around = Around(lambda _home: online, wifi=wifi)
        Applying(places, around).boot()

        def work(places: Places = places, around: Around = around) -> None:
            request = SetNetworkRequest.model_validate({"request_id": "c-1", "at": 1.9e9, "ssid": "Example Home"})
            try:
                change(request, places.household, run=around.runs(places))
            except RefusedError:
                assert not works

        cut = cut_at(number, config, work)
        assert places.household.exists(), "the household file is never away"
        in_force = started(places, around)
        assert in_force.wifi is not None
        hostapd = (places.root / "etc/hostapd/wlan0.conf").read_text()
        assert in_force.wifi.ssid.encode().hex() in hostapd, "what is in force is what the file says"
        found.add((cut, in_force.wifi.ssid))
        if not cut:
            break
    assert (False, "Example Home" if works else "Before") in found, "uncut, it ends"
    assert (True, "Before") in found
    if works:
        assert (True, "Example Home") in found
    else:
        assert {ssid for _, ssid in found} == {"Before"}


# --- the power goes while a provider's line is tried ----------------------------------------------------------------

OLD, NEW = "line-1@provider.example", "line-2@provider.example"


@dataclass(frozen=True)
class Said:
    """A user name and the password that the box has for it."""

    user: str | None
    word: str | None


def said(data: Data, home: Household) -> Said:
    if home.wan.kind != "pppoe":
        return Said(None, None)
    return Said(home.wan.user, data.at(home.wan.password_file).read_text().strip())


CABLE, BEFORE, AFTER, ANOTHER = Said(None, None), Said(OLD, "word-1"), Said(NEW, "word-2"), Said(OLD, "word-2")


@pytest.mark.req("R5", "R57", "R69", "N15")
@pytest.mark.usefixtures("asks_no_program")
@pytest.mark.parametrize(
    ("before", "after", "right", "ends"),
    [
        pytest.param(BEFORE, AFTER, {BEFORE, AFTER}, {BEFORE, AFTER}, id="another line that works"),
        pytest.param(BEFORE, AFTER, {BEFORE}, {BEFORE}, id="another line that does not"),
        pytest.param(BEFORE, ANOTHER, {BEFORE}, {BEFORE}, id="another password that is wrong"),
        pytest.param(BEFORE, ANOTHER, {ANOTHER}, {BEFORE, ANOTHER}, id="another password since the old one is wrong"),
        pytest.param(CABLE, AFTER, {CABLE}, {CABLE}, id="no cable any more, and it does not work"),
        pytest.param(BEFORE, CABLE, {BEFORE, CABLE}, {BEFORE, CABLE}, id="no line any more"),
    ],
)
def test_the_power_may_go_at_any_step_of_another_line(
    tmp_path: Path, before: Said, after: Said, right: set[Said], ends: set[Said]
) -> None:
    """What the next start dials is the line of before with its password, or the new one with its own: never some of each."""
    found: dict[bool, set[Said]] = {True: set(), False: set()}
    for number in range(400):
        data = Data(root=tmp_path / str(number))
        places = Places(root=tmp_path / f"{number}.etc", household=data.at(layout.HOUSEHOLD_FILE))
        places.household.parent.mkdir(parents=True)
        places.household.write_text(WIRED)
        house = load(places.household)
        if before.user is not None:
            house = line.wanted(data, house, uplink(before))
            places.household.write_text(as_toml(house))
        around = Around(lambda home, data=data: said(data, home) in right)  # type: ignore[misc] # a default
        Applying(places, around).boot()

        def work(data: Data = data, house: Household = house, places: Places = places, around: Around = around) -> None:
            path = places.household
            came = line.tried(
                data, house, uplink(after), lambda home: trial.attempt(home, path, run=around.runs(places))
            )
            assert came is (after in ends)

        cut = cut_at(number, places.household.parent, work)
        line.tidy(data)  # as first boot does
        in_force = said(data, started(places, around))
        assert in_force in ends
        unit = places.root / links.PPP_UNIT.lstrip("/")
        dialled = load(places.household).wan
        assert unit.exists() is (dialled.kind == "pppoe")
        if unit.exists():
            assert f"StandardInput=file:{dialled.password_file}\n" in unit.read_text()
            assert data.at(dialled.password_file).stat().st_mode & 0o777 == 0o600
        line.tidy(data)
        left = [path for path in places.household.parent.rglob("*") if b"word-" in path.read_bytes()]
        assert [path.read_text().strip() for path in left] == [in_force.word] * (in_force.word is not None)
        found[cut].add(in_force)
        if not cut:
            break
    assert found[False] == {after if after in ends else before}, "uncut, it ends"
    assert found[True] == ends


def uplink(line_: Said) -> Uplink:
    return Uplink() if line_.user is None else Uplink(kind="pppoe", user=line_.user, password=line_.word)


@pytest.mark.req("R5", "R69")
def test_each_line_has_a_password_file_of_its_own(tmp_path: Path) -> None:
    data = Data(root=tmp_path)
    path = data.at(layout.HOUSEHOLD_FILE)
    path.parent.mkdir(parents=True)
    path.write_text(WIRED)
    one = line.wanted(data, load(path), uplink(BEFORE))
    other = line.wanted(data, one, uplink(ANOTHER))
    assert one.wan.password_file != other.wan.password_file
    assert (said(data, one), said(data, other)) == (BEFORE, ANOTHER)
    assert Wan.model_validate(other.wan.model_dump(mode="json")) == other.wan
