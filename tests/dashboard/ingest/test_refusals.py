from __future__ import annotations

import pytest

from dashboard.ingest.opening import Refusal, refused
from dashboard.ingest.refusals import EVERY, MAX_KINDS, Refusals


def test_the_first_is_due_at_once_and_repetitions_once_a_minute() -> None:
    refusals = Refusals()
    refusals.note(refused("site-1", "the seal does not open"))
    assert [(line.count, line.subject) for line in refusals.due(0.0)] == [(1, "site-1: the seal does not open")]
    for _ in range(500):
        refusals.note(refused("site-1", "the seal does not open"))
    assert refusals.due(EVERY - 1) == []
    assert [line.subject for line in refusals.due(EVERY)] == ["site-1: the seal does not open (500 times)"]
    assert refusals.due(2 * EVERY) == []
    assert refusals.total == 501
    assert refusals._tallies == {}


@pytest.mark.parametrize("site", ["site-1", ""])
def test_a_subject_fits_its_column(site: str) -> None:
    refusals = Refusals()
    for _ in range(3):
        refusals.note(Refusal(action="message-refused", site=site, why="x" * 400))
    line = refusals.due(0.0)[0]
    assert len(line.subject) == 160
    assert line.subject.endswith(" (3 times)")


def test_kinds_are_bounded_and_the_rest_share_a_line() -> None:
    refusals = Refusals()
    for number in range(MAX_KINDS + 50):
        refusals.note(refused(f"site-{number}", "unknown site"))
    lines = refusals.due(0.0)
    assert len(lines) <= MAX_KINDS + 1
    assert lines[-1].subject == "no site: others (50 times)"
    assert sum(line.count for line in lines) == refusals.total == MAX_KINDS + 50
