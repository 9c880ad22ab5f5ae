from __future__ import annotations

import re

import pytest

from dashboard.pages.kinds import Answer, Kind
from dashboard.pages.kinds_box import BOX
from wire.findings import FindingKind


@pytest.mark.req("R19")
@pytest.mark.parametrize("words_of", list(BOX.values()), ids=list(BOX))
def test_what_befell_the_box_is_said_of_no_one(words_of: Kind) -> None:
    assert re.match(r"The box|The home|A network|Settings|The clock|A list|A new version|The monthly", words_of.one)
    whole = f"{words_of.one} {words_of.many}".lower()
    assert not re.search(r"tamper|sabotage|someone|deliberate|person|attack|manipul", whole)
    assert words_of.innocent


@pytest.mark.req("R31", "R33")
def test_what_only_time_mends_is_not_asked_of_officers() -> None:
    waiting = {kind for kind, words_of in BOX.items() if words_of.answer is Answer.WAIT}
    assert waiting == {FindingKind.LIST_STALE, FindingKind.LIST_REFUSED, FindingKind.TEST_MISSED}
