"""When a box may be told of a release once more. How it is ordered through the page: `pages/test_software.py`."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.store import ordering
from dashboard.store.ordering import MOST_TRIES, LastOrder
from dashboard.store.releases import StoredRelease

NOW = 1_800_000_000.0


def _last(*, state: str = "going", expires: float = NOW + 60, **values: Any) -> LastOrder:
    release = StoredRelease(
        release_id="ab" * 16,
        board="pi4",
        version="2026.11.1",
        number=1,
        security=False,
        expires=expires,
        added_at=NOW,
        state=state,
        started_at=NOW,
        started_by="a",
        changed_at=NOW,
        reason="",
        pardoned=0,
        statement="",
        rings=(),
    )
    whole: dict[str, Any] = {"became": "rolled_back", "tries": 1, "open": False, "unanswered": False, "fits": True}
    return LastOrder(release=release, **(whole | values))


@pytest.mark.req("R4")
@pytest.mark.parametrize(
    ("values", "may"),
    [
        ({}, True),
        ({"became": "failed"}, True),
        ({"became": "refused"}, True),
        ({"state": "halted"}, True),
        ({"state": "halted", "became": "under_way", "unanswered": True}, True),
        ({"state": "halted", "became": "silent", "unanswered": True}, True),
        ({"became": "under_way", "unanswered": True}, False),
        ({"became": "under_way"}, False),
        ({"became": "silent"}, False),
        ({"became": "has"}, False),
        ({"state": "halted", "became": "has", "unanswered": True}, False),
        ({"state": "entered"}, False),
        ({"open": True}, False),
        ({"fits": False}, False),
        ({"tries": MOST_TRIES}, False),
        ({"expires": NOW}, False),
    ],
)
def test_only_what_went_wrong_and_is_still_to_be_had_may_be_ordered_again(values: dict[str, Any], may: bool) -> None:
    assert _last(**values).may_again(NOW) is may


@pytest.mark.req("R4")
def test_a_box_that_was_told_of_nothing_is_not_told_again(seed: Any, engine: Engine) -> None:
    seed.site("box-1", charged=False)
    with engine.begin() as connection:
        assert ordering.last(connection, "northmoor", "box-1", now=NOW) is None
        assert ordering.last(connection, "northmoor", "nowhere", now=NOW) is None
        assert not ordering.again(connection, "northmoor", "box-1", "ab" * 16, reason="x", by="a", now=NOW)
