from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.signs.baseline import MAX_HOURS, MAX_STRETCHES, Baseline, NotYet, baseline, level

WEEK = 7 * 24


def evenings(weeks: int, *, first: int = 0, shift: int = 0) -> dict[int, int]:
    """A device used each evening from 18 to 22 UTC, and talking a little by itself each hour."""
    return {hour: 60 if 18 <= (hour + shift) % 24 < 22 else 2 for hour in range(first, first + weeks * WEEK)}


def made(use: dict[int, int], until: int, *, seen: Callable[[int], bool] = lambda _hour: True) -> Baseline:
    found = baseline(use, [hour for hour in range(until) if seen(hour)], until=until)
    assert isinstance(found, Baseline)
    return found


@pytest.mark.req("N5")
def test_nothing_is_said_before_fourteen_days() -> None:
    use = evenings(3)
    assert baseline(use, range(13 * 24), until=13 * 24) is NotYet.FEW_DAYS
    assert isinstance(baseline(use, range(15 * 24), until=15 * 24), Baseline)


def test_days_that_the_box_did_not_see_do_not_count() -> None:
    use = evenings(4)
    assert baseline(use, range(0, 28 * 24, 5), until=28 * 24) is NotYet.FEW_DAYS
    assert baseline(use, [], until=28 * 24) is NotYet.FEW_DAYS


def test_a_device_that_is_seldom_used_has_no_rhythm() -> None:
    assert baseline({100: 50, 400: 50}, range(28 * 24), until=28 * 24) is NotYet.SELDOM_USED


@pytest.mark.req("N5")
def test_what_programs_do_by_themselves_is_no_use() -> None:
    found = made(evenings(6), 6 * WEEK)
    assert found.busy == pytest.approx(60)
    assert found.used(60)
    assert not found.used(2)
    assert found.likely(range(2, 6)) == 0.0


def test_hours_of_one_kind_are_not_told_apart() -> None:
    found = made({hour: 40 + hour % 21 for hour in range(6 * WEEK)}, 6 * WEEK)
    assert found.busy == 50
    assert found.floor == 5


@pytest.mark.req("N5")
def test_use_is_likely_when_it_was_used_before() -> None:
    found = made({hour: amount for hour, amount in evenings(6).items() if amount > 2}, 6 * WEEK)
    assert found.likely([20]) == pytest.approx(1.0)
    assert found.likely([17]) == pytest.approx(1 / 3), "the hour beside counts with it"
    assert found.likely([4]) == 0.0
    assert found.usual_day == pytest.approx(4.0)
    assert found.own_night() <= set(range(24)) - set(range(18, 22))
    assert found.longest == pytest.approx(2 / 3)


@pytest.mark.req("N5")
def test_one_holiday_moves_nothing() -> None:
    use = {hour: amount for hour, amount in evenings(9).items() if amount > 2 and not 20 <= hour // 24 < 27}
    found = made(use, 9 * WEEK)
    assert found.likely([20]) > 0.8
    assert found.stretches[0] > 4 * found.stretches[1]
    assert found.longest == found.stretches[1]


@pytest.mark.req("N5")
def test_a_change_to_summer_time_is_no_change_of_habit() -> None:
    use = {hour: amount for hour, amount in evenings(6).items() if amount > 2}
    found = made(use, 6 * WEEK)
    summer = [hour for hour in range(6 * WEEK, 7 * WEEK) if 17 <= hour % 24 < 21]
    winter = [hour for hour in range(6 * WEEK, 7 * WEEK) if 18 <= hour % 24 < 22]
    assert found.likely(summer) >= 0.8 * found.likely(winter)


def test_only_the_latest_hours_count() -> None:
    found = made(evenings(20), 20 * WEEK)
    assert found.first == 20 * WEEK - MAX_HOURS


def test_a_level_is_the_middle_and_its_deviation() -> None:
    found = level([10, 12, 11, 9, 1000])
    assert found is not None
    assert found.median == 11
    assert found.deviation == pytest.approx(1.4826)
    assert found.score(11) == 0
    assert found.score(1000) > 100
    assert level([]) is None


@given(
    st.dictionaries(st.integers(0, 2000), st.integers(0, 2**53), max_size=300),
    st.sets(st.integers(0, 2000), max_size=2000),
    st.integers(0, 2100),
)
def test_any_past_gives_a_baseline_within_its_bounds_or_says_why_not(
    use: dict[int, int], seen: set[int], until: int
) -> None:
    found = baseline(use, seen, until=until)
    if isinstance(found, Baseline):
        assert all(0.0 <= rate <= 1.0 for rate in found.rate)
        assert len(found.stretches) <= MAX_STRETCHES
        assert found.floor >= 1
        assert len(found.own_night()) == 6
    else:
        assert found.value.endswith(".")
