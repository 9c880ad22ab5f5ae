from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.signs.spans import DAY, HOUR, begun, counted, covered, day_of, hour_of, lasted


def test_hours_and_days_are_those_of_utc() -> None:
    assert hour_of(0.0) == 0
    assert hour_of(HOUR - 0.5) == 0
    assert hour_of(HOUR) == 1
    assert day_of(hour_of(DAY)) == 1


def test_a_span_covers_the_hours_that_it_touches_within_the_bounds() -> None:
    assert covered(((HOUR * 1.5, HOUR * 3.5),), 0, 10) == {1, 2, 3}
    assert covered(((HOUR * 1.5, HOUR * 3.5),), 2, 3) == {2}
    assert covered(((HOUR * 5, HOUR * 5),), 0, 10) == {5}
    assert covered(((HOUR * 9, HOUR * 2),), 0, 10) == {9}, "an end before its start counts as its start"
    assert covered((), 0, 10) == frozenset()


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=5),
    st.integers(0, 300),
    st.integers(0, 300),
)
def test_covered_hours_stay_within_what_was_asked(spans: list[tuple[float, float]], first: int, length: int) -> None:
    assert all(first <= hour < first + length for hour in covered(tuple(spans), first, first + length))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "1 minute"), (600.0, "10 minutes"), (HOUR, "1 hour"), (47 * HOUR, "47 hours"), (5 * DAY, "5 days")],
)
def test_how_long_is_said_in_words(seconds: float, words: str) -> None:
    assert lasted(seconds) == words


def test_things_are_counted() -> None:
    assert [counted(1, "day"), counted(2, "day"), counted(0, "day")] == ["1 day", "2 days", "0 days"]


def test_a_begin_that_cannot_be_is_none() -> None:
    assert begun(90.0, 100.0) == 90.0
    assert [begun(since, 1e9) for since in (float("nan"), float("-inf"), 0.0, 2e9)] == [1e9] * 4
