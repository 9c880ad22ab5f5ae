"""A change whose processes are killed, by accident or as when the power goes: old or new, and never some of each."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.cli.applying import ApplyError, Applying, Places
from firmware import checking
from firmware.household import Household, Wan, as_toml
from firmware.placing import Placing
from firmware.plan import Step
from lab.household import default

GOOD, WRONG = (as_toml(default().model_copy(update={"wan": Wan(interface=name)})) for name in ("wan0", "wan9"))


@dataclass
class World:
    """The internet is behind wan0 only."""

    meanwhile: Callable[[], None] = lambda: None
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()

    def reaches(self, home: Household) -> str:
        return "" if home.wan.interface == "wan0" else "no resolver answers"

    def serves(self, _home: Household) -> str:
        return ""

    def do(self, _step: Step) -> str:
        return ""


def _good(folder: Path) -> Places:
    folder.mkdir(exist_ok=True)
    places = Places(root=folder / "root", household=folder / "household.toml")
    places.household.write_text(GOOD)
    Applying(places, World()).boot()
    return places


def in_force(places: Places) -> str:
    text = (places.root / "etc/nftables.conf").read_text()
    return text[text.index('define wan = "') :].split('"')[1]


@pytest.mark.req("R57", "N15")
def test_killed_while_it_waits_the_other_process_takes_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "check", lambda _files: checking.Verdict())
    places = _good(tmp_path)
    places.household.write_text(WRONG)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        Applying(places, World(meanwhile=lambda: os.kill(os.getpid(), signal.SIGKILL))).change()
        os._exit(0)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.read(reading, 1) == b"", "the last of the two has let go of its end"
    os.close(reading)
    assert in_force(places) == "wan0"
    assert places.household.read_text() == GOOD
    assert not places.trial.exists()


@pytest.mark.req("R57", "N15")
def test_killed_at_any_step_of_it_what_comes_back_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both processes are killed at once, as when the power goes; then the box starts."""
    monkeypatch.setattr(checking, "check", lambda _files: checking.Verdict())
    ends = set()
    for at in range(0, 200, 3):
        places = _good(tmp_path / str(at))
        good = Placing(places.root, lambda _: 0o644).files()
        places.household.write_text(WRONG)
        child = os.fork()
        if child == 0:
            os.setsid()
            count = 0

            def step() -> None:
                nonlocal count
                if count == at:  # noqa: B023 (this process has one `at`)
                    os.killpg(0, signal.SIGKILL)
                count += 1

            monkeypatch.setattr(os, "setsid", lambda: None)  # the second process goes with the first
            with pytest.raises(ApplyError):
                Applying(places, World(), step=step).change()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        seen = {path: (places.root / path[1:]).read_text() for path in good}
        assert in_force(places) in {"wan0", "wan9"}
        assert (seen == good) == (in_force(places) == "wan0"), "never some of each"
        Applying(places, World()).boot()
        assert Placing(places.root, lambda _: 0o644).files() == good
        assert places.household.read_text() == GOOD
        ends.add(os.WIFSIGNALED(status))
        if not os.WIFSIGNALED(status):
            break
    assert ends == {True, False}
