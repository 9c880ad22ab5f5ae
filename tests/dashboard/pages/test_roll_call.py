"""The roll-call: counted, compared with what the box has there, read back from paper."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages import roll_call
from dashboard.store.visits import Line

pytestmark = pytest.mark.req("N14", "R13")


def _line(number: int, state: str = "") -> Line:
    return Line(device_id=f"dev-{number}", number=number, state=state, note="")


def test_it_is_counted_and_compared_with_what_the_box_has_there() -> None:
    lines = [_line(1, "seen"), _line(2, "not-shown"), _line(3, "not-home"), _line(4), _line(5, "not-shown")]
    presence = {"dev-1": "here", "dev-2": "asleep", "dev-3": "left", "dev-4": "here", "dev-5": ""}
    found = roll_call.called(lines, presence, ["tablet"])
    assert (found.seen, found.not_shown, found.not_home, found.open, found.found) == (1, 2, 1, 1, 1)
    assert found.to_ask == ("dev-2",)
    assert found.words().endswith("1 device was shown that the box does not know.")


def test_codes_of_a_paper_sheet() -> None:
    numbers = {1: "a", 2: "b", 12: "c"}
    assert roll_call.from_paper("1S, 2 n;12H", numbers) == ({"a": "seen", "b": "not-shown", "c": "not-home"}, ())
    assert roll_call.from_paper("3S 1X what", numbers) == ({}, ("3S", "1X", "what"))
    assert roll_call.from_paper("", numbers) == ({}, ())


@given(st.text(max_size=3000))
def test_whatever_is_typed_names_no_other_line(text: str) -> None:
    found, wrong = roll_call.from_paper(text, {1: "a"})
    assert set(found) <= {"a"}
    assert all(len(item) <= 12 for item in wrong)


def test_new_devices_are_numbered_on_and_bounded() -> None:
    lines = (_line(1), _line(7, "seen"))
    more = roll_call.number_new(lines, ["dev-1", "dev-8", "dev-9"], 10)
    assert [(line.device_id, line.number) for line in more[2:]] == [("dev-8", 8), ("dev-9", 9)]
    assert len(roll_call.number_new(lines, (f"x-{number}" for number in range(50)), 10)) == 10


def test_each_state_has_a_letter_of_its_own() -> None:
    assert len({letter for _state, letter, _text in roll_call.STATES}) == len(roll_call.STATES)
    assert roll_call.state_words("") == "Not asked about"
