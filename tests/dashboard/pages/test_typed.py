from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages import typed

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("31/1/2026", date(2026, 1, 31)),
        ("31/01/2026", date(2026, 1, 31)),
        ("2026-02-30", None),
        ("0001-01-01", None),
        ("2200-01-01", None),
        ("2026-01-31T00:00", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_a_day_is_read_as_browsers_and_people_write_it(text: str, said: date | None) -> None:
    assert typed.day(text) == said


@given(st.text(max_size=20))
def test_no_text_of_a_day_raises(text: str) -> None:
    found = typed.day(text)
    assert found is None or 2000 <= found.year < 2200


def test_a_day_begins_and_ends_with_the_places_own_clock() -> None:
    # Summer time begins on 29 March 2026: that day has 23 hours.
    of = date(2026, 3, 29)
    assert typed.begin(of, LONDON) == datetime(2026, 3, 29, tzinfo=UTC)
    assert typed.end(of, LONDON) == datetime(2026, 3, 29, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("90", 90), ("0", None), ("91", None), ("", None), ("1.5", None), ("\u0663", None)]
)
def test_a_whole_number_is_in_its_range(text: str, number: int | None) -> None:
    assert typed.whole(text, 90) == number


def test_no_days_are_no_end() -> None:
    assert typed.until(0.0, None) is None
    assert typed.until(0.0, 2) == typed.after(0.0, 2) == datetime(1970, 1, 3, tzinfo=UTC)


def test_a_reason_is_asked_for_and_bounded() -> None:
    assert typed.reason_errors("f", "") == [("f", "Enter the reason for your decision")]
    assert typed.reason_errors("f", "x" * 4, 3) == [("f", "Reason must be 3 characters or fewer")]
    assert typed.reason_errors("f", "two\nlines") == []
    assert typed.text_errors("f", "Label", "a\u202eb", 9) == [("f", "Label must only have characters that can be seen")]
    assert typed.tidy(" a\r\nb\r ") == "a\nb"
