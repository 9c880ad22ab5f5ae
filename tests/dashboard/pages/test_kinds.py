from __future__ import annotations

import string
from collections.abc import Mapping

import pytest

from dashboard.pages import kinds, kinds_box, kinds_signs
from dashboard.pages.kinds import Answer, Kind
from wire.findings import FindingKind

TABLES: tuple[Mapping[FindingKind, Kind], ...] = (kinds.DEVICES, kinds_signs.SIGNS, kinds_box.BOX)


def test_each_kind_is_in_one_table() -> None:
    named = [kind for table in TABLES for kind in table]
    assert sorted(named) == sorted(FindingKind)


@pytest.mark.parametrize("words_of", [words_of for table in TABLES for words_of in table.values()])
def test_the_words_have_the_gaps_that_are_filled(words_of: Kind) -> None:
    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert gaps(words_of.one) <= {"who", "whom"}
    assert gaps(words_of.many) == {"n"}
    assert gaps(words_of.why) == {"under"}
    assert not any(gaps(text) for text in words_of.innocent)
    assert not words_of.one.endswith(".")
    assert words_of.why.endswith(".")


def test_what_is_about_whose_a_device_is_is_answered_by_saying_so() -> None:
    answers = {kind: words_of.answer for kind, words_of in kinds.DEVICES.items()}
    assert answers[FindingKind.LISTED_NAME] is Answer.QUIET
    assert answers[FindingKind.UNREGISTERED_DEVICE] is Answer.REGISTER
    assert Answer.WAIT not in answers.values()
