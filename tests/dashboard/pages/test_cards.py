from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from dashboard.pages import cards
from dashboard.pages.desk import Desk, desk
from dashboard.store import queries
from dashboard.store.engine import reading
from dashboard.store.queries import StoredFinding


@pytest.fixture
def at_desk(app: Flask) -> Iterator[Desk]:
    with app.app_context():
        yield desk()


@pytest.fixture
def row(seed: Any) -> StoredFinding:
    seed.site()
    seed.finding(kind="tunnel", grade="low", signals=2, reasons=["It looks like a tunnel.", "More."], cause="one")
    with reading(seed.engine).connect() as connection:
        found = queries.finding_of(connection, "site-1", "find-1")
    assert found is not None
    return found


@pytest.mark.req("R18", "S5")
def test_a_sign_has_a_headline_a_grade_and_what_agrees(at_desk: Desk, row: StoredFinding) -> None:
    card = cards.finding_card(at_desk, "site-1", row, None)
    assert (card.headline, card.grade, card.agree) == (
        "It looks like a tunnel.",
        "A weak sign",
        "2 independent signals agree",
    )
    plain = replace(row, payload={key: row.payload[key] for key in row.payload if key not in {"grade", "signals"}})
    card = cards.finding_card(at_desk, "site-1", plain, None)
    assert (card.headline, card.grade, card.agree) == ("", "", "")


def test_a_payload_of_a_later_version_is_still_a_card(at_desk: Desk, row: StoredFinding) -> None:
    card = cards.finding_card(at_desk, "site-1", replace(row, kind="of-later", payload={"kind": "of-later"}), None)
    assert (card.sentence, card.sure, card.grade) == ("The box reported: of-later", "Not said", "")


@pytest.mark.req("R26")
def test_findings_are_grouped_where_they_name_a_cause(at_desk: Desk, row: StoredFinding) -> None:
    rows = [
        replace(row, finding_id=f"find-{number}", cause=cause)
        for number, cause in enumerate(("one", None, "two", "one", None))
    ]
    further = "further-signs-2026-01-14"
    rows += [replace(row, finding_id=f"more-{number}", cause=further) for number in range(2)]
    rows += [replace(row, finding_id=f"name-{number}", cause="dev-1-list", kind="listed-name") for number in range(2)]
    groups = cards.finding_groups(at_desk, "site-1", rows, {}, {})
    assert [(group.together, [card.anchor for card in group.cards]) for group in groups] == [
        ("2 signs, one cause", ["finding-find-0", "finding-find-3"]),
        ("", ["finding-find-1"]),
        ("", ["finding-find-2"]),
        ("", ["finding-find-4"]),
        ("2 further signs of one day", ["finding-more-0", "finding-more-1"]),
        ("2 names on one list", ["finding-name-0", "finding-name-1"]),
    ]


@pytest.mark.req("R19")
def test_a_finding_of_no_device_is_of_the_box(at_desk: Desk, row: StoredFinding) -> None:
    about_box = replace(row, device_id=None)
    assert cards.finding_card(at_desk, "site-1", about_box, None).device.startswith("The box itself")
    line = cards.finding_line(at_desk, "site-1", about_box, None)
    assert (line.state, line.severity.text, line.address) == ("Open", "Today", "/households/site-1/findings/find-1")
