"""Questions to ask at a visit: of each kind once, open, without a claim."""

from __future__ import annotations

import pytest

from dashboard.pages import suggested
from wire.findings import FindingKind

pytestmark = pytest.mark.req("R44", "R58", "R75")


def test_what_is_open_is_asked_about_once_and_what_is_always_asked_comes_last() -> None:
    found = suggested.questions(["tunnel", "tor", "silent-device", "of-a-later-version"])
    assert len(found) == 2 + len(suggested.GENERAL)
    assert "protect its connection" in found[0]
    assert found[-1].startswith("Is there anything")


def test_there_are_never_more_than_fit() -> None:
    assert len(suggested.questions(kind.value for kind in FindingKind)) == suggested.MOST
    assert suggested.questions(()) == suggested.GENERAL


def test_no_question_teaches_or_claims_or_sets_anybody_to_watch() -> None:
    for kind in FindingKind:
        for text in suggested.questions([kind.value]):
            assert "?" in text or text.endswith(".")
            low = text.lower()
            for word in ("vpn", "tor ", "mac address", "bypass", "watch him", "report on", "breach", "hide"):
                assert word not in low, (kind, word)
