"""What became of an order that changes the box: what is said, and of which order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.pages import change_words
from wire.box import BoxStatus, Change

AT = datetime(2026, 1, 14, 21, 4, tzinfo=UTC)


def _change(**values: Any) -> Change:
    whole = {"about": "order-1", "action": "set-network", "outcome": "refused", "at": AT, "detail": "Not here."}
    return Change.model_validate(whole | values)


def test_a_change_is_that_of_its_order_and_action() -> None:
    wiped = _change(about="removal-1", action="wipe-box")
    said = BoxStatus(online=True, at=AT, changes=(_change(), wiped))
    assert change_words.change(said, "set-network", "order-1") == _change()
    assert change_words.change(said, "wipe-box", "removal-1") == wiped
    assert change_words.change(said, "wipe-box", "order-1") is None
    assert change_words.change(said, "set-network", None) is None
    assert change_words.change(BoxStatus(online=True, at=AT), "set-network", "order-1") is None
    assert change_words.change(None, "set-network", "order-1") is None


@pytest.mark.req("R57")
def test_what_did_not_work_comes_with_the_boxs_words_and_what_to_do() -> None:
    refused, failed = change_words.network(_change()), change_words.network(_change(outcome="failed", detail=""))
    assert "did not take" in refused
    assert "The box says: Not here." in refused
    assert "as it was before" in refused
    assert "could not make" in failed
    assert "It does not say why." in failed
    assert "once more" in failed
    assert "come back by themselves" in change_words.network(_change(outcome="under-way"))
    assert change_words.network(_change(outcome="done")) == change_words.network(None) == ""


@pytest.mark.req("R6")
def test_a_box_that_is_emptying_itself_is_not_said_to_fail() -> None:
    for outcome in ("under-way", "done"):
        assert change_words.wipe(_change(action="wipe-box", outcome=outcome)) == ""
    assert change_words.wipe(None) == ""
    assert "does not try again" in change_words.wipe(_change(action="wipe-box"))
    hostile = change_words.wipe(_change(action="wipe-box", outcome="failed", detail="a\u202eb"))
    assert "tries again by itself" in hostile
    assert "[U+202E]" in hostile


def test_who_looks_after_boxes_reads_outcomes_without_details() -> None:
    said = BoxStatus(online=True, at=AT, changes=(_change(), _change(action="wipe-box", outcome="done")))
    assert change_words.lines(said) == (
        ("Last change of the Wi-Fi", "The box refused it", AT.timestamp()),
        ("Emptying the box", "Done", AT.timestamp()),
    )
    assert change_words.lines(BoxStatus(online=True, at=AT)) == ()
