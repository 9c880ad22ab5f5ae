from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.fields import clock, field, minutes


@pytest.mark.parametrize(
    ("text", "minute"),
    [("7:30", 450), ("07.30", 450), ("0730", 450), ("7", 420), ("24:00", 0), ("23:59", 1439), ("24:01", None)],
)
def test_times_of_day_are_read_as_people_write_them(text: str, minute: int | None) -> None:
    assert minutes(text) == minute


@given(st.text(max_size=8))
def test_anything_else_is_no_time(text: str) -> None:
    found = minutes(text)
    assert found is None or minutes(clock(found)) == found


def test_what_was_typed_stands_in_the_field() -> None:
    found = field("device", "day", "Day", typed={"day": "b"}, errors=(("day", "No"),), choices=(("a", "A"), ("b", "B")))
    assert (found.value, found.error, [choice.checked for choice in found.choices]) == ("b", "No", [False, True])
    assert field("text", "day", "Day", typed={}, errors=(), at_first="a").value == "a"
