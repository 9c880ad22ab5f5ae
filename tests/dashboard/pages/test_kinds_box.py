from __future__ import annotations

import re

import pytest

from dashboard.pages.kinds import Answer
from dashboard.pages.kinds_box import BOX
from wire.findings import FindingKind

LAW = {
    FindingKind.AUTHORITY_CHANGED,
    FindingKind.AUTHORITY_ENDING,
    FindingKind.BREAK_GLASS,
    FindingKind.LEDGER_CONFLICT,
    FindingKind.REVIEW_DUE,
}
"""About what officers, documents and records did; nothing befell the box."""


@pytest.mark.req("R19")
@pytest.mark.parametrize("kind", sorted(set(BOX) - LAW))
def test_what_befell_the_box_is_said_of_no_one(kind: FindingKind) -> None:
    words_of = BOX[kind]
    begins = r"The (box|home|clock|storage|monthly)|A network|Settings|A list|A new version|Nothing has|Far more new"
    assert re.match(begins, words_of.one)
    whole = f"{words_of.one} {words_of.many}".lower()
    assert not re.search(r"tamper|sabotage|someone|deliberate|person|attack|manipul", whole)
    assert words_of.innocent


@pytest.mark.req("R31", "R33")
def test_what_only_time_mends_is_not_asked_of_officers() -> None:
    waiting = {kind for kind, words_of in BOX.items() if words_of.answer is Answer.WAIT}
    lists = {FindingKind.LIST_STALE, FindingKind.LIST_REFUSED, FindingKind.TEST_MISSED}
    box = {FindingKind.BOX_SILENT, FindingKind.STORAGE_FULL, FindingKind.TIME_UNAUTHENTICATED}
    assert waiting == lists | box | LAW
