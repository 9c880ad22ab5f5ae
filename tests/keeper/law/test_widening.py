from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.law.widening import MOST, widened
from wire.authority import (
    BlockClause,
    CollectClause,
    DataClass,
    ListsClause,
    NearbyClause,
    QuarantineClause,
    RegisterClause,
    UnmaskClause,
)
from wire.base import Standing

START = 1_900_000_000.0
EVERYBODY = CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,))
HITS = CollectClause(number="2", standings=(Standing.REGISTERED,), classes=(DataClass.LIST_HITS,))


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


def unmask(hours: int, *classes: Any) -> UnmaskClause:
    return UnmaskClause(number="9", standings=(Standing.GUEST,), classes=classes, most_hours=hours)


@pytest.mark.req("N2")
@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({}, {}, ""),
        ({}, {"number": 7, "reference": "EX-0002", "responsible_officer": "another"}, ""),
        ({}, {"not_after": at(86401)}, "ends later"),
        ({}, {"not_after": at(86399)}, ""),
        ({}, {"not_before": at(-3601)}, "starts earlier"),
        ({}, {"review_date": at(43201)}, "reviewed later"),
        ({}, {"step_down_months": 12}, "less often"),
        ({}, {"step_down_months": 3}, ""),
        ({}, {"kind": "licence_condition"}, "another kind"),
        ({}, {"purpose": "prevent"}, "another purpose"),
        ({"withdrawn_at": at(60)}, {}, "ends later"),
        ({"pauses": ({"starts": at(1), "ends": at(9)},)}, {}, "pause"),
        ({"pauses": ({"starts": at(1), "ends": at(9)},)}, {"pauses": ({"starts": at(0), "ends": at(9)},)}, ""),
        (
            {"consents": ({"id": "a", "role": "adult", "kind": "consent", "given_at": at(-9)},)},
            {},
            "not asked for",
        ),
        ({}, {"clauses": (EVERYBODY, HITS)}, "on a list in force"),
        ({"clauses": (EVERYBODY, HITS)}, {"clauses": (EVERYBODY,)}, ""),
        (
            {"clauses": (EVERYBODY, HITS, ListsClause(number="3", standings=(Standing.REGISTERED,), lists=("a",)))},
            {"clauses": (EVERYBODY, HITS, ListsClause(number="3", standings=(Standing.REGISTERED,), lists=("a", "b")))},
            "list b",
        ),
        ({}, {"clauses": (EVERYBODY, QuarantineClause(number="5", standings=(Standing.UNKNOWN,)))}, "kept from"),
        (
            {},
            {"clauses": (EVERYBODY, BlockClause(number="5", standings=(Standing.REGISTERED,), lists=("a",)))},
            "not opened",
        ),
        ({}, {"clauses": (EVERYBODY, RegisterClause(number="5"))}, "registered"),
        ({}, {"clauses": (EVERYBODY, NearbyClause(number="5"))}, "near"),
        ({}, {"clauses": (EVERYBODY, unmask(1, DataClass.PRESENCE))}, "mask"),
        (
            {"clauses": (EVERYBODY, unmask(1, DataClass.PRESENCE))},
            {"clauses": (EVERYBODY, unmask(2, DataClass.PRESENCE))},
            "longer",
        ),
        (
            {"clauses": (EVERYBODY, unmask(2, DataClass.PRESENCE))},
            {"clauses": (EVERYBODY, unmask(1, DataClass.PRESENCE, DataClass.FULL_NAMES))},
            "mask",
        ),
        (
            {"retention": ({"data_class": "presence", "days": 30},)},
            {"retention": ({"data_class": "presence", "days": 31},)},
            "kept for longer",
        ),
        (
            {"retention": ({"data_class": "presence", "days": 30},)},
            {"retention": ({"data_class": "presence", "days": 29},)},
            "",
        ),
    ],
)
def test_what_a_document_allows_more(
    make_authority: Any, before: dict[str, Any], after: dict[str, Any], says: str
) -> None:
    plain = {"clauses": (EVERYBODY,)}
    found = widened(make_authority(**(plain | before)), make_authority(**(plain | after)))
    assert bool(found) is bool(says), found
    assert says in " ".join(found)


@pytest.mark.req("N2")
def test_the_first_document_allows_more_than_none(make_authority: Any) -> None:
    assert widened(None, make_authority()) == ("There was no authority before.",)


def test_clauses_written_otherwise_are_no_more(make_authority: Any) -> None:
    split = tuple(
        CollectClause(number=str(number), standings=(standing,), classes=(DataClass.PRESENCE,))
        for number, standing in enumerate(Standing)
    )
    assert widened(make_authority(clauses=(EVERYBODY,)), make_authority(clauses=split)) == ()


def test_what_is_said_is_bounded(make_authority: Any) -> None:
    everything = CollectClause(number="1", standings=tuple(Standing), classes=tuple(DataClass))
    found = widened(make_authority(clauses=(EVERYBODY,)), make_authority(clauses=(everything,)))
    assert len(found) == MOST
    assert found[-1] == "It allows more besides."
