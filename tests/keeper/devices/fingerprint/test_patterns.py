"""Patterns that could be made slow, or carry a name off, are told from those that could not."""

from __future__ import annotations

import pytest

from appliance.keeper.devices.fingerprint.patterns import fault


@pytest.mark.parametrize("pattern", ["(a+)+", "(?:a|b)*c", "(?:ab+){2}", "((a*)b){1,3}", "(?:a|aa)+$"])
def test_repeats_of_repeats_are_refused(pattern: str) -> None:
    assert "very long" in (fault(pattern, person_may_choose=False) or "")


@pytest.mark.parametrize(
    "pattern", [r"^a(?:\d{1,3},){0,6}b", r"[^)]+\)", r"\(x\)+", "a?b?c?d?", "[]+*]{2}x", "(?i)^(?:a|b)-?c"]
)
def test_bounded_and_plain_repeats_are_not(pattern: str) -> None:
    assert fault(pattern, person_may_choose=False) is None


@pytest.mark.req("N2", "R56")
@pytest.mark.parametrize(
    ("pattern", "refused"),
    [
        (r"(?P<model>DCS-\d{3,4}[A-Z]{0,3})", False),
        (r"(?P<model>pixel-?[2-9]a?(?:-pro)?)", False),
        (r"(?P<model>x[a-z]{0,2})", False),
        (r"(?P<model>x[a-z]{0,9})", True),
        (r"(?P<model>[A-Z]{1,12})", True),
        (r"(?P<model>.)", True),
        (r"(?P<model>\S)", True),
        (r"(?P<model>[^-]{1,3})", True),
        (r"(?P<model>\d*)", True),
        (r"(?P<model>(?:[A-Z]\d*))", True),
        (r"^[a-z]+-(?P<model>X1)", False),
    ],
)
def test_a_capture_from_a_name_is_a_closed_pattern(pattern: str, refused: bool) -> None:
    assert (fault(pattern, person_may_choose=True) is not None) is refused
    assert fault(pattern, person_may_choose=False) is None
