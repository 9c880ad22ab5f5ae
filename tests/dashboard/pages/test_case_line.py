"""The line for the case system: short, plain signs only, no name unless it was asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.case_line import MOST, Said, case_line
from dashboard.pages.roll_call import Called

pytestmark = pytest.mark.req("R45")
CALLED = Called(seen=4, not_shown=1, not_home=2, open=0, found=1, to_ask=("dev-1",))


def _said(**values: object) -> Said:
    fields: dict[str, object] = {
        "day": "14 January 2026",
        "household": "NM-2026-0001",
        "person": "",
        "called": CALLED,
        "open_findings": 2,
        "reporting": False,
        "outcome": "Advice given",
        "reference": "abcdef0123456789",
    }
    return Said(**(fields | values))  # type: ignore[arg-type]


def test_it_says_what_was_seen_in_one_line() -> None:
    assert case_line(_said()) == (
        "Home visit 14 January 2026, NM-2026-0001; devices: 4 seen, 1 not shown, 2 not at home; "
        "1 shown that the box did not know; 1 to ask about; open findings: 2; box not reporting; Advice given. Ref abcdef01"
    )


@given(st.text(max_size=500), st.text(max_size=500), st.text(max_size=500), st.integers(0, 10**9))
def test_it_never_grows_beyond_what_such_systems_take(household: str, person: str, outcome: str, number: int) -> None:
    line = case_line(_said(household=household, person=person, outcome=outcome, open_findings=number))
    assert len(line) <= MOST
    assert line.isascii()
    assert line.isprintable()
    assert line.endswith(". Ref abcdef01")
