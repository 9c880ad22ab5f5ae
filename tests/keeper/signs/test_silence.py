from __future__ import annotations

import pytest

from appliance.keeper.signs.baseline import Baseline, baseline
from appliance.keeper.signs.silence import Home, Quiet, Watched, home_quiet, silent, tell_apart
from wire.findings import FindingKind, Grade

WEEK = 7 * 24
LIVELY = Home(alive=2)
NOBODY = Home(alive=0)


def rhythm(*, days: frozenset[int] = frozenset(range(7))) -> Baseline:
    use = {hour: 50 for hour in range(6 * WEEK) if 16 <= hour % 24 < 22 and hour // 24 % 7 in days}
    last = max(use) + 1
    found = baseline(use, range(last), until=last)
    assert isinstance(found, Baseline)
    return found


def watched(
    hours: int, *, blind: int = 0, joined: bool = False, away: bool = False, usual: Baseline | None = None
) -> Watched:
    """Silent for so many hours after its last use, of which the box did not see the first `blind`."""
    usual = rhythm() if usual is None else usual
    last = usual.last - 1
    now = last + hours + 1
    return Watched(
        device_id="d-1",
        baseline=usual,
        last_use=last,
        missed=tuple(range(last + 1 + blind, now)),
        now=now,
        joined=joined,
        away=away,
    )


@pytest.mark.req("R14", "N5")
@pytest.mark.parametrize(
    ("hours", "grade"),
    [(12, None), (18, None), (24, Grade.LOW), (49, Grade.MEDIUM), (96, Grade.MEDIUM), (121, Grade.HIGH)],
)
def test_grade_grows_with_length_against_what_is_usual(hours: int, grade: Grade | None) -> None:
    sign = silent(watched(hours), LIVELY)
    assert (None if sign is None else sign.grade) == grade


@pytest.mark.req("R14")
def test_four_silences_are_told_apart() -> None:
    assert tell_apart(watched(72), LIVELY) is Quiet.ALONE
    assert tell_apart(watched(72), NOBODY) is Quiet.HOME
    assert tell_apart(watched(72, joined=True), LIVELY) is Quiet.IDLE
    assert tell_apart(watched(72, blind=60), LIVELY) is Quiet.UNSEEN
    assert tell_apart(watched(3), LIVELY) is Quiet.NONE


@pytest.mark.req("R15")
def test_an_away_time_mutes_it() -> None:
    assert tell_apart(watched(200, away=True), LIVELY) is Quiet.AWAY
    assert silent(watched(200, away=True), LIVELY) is None


@pytest.mark.req("R14")
def test_a_device_that_is_joined_and_idle_is_information_however_long() -> None:
    sign = silent(watched(300, joined=True), LIVELY)
    assert sign is not None
    assert sign.grade is Grade.LOW
    assert "idle" in sign.reasons[0]


@pytest.mark.req("R14")
def test_a_box_that_did_not_see_says_nothing() -> None:
    assert silent(watched(72, blind=60), LIVELY) is None
    partly = silent(watched(100, blind=20), LIVELY)
    assert partly is not None
    assert any("could not see" in reason for reason in partly.reasons)


@pytest.mark.req("N5")
def test_a_weekend_is_no_silence_of_a_device_used_on_working_days() -> None:
    usual = rhythm(days=frozenset({2, 3, 4, 5, 6}))
    assert silent(watched(48, usual=usual), LIVELY) is None


@pytest.mark.req("N5", "S5", "D7")
def test_innocent_causes_stand_beside_it() -> None:
    sign = silent(watched(72), LIVELY)
    assert sign is not None
    assert sign.kind is FindingKind.SILENT_DEVICE
    assert sign.reasons[0].startswith("Looks like")
    assert "one signal only" in sign.reasons[-1]
    text = " ".join(sign.alternatives)
    for cause in ("mobile data", "broken", "lost", "holiday"):
        assert cause in text
    assert all(len(line) <= 300 for line in (*sign.reasons, *sign.alternatives))


@pytest.mark.req("R14")
def test_a_quiet_home_is_one_sign_about_no_device() -> None:
    sign = home_quiet([(watched(72), NOBODY), (watched(72), NOBODY)])
    assert sign is not None
    assert sign.device_id is None
    assert sign.grade is Grade.LOW
    assert "All 2 devices" in sign.reasons[1]
    assert "one signal only" in sign.reasons[-1]
    alone = home_quiet([(watched(72), Home(alive=0))])
    assert alone is not None
    assert "cannot tell" in alone.reasons[1]
    assert home_quiet([]) is None
    assert home_quiet([(watched(72), NOBODY), (watched(2), NOBODY)]) is None
    assert home_quiet([(watched(72), NOBODY), (watched(72, away=True), NOBODY)]) is None
