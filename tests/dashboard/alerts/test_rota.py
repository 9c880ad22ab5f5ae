from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.alerts.rota import DAY, WEEK, Handover, Shift, hole_soon, holes, minute_of_week, next_on_duty, on_duty

LONDON = ZoneInfo("Europe/London")
NIGHT = Shift(account_id="night", weekday=6, starts=22 * 60, ends=6 * 60)
DAYS = tuple(Shift(account_id="day", weekday=day, starts=6 * 60, ends=22 * 60) for day in range(7))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).timestamp()


@pytest.mark.req("R38")
def test_a_shift_passes_midnight_and_the_end_of_the_week() -> None:
    shifts = (NIGHT, *DAYS)
    assert on_duty(shifts, (), at=at("2026-01-18T23:30"), zone=LONDON) == ("night",)
    assert on_duty(shifts, (), at=at("2026-01-19T05:59"), zone=LONDON) == ("night",)
    assert on_duty(shifts, (), at=at("2026-01-19T06:00"), zone=LONDON) == ("day",)
    assert on_duty(shifts, (), at=at("2026-01-20T02:00"), zone=LONDON) == ()


def test_a_shift_keeps_to_the_wall_clock_when_that_is_changed() -> None:
    # Summer time began on 29 March 2026 at 01:00 UTC.
    early = Shift(account_id="a", weekday=6, starts=6 * 60, ends=7 * 60)
    assert on_duty((early,), (), at=datetime(2026, 3, 29, 5, 30, tzinfo=UTC).timestamp(), zone=LONDON) == ("a",)
    assert on_duty((early,), (), at=datetime(2026, 3, 22, 6, 30, tzinfo=UTC).timestamp(), zone=LONDON) == ("a",)


@pytest.mark.req("R39")
def test_duty_that_was_handed_over_is_the_others_while_it_lasts() -> None:
    given = Handover(account_id="day", to_account="deputy", since=at("2026-01-19T00:00"), until=at("2026-01-20T00:00"))
    assert on_duty(DAYS, (given,), at=at("2026-01-19T10:00"), zone=LONDON) == ("deputy",)
    assert on_duty(DAYS, (given,), at=at("2026-01-20T10:00"), zone=LONDON) == ("day",)
    circle = (given, Handover(account_id="deputy", to_account="day", since=given.since, until=given.until))
    assert on_duty(DAYS, circle, at=at("2026-01-19T10:00"), zone=LONDON) == ("deputy",)


@pytest.mark.req("R38")
def test_who_is_on_soonest_is_asked_next() -> None:
    late = Shift(account_id="late", weekday=1, starts=0, ends=60)
    shifts = (*DAYS, NIGHT, late)
    assert next_on_duty(shifts, (), at=at("2026-01-19T10:00"), zone=LONDON) == ("late", "night")
    assert next_on_duty(shifts, (), at=at("2026-01-20T10:00"), zone=LONDON) == ("night", "late")


@pytest.mark.req("R38")
def test_holes_are_found_and_no_rota_has_none() -> None:
    assert holes(()) == ()
    assert holes((NIGHT, *DAYS)) == tuple(
        (day * DAY + 22 * 60 if day >= 0 else 0, (day + 1) * DAY + 6 * 60) for day in range(6)
    )
    assert hole_soon((NIGHT, *DAYS), at=at("2026-01-19T10:00"), zone=LONDON)
    whole = tuple(Shift(account_id="a", weekday=day, starts=0, ends=0) for day in range(7))
    assert holes(whole) == ()
    assert not hole_soon(whole, at=at("2026-01-19T10:00"), zone=LONDON)
    assert hole_soon(whole[1:], at=at("2026-01-18T10:00"), zone=LONDON), "Monday, seen from Sunday"


@given(
    st.lists(
        st.builds(
            Shift,
            account_id=st.sampled_from("abc"),
            weekday=st.integers(0, 6),
            starts=st.integers(0, DAY - 1),
            ends=st.integers(0, DAY - 1),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, WEEK - 1),
)
def test_a_minute_is_either_in_a_hole_or_on_duty(shifts: list[Shift], minute: int) -> None:
    monday = datetime(2026, 1, 19, tzinfo=LONDON).timestamp()
    moment = monday + minute * 60
    assert minute_of_week(moment, LONDON) == minute
    empty = any(begin <= minute < end for begin, end in holes(shifts))
    assert empty == (not on_duty(shifts, (), at=moment, zone=LONDON))
