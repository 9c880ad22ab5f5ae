"""The questions of a visit and what does not match: neutral, versioned, bounded."""

from __future__ import annotations

import pytest

from dashboard.pages import screening
from dashboard.pages.screening import Saw

pytestmark = pytest.mark.req("S1")
NOTHING = Saw(own=0, others=0, new=0, unknown=0, quiet=0, behind=0)


def _saw(**values: int) -> Saw:
    return Saw(**(NOTHING.as_dict() | values))


@pytest.mark.parametrize(
    ("answers", "saw", "said"),
    [
        ({"own": "2"}, _saw(own=3), "Said: 2 devices. The box has 3 registered as the person's own."),
        ({"others": "0"}, _saw(others=1), "The box has 1 registered as somebody else's at home."),
        ({"changed": "no"}, _saw(new=1), "The box first saw 1 device since the last visit."),
        ({"way": "home"}, _saw(quiet=2), "2 registered devices were quieter than usual."),
        ({"way": "home"}, _saw(behind=1), "signs of a device behind another one"),
        ({"shared": "no"}, _saw(unknown=1), "Nobody has said whose 1 device is."),
    ],
)
def test_a_difference_is_a_question_with_room_for_an_ordinary_reason(
    answers: dict[str, str], saw: Saw, said: str
) -> None:
    found = screening.differences(answers, saw)
    assert len(found) == 1
    assert said in found[0]
    assert not {"lied", "hid", "breach", "offender", "evad"} & set(found[0].lower().split())


def test_what_matches_or_was_not_asked_is_no_difference() -> None:
    assert screening.differences({}, _saw(own=3, others=2, new=1, unknown=1, quiet=1, behind=1)) == ()
    assert screening.differences({"own": "3", "way": "mobile", "changed": "yes"}, _saw(own=3, new=2, quiet=1)) == ()


def test_an_old_answer_is_shown_with_the_question_that_was_asked() -> None:
    shown = dict(screening.shown(1, {"skill": "work", "own": "2"}))
    assert shown["How well do you know your way around devices?"] == "Has worked with computers"
    assert shown["How many devices do you use that can go online?"] == "2"
    assert shown["Does anyone else use your devices?"] == "Not asked"
    assert screening.shown(99, {"own": "2"}) == ()


def test_what_is_typed_is_checked_by_its_kind() -> None:
    form = {"answer-own": "99", "answer-others": "100", "answer-skill": "expert", "answer-accounts": "a\u202eb"}
    answers, errors = screening.read(1, form)
    assert answers["own"] == "99"
    assert [field for field, _text in errors] == ["answer-others", "answer-accounts", "answer-skill"]


def test_keys_of_a_set_are_never_used_twice() -> None:
    for questions in screening.SETS.values():
        keys = [question.key for question in questions]
        assert len(set(keys)) == len(keys)
        assert all(question.choices or question.kind != "choice" for question in questions)
