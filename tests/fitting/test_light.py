from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from appliance.fitting.light import TABLE, State, show, state_of
from appliance.fresh import Fresh, Problem


def fresh(stage: str, problem: Problem | None = None) -> Fresh:
    return Fresh.model_validate({"at": 0, "stage": stage, "problem": problem})


@pytest.mark.req("R9")
@pytest.mark.parametrize(
    ("seen", "recording", "failed", "state"),
    [
        (None, False, False, State.BOOTING),
        (fresh("starting"), False, False, State.BOOTING),
        (fresh("asking"), False, False, State.BOOTING),
        (fresh("asking", Problem.NO_CABLE), False, False, State.NEEDS_CABLE),
        (fresh("asking", Problem.NO_DESK), False, False, State.NO_INTERNET),
        (fresh("asking", Problem.NOT_KNOWN), False, False, State.WAITING),
        (fresh("asking", Problem.UNTRUSTED), False, False, State.FAULT),
        (fresh("unclaimed"), False, False, State.WAITING),
        (fresh("enrolled"), False, False, State.CONNECTED),
        (fresh("enrolled"), True, False, State.WATCHING),
        (fresh("enrolled", Problem.NO_NAMES), True, False, State.NO_INTERNET),
        (fresh("enrolled", Problem.NO_CABLE), True, False, State.NEEDS_CABLE),
        (fresh("enrolled"), True, True, State.FAULT),
        (fresh("fault", Problem.NO_CARD), False, False, State.FAULT),
    ],
)
def test_the_light_says(seen: Fresh | None, *, recording: bool, failed: bool, state: State) -> None:
    assert state_of(seen, recording=recording, failed=failed) is state


def test_every_state_has_a_pattern_of_its_own_and_words() -> None:
    assert set(TABLE) == set(State)
    for one, other in combinations(TABLE.values(), 2):
        assert (one.on, one.off) != (other.on, other.off)
        assert one.looks != other.looks
    assert all(pattern.means and pattern.do for pattern in TABLE.values())


def test_the_kernel_is_told(tmp_path: Path) -> None:
    led = tmp_path / "ACT"
    led.mkdir()
    for name in ("trigger", "delay_on", "delay_off", "brightness"):
        (led / name).write_text("")
    assert show(tmp_path, State.WAITING)
    assert [(led / name).read_text() for name in ("trigger", "delay_on", "delay_off")] == ["timer", "1000", "1000"]
    assert show(tmp_path, State.WATCHING)
    assert [(led / name).read_text() for name in ("trigger", "brightness")] == ["none", "1"]


def test_a_board_without_a_light_is_no_fault(tmp_path: Path) -> None:
    assert not show(tmp_path, State.FAULT)
