"""How the last release stands on one box, in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.pages import box_update
from dashboard.store.ordering import MOST_TRIES, LastOrder
from dashboard.store.releases import StoredRelease

NOW = 1_800_000_000.0


def _release(**values: Any) -> StoredRelease:
    whole: dict[str, Any] = {
        "release_id": "ab" * 16,
        "board": "pi4",
        "version": "2026.11.1",
        "number": 1,
        "security": False,
        "expires": NOW + 60,
        "added_at": NOW,
        "state": "going",
        "started_at": NOW,
        "started_by": "a",
        "changed_at": NOW,
        "reason": "",
        "pardoned": 0,
        "statement": "",
        "rings": (),
    }
    return StoredRelease(**(whole | values))


def _last(**values: Any) -> LastOrder:
    whole: dict[str, Any] = {"became": "failed", "tries": 1, "open": False, "unanswered": False, "fits": True}
    return LastOrder(release=values.pop("release", _release()), **(whole | values))


@pytest.mark.req("R4")
def test_a_sentence_says_how_it_stands_and_why_it_cannot_be_ordered_again() -> None:
    assert box_update.line(None, NOW) == "No release was ordered for this box yet."
    assert box_update.line(_last(), NOW) == "Version 2026.11.1: Did not take it."
    assert box_update.line(_last(became="has"), NOW).endswith(": Has it.")
    assert "not answered yet" in box_update.line(_last(open=True, tries=2), NOW)
    assert "expired: enter a newer one" in box_update.line(_last(release=_release(expires=NOW)), NOW)
    assert f"{MOST_TRIES} times, which is all" in box_update.line(_last(tries=MOST_TRIES), NOW)
