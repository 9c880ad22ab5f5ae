from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.law.reminders import due, later
from wire.findings import FindingKind, Grade, Severity

START = 1_900_000_000.0
DAY = 86400.0


def at(days: float) -> datetime:
    return datetime.fromtimestamp(START + days * DAY, UTC)


@pytest.fixture
def document(make_authority: Any) -> Any:
    def make(**changes: Any) -> Any:
        fields = {"not_before": at(0), "not_after": at(100), "review_date": at(99), "step_down_months": 24}
        return make_authority(**(fields | changes))

    return make


@pytest.mark.req("R54")
@pytest.mark.parametrize(
    ("day", "subject", "grade"),
    [
        (71.9, None, None),
        (72.1, "authority-1 28 days", Grade.MEDIUM),
        (93.1, "authority-1 7 days", Grade.MEDIUM),
        (99.1, "authority-1 1 days", Grade.HIGH),
        (100.0, "authority-1 ended", Grade.HIGH),
    ],
)
def test_the_end_is_told_four_weeks_a_week_and_a_day_before(
    document: Any, day: float, subject: str | None, grade: Grade | None
) -> None:
    found = [
        each for each in due(document(), START + day * DAY, first=START) if each.kind is FindingKind.AUTHORITY_ENDING
    ]
    assert [(each.subject, each.grade) for each in found] == ([] if subject is None else [(subject, grade)])


@pytest.mark.req("R54")
def test_a_short_authority_is_not_told_as_ending_when_it_begins(document: Any) -> None:
    short = document(not_after=at(10), review_date=at(9))
    assert not due(short, START + 1, first=START)
    assert [each.subject for each in due(short, START + 8.9 * DAY, first=START)] == []
    assert [each.subject for each in due(short, START + 9.05 * DAY, first=START)] == [
        "authority-1 1 days",
        "review",
    ]


@pytest.mark.req("R60")
def test_a_consent_is_to_be_confirmed(document: Any) -> None:
    consent = {"id": "adult-1", "role": "adult", "kind": "consent", "given_at": at(0), "confirm_by": at(40)}
    told = document(consents=(consent,))
    assert not due(told, START + 11 * DAY, first=START)
    (soon,) = due(told, START + 13 * DAY, first=START)
    assert (soon.kind, soon.subject, soon.grade) == (FindingKind.REVIEW_DUE, "consent adult-1", Grade.MEDIUM)
    over = [each for each in due(told, START + 41 * DAY, first=START) if each.kind is FindingKind.REVIEW_DUE]
    assert [each.grade for each in over] == [Grade.HIGH]


@pytest.mark.req("R62", "N18")
def test_reviews_by_date_by_cadence_and_firm_after_two_years(document: Any) -> None:
    long = document(not_after=at(2000), review_date=at(1999), step_down_months=None)
    subjects = {day: [each.subject for each in due(long, START + day * DAY, first=START)] for day in (180, 190, 740)}
    assert subjects == {180: [], 190: ["step down"], 740: ["two years"]}
    # A new version begins the cadence anew, not the two years.
    varied = document(number=2, not_before=at(700), not_after=at(2000), review_date=at(1999), step_down_months=None)
    assert [each.subject for each in due(varied, START + 740 * DAY, first=START)] == ["two years"]


def test_months_are_those_of_the_calendar() -> None:
    end_of_august = datetime(2030, 8, 31, 9, tzinfo=UTC).timestamp()
    assert datetime.fromtimestamp(later(end_of_august, 6), UTC) == datetime(2031, 2, 28, 9, tzinfo=UTC)
    assert datetime.fromtimestamp(later(end_of_august, 24), UTC) == datetime(2032, 8, 31, 9, tzinfo=UTC)


@pytest.mark.req("R54", "R62")
def test_each_is_told_once_and_ends_with_another_document(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed(not_after=at(4), review_date=at(3.9)))
    bench.online()
    told = []
    for _ in range(8):
        told += bench.law(bench.wait(DAY / 2))
    endings = [each for each in told if each.kind is FindingKind.AUTHORITY_ENDING and each.state == "open"]
    first = {each.finding_id: each.severity for each in endings if each.revision == 1}
    assert list(first.values()) == [Severity.TODAY, Severity.TODAY], "a day before, and at the end"
    assert bench.core._judgement.scope is None
    told = bench.law(bench.document(signed(number=2, not_after=at(400), review_date=at(300))))
    told += bench.law(bench.wait(61))
    assert {(each.kind, each.state) for each in told} >= {
        (FindingKind.AUTHORITY_ENDING, "closed"),
        (FindingKind.REVIEW_DUE, "closed"),
        (FindingKind.AUTHORITY_CHANGED, "open"),
    }
