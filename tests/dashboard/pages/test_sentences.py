"""Sentences about findings, devices and boxes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.pages import sentences
from wire.box import BoxStatus
from wire.findings import FURTHER_SIGNS, FindingKind
from wire.models import LooksLike

NOW = 1_800_000_000.0
WELL = BoxStatus(online=True, at=datetime.fromtimestamp(NOW, UTC), recording=True)


@pytest.mark.req("R52", "R63")
@pytest.mark.parametrize("kind", [*FindingKind, "a-kind-of-a-later-version"])
@pytest.mark.parametrize("standing", [None, "registered", "unknown", "household"])
@pytest.mark.parametrize("number", [1, 3])
def test_a_finding_speaks_of_devices_and_asserts_no_more(kind: str, standing: str | None, number: int) -> None:
    sentence = sentences.finding(kind, standing, number)
    why = sentences.why(kind, "4.2")
    for text in (sentence, why):
        assert "breach" not in text.lower()
        assert not {"he", "she", "his", "her", "offender"} & set(text.lower().split())
        assert "visitor has" not in text
    for text in (*sentences.innocent(kind), sentences.stays(kind)):
        assert not {"he", "she", "his", "her", "offender"} & set(text.lower().split())
    assert "clause 4.2" in why
    assert number == 1 or "3" in sentence


@pytest.mark.parametrize(
    ("label", "text", "said"),
    [
        ("Kitchen tablet", "a tablet", "Kitchen tablet"),
        (None, "a tablet", "Looks like: a tablet"),
        (None, " ", "Nothing known yet of device d-123"),
    ],
)
def test_a_device_is_called_by_label_then_looks_then_reference(label: str | None, text: str, said: str) -> None:
    looks = LooksLike(text=text, confidence=0.5, reasons=())
    assert sentences.device(label, looks, "d-123") == said


@pytest.mark.req("R19")
@pytest.mark.parametrize(
    ("heard", "said", "problem"),
    [
        (NOW - 10, WELL, ""),
        (None, None, "The box has never reported"),
        (NOW - 10, WELL.model_copy(update={"online": False}), "The box lost its connection"),
        (NOW - 181, WELL, "The box has stopped reporting"),
        (
            NOW - 10,
            WELL.model_copy(update={"recording": False, "authority": "It has expired."}),
            "The box reports, but records nothing about devices: It has expired.",
        ),
    ],
)
def test_what_is_wrong_with_a_box_is_said(heard: float | None, said: BoxStatus | None, problem: str) -> None:
    assert sentences.problem(heard, said, NOW) == problem


def test_what_no_version_knows_is_not_read() -> None:
    assert sentences.status({"online": "perhaps"}) is None
    assert sentences.payload({"kind": 1}) is None
    assert sentences.looks(None) is None


@pytest.mark.req("R17", "R52")
def test_every_kind_has_words_of_its_own_and_the_later_ones_an_innocent_explanation() -> None:
    said = {kind: sentences.finding(kind, None) for kind in FindingKind}
    assert len(set(said.values())) == len(said)
    assert not any(text.startswith("The box reported") for text in said.values())
    assert all(sentences.why(kind, "1") != "Reported under clause 1." for kind in FindingKind)
    later = set(FindingKind) - {FindingKind.UNREGISTERED_DEVICE, FindingKind.LISTED_NAME}
    assert all(sentences.innocent(kind) for kind in later)
    assert sentences.innocent("a-kind-of-a-later-version") == ()


@pytest.mark.req("N10", "R20")
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, ""),
        ({"day": "of later"}, ""),
        (
            {"day": "2026-11-21T00:00:00Z", "connections": 412, "named": 0.82},
            "The box could put a name to 82% of 412 connections on 21 November 2026",
        ),
        (
            {"day": "2026-11-21T00:00:00Z", "connections": 1, "named": 1.0, "octets_named": 0.5},
            "The box could put a name to 100% of 1 connection on 21 November 2026, and to 50% of what they carried",
        ),
        (
            {"day": "2026-11-21T00:00:00Z", "connections": 999, "named": 0.999, "octets_named": 0.29},
            "The box could put a name to 99% of 999 connections on 21 November 2026, and to 29% of what they carried",
        ),
        ({"day": "2026-11-21T00:00:00Z", "connections": 0, "named": 0}, "It made no connections on 21 November 2026"),
    ],
)
def test_how_much_could_be_named_is_said(value: dict[str, Any] | None, said: str) -> None:
    assert sentences.visibility(value) == said


def test_arrangements_of_a_later_version_are_not_read() -> None:
    assert sentences.arrangements({"revision": "of later"}) is None
    assert sentences.arrangements({"revision": 2}) is not None


@pytest.mark.req("R26", "R28")
def test_what_only_a_day_s_budget_joins_is_not_said_to_have_one_cause() -> None:
    cause = f"{FURTHER_SIGNS}2026-01-14"
    assert sentences.together(cause, "tunnel", 4) == "4 further signs of one day"
    assert sentences.others(cause) == "Other further signs of that day"
    assert sentences.together("dev-1", "tunnel", 4) == "4 signs, one cause"
    assert sentences.others("dev-1") == "Other findings of the same cause"
    assert sentences.together("dev-1", "tunnel", 1) == ""
