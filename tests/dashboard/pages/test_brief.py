from __future__ import annotations

import json
from typing import Any

import pytest

from dashboard.demo.story import status
from dashboard.pages import brief, sentences

NOW = 1_768_424_649.0


def test_what_is_read_briefly_is_what_the_whole_says() -> None:
    said = status(NOW).model_dump(mode="json", exclude_none=True)
    whole, short, lists = sentences.status(said), brief.status(said), brief.lists(json.dumps(said))
    assert whole is not None
    assert short is not None
    assert lists is not None
    assert whole.lists
    assert whole.test is not None
    assert lists.test is not None
    assert (short.online, short.recording, short.authority) == (whole.online, whole.recording, whole.authority)
    names = ("list_id", "title", "version", "published", "stale", "malformed", "unsupported", "problem")
    assert [[getattr(one, name) for name in names] for one in lists.lists or ()] == [
        [getattr(one, name) for name in names] for one in whole.lists
    ]
    assert (lists.test.due, lists.test.passed_at) == (whole.test.due, whole.test.passed_at)


@pytest.mark.parametrize("value", [None, {}, {"online": "perhaps"}, {"recording": True}])
def test_what_has_another_form_is_none(value: dict[str, Any] | None) -> None:
    assert brief.status(value) is None


@pytest.mark.parametrize("text", [None, "null", "", "{", '{"lists": [{"list_id": 1}]}', "[" * 100_000])
def test_lists_of_another_form_are_none(text: str | None) -> None:
    assert brief.lists(text) is None


def test_a_box_without_lists_has_said_so() -> None:
    assert brief.lists('{"online": true}') == brief.BriefLists()
