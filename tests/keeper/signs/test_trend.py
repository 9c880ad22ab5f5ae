from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.signs.spans import DAY
from appliance.keeper.signs.trend import LEAST_BEFORE, RECENT_DAYS, Figure, trend
from wire.findings import FindingKind, Grade

TODAY = 1000


def figure(before: int, recent: int, *, wobble: int = 0, least: float = 20.0, subject: str = "use") -> Figure:
    counts = {
        day: (recent if day >= TODAY - RECENT_DAYS else before) + (wobble if day % 2 else 0)
        for day in range(TODAY - 63, TODAY)
    }
    return Figure(device_id="d-1", subject=subject, words="use of the device", by_day=counts, least=least)


@pytest.mark.req("R16")
@pytest.mark.parametrize(
    ("before", "recent", "grade"),
    [(100, 100, None), (100, 250, None), (100, 320, Grade.LOW), (100, 700, Grade.MEDIUM), (700, 100, Grade.LOW)],
)
def test_three_times_as_much_in_three_weeks_is_a_trend_either_way(
    before: int, recent: int, grade: Grade | None
) -> None:
    sign = trend(figure(before, recent), range(TODAY - 63, TODAY), today=TODAY)
    assert (None if sign is None else sign.grade) == grade


@pytest.mark.req("R16")
def test_it_says_what_was_compared_and_what_else_explains_it() -> None:
    sign = trend(figure(100, 400), range(TODAY - 63, TODAY), today=TODAY)
    assert sign is not None
    assert sign.kind is FindingKind.TREND
    assert (
        sign.reasons[0] == "Looks like use of the device has changed: about 4 times as much as before on a usual day."
    )
    assert sign.reasons[1].startswith("Compared are the last 21 days with 42 days before them")
    assert "home working" in sign.alternatives[0]
    assert sign.since == (TODAY - RECENT_DAYS) * DAY


@pytest.mark.req("R16")
def test_less_is_said_by_how_much_is_left() -> None:
    sign = trend(figure(400, 100), range(TODAY - 63, TODAY), today=TODAY)
    assert sign is not None
    assert "about 25% of what it was before on a usual day" in sign.reasons[0]


@pytest.mark.req("R16")
def test_one_long_weekend_is_no_trend() -> None:
    found = figure(100, 100)
    counts = dict(found.by_day) | {TODAY - 3: 2000, TODAY - 2: 2000, TODAY - 1: 2000}
    spiky = Figure(device_id="d-1", subject="use", words="use", by_day=counts, least=20.0)
    assert trend(spiky, range(TODAY - 63, TODAY), today=TODAY) is None


def test_a_device_whose_days_differ_much_must_change_more() -> None:
    assert trend(figure(10, 330, wobble=600), range(TODAY - 63, TODAY), today=TODAY) is None


@pytest.mark.req("R32")
def test_a_little_of_a_category_means_nothing() -> None:
    assert trend(figure(0, 2, least=3.0, subject="category adult"), range(TODAY - 63, TODAY), today=TODAY) is None
    sign = trend(figure(0, 20, least=3.0, subject="category adult"), range(TODAY - 63, TODAY), today=TODAY)
    assert sign is not None
    assert sign.subject == "category adult"
    assert sign.grade in {Grade.LOW, Grade.MEDIUM}


def test_too_few_days_say_nothing() -> None:
    seen = range(TODAY - RECENT_DAYS - LEAST_BEFORE + 1, TODAY)
    assert trend(figure(100, 900), seen, today=TODAY) is None
    assert trend(figure(100, 900), range(TODAY - 63, TODAY - 10), today=TODAY) is None


@given(
    st.dictionaries(st.integers(TODAY - 70, TODAY + 3), st.integers(0, 2**53), max_size=80),
    st.sets(st.integers(TODAY - 250, TODAY + 3)),
    st.sampled_from([3.0, 20.0]),
)
def test_no_figures_make_it_more_than_medium(counts: dict[int, int], seen: set[int], least: float) -> None:
    found = Figure(device_id="d-1", subject="use", words="use", by_day=counts, least=least)
    sign = trend(found, seen, today=TODAY)
    if sign is not None:
        assert sign.grade is not Grade.HIGH
        assert sign.alternatives
        assert all(len(line) <= 300 for line in (*sign.reasons, *sign.alternatives))
