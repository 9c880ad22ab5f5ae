from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.pages import evidence
from dashboard.store.queries import StoredFinding
from wire.findings import Finding, FindingKind, Grade, ListHit, Rule, Severity

AT = datetime(2026, 1, 14, 21, 4, 9, tzinfo=UTC)
ROW = StoredFinding(
    finding_id="find-1",
    kind="listed-name",
    severity="today",
    device_id="dev-1",
    cause=None,
    state="open",
    first_seen=AT.timestamp(),
    last_seen=AT.timestamp(),
    raised_at=AT.timestamp(),
    stored_at=AT.timestamp(),
    count=1,
    payload={},
)


def _finding(hit: dict[str, Any] | None = None, **values: Any) -> Finding:
    made = None
    if hit is not None:
        whole = {"name": "a.example", "how": "exact", "list_id": "l-1", "list_version": "7"}
        made = ListHit.model_validate(whole | {"list_sha256": "ab" * 32, "entry": "a.example"} | hit)
    return Finding(
        finding_id="find-1",
        revision=1,
        kind=FindingKind.LISTED_NAME,
        severity=Severity.TODAY,
        device_id="dev-1",
        state="open",
        first_seen=AT,
        last_seen=AT,
        raised_at=AT,
        count=1,
        rule=Rule(id="listed-name", version="3", authority_id="order-7", authority_number=2, clause="4.2"),
        confidence=0.9,
        alternatives=(),
        hit=made,
        **{"reasons": (), **values},
    )


@pytest.mark.req("R29")
def test_rule_list_clause_and_records_are_all_there() -> None:
    whole = _finding(
        {"owner": "Publisher", "source": "https://l.example/x", "category": "shops"},
        grade=Grade.HIGH,
        signals=2,
        records=("r-2", "r-1"),
        cause="dev-1/x",
    )
    facts = {fact.key: fact.value for fact in evidence.facts(ROW, whole, UTC)}
    assert facts["Rule"] == "listed-name"
    assert facts["Version of the list"] == "7"
    assert facts["Fingerprint of the list"] == "ab" * 32
    assert facts["Who answers for the list"] == "Publisher"
    assert facts["Where the list is from"] == "https[:]//l[.]example/x"
    assert facts["Authority"] == "order-7, issue 2"
    assert facts["Clause"] == "4.2"
    assert facts["Records of the box"] == "r-2, r-1"
    assert facts["Strength of the sign"] == "A strong sign"
    assert facts["Independent signals"] == "2"
    assert facts["Reference of the device"] == "dev-1"
    assert {fact.key: fact.value for fact in evidence.matched(whole)}["Category"] == "shops"


def test_what_cannot_be_read_still_has_its_references() -> None:
    assert [fact.key for fact in evidence.facts(ROW, None, UTC)] == [
        "Raised by the box",
        "Received here",
        "Reference of the finding",
        "Reference of the device",
    ]
    assert evidence.matched(None) == evidence.matched(_finding()) == ()


@pytest.mark.req("N16")
@pytest.mark.parametrize("name", [None, "kept.example"])
def test_of_a_confidential_list_no_name_is_shown(name: str | None) -> None:
    keyed = "keyed:" + "0a" * 16
    whole = _finding({"name": name, "entry": keyed, "asked": "asked.example", "shown": "shown.example"})
    said = [fact.value for fact in (*evidence.matched(whole), *evidence.facts(ROW, whole, UTC))]
    assert keyed in said
    assert not any("example" in text for text in said)


@pytest.mark.req("R24", "R42")
def test_the_name_asked_for_what_it_led_to_and_its_letters() -> None:
    whole = _finding({"asked": "b.example", "shown": "\u00e4.example"})
    assert [(fact.key, fact.value) for fact in evidence.matched(whole)] == [
        ("Name asked for", "b[.]example"),
        ("The answer led to", "a[.]example"),
        ("In letters", "\u00e4[.]example"),
        ("On the list", "l-1"),
    ]


@pytest.mark.req("R42")
def test_a_name_in_the_box_s_words_is_no_link_either() -> None:
    said = (
        "The device was sent on to cdn.a.example when it asked where to find www.b.example.",
        "The entry that covers it is a.example.",
        "Clause 4.2 puts this list in force for this device.",
    )
    hit = {"name": "cdn.a.example", "asked": "www.b.example", "entry": "a.example"}
    assert evidence.reasons(_finding(hit, reasons=said)) == (
        "The device was sent on to cdn[.]a[.]example when it asked where to find www[.]b[.]example.",
        "The entry that covers it is a[.]example.",
        said[2],
    )
    assert evidence.reasons(_finding(None, reasons=said)) == said
    assert evidence.reasons(None) == ()
