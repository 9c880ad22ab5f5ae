"""What a home asks for becomes a row that an officer answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.ingest import requests
from dashboard.store import schema
from wire.base import Payload
from wire.codec import Envelope, Opened, topic_for
from wire.household import HouseholdRequest, Notice
from wire.models import type_of

pytestmark = pytest.mark.req("N12")
AT = datetime(2026, 1, 14, tzinfo=UTC)


def _take(engine: Engine, payload: Payload) -> None:
    opened = Opened(
        topic=topic_for(payload, tenant="northmoor", site="site-1"),
        envelope=Envelope(
            id="e-1", source="urn:gatehouse:northmoor:site-1", type=type_of(payload).ce_type, sequence="1", time=AT
        ),
        payload=payload,
        digest="0" * 64,
    )
    take = requests.take_notice if isinstance(payload, Notice) else requests.take_request
    with engine.begin() as connection:
        assert list(take(connection, opened, 100.0)) == []


def _asked(number: int = 1, kind: str = "complaint") -> HouseholdRequest:
    return HouseholdRequest.model_validate({"request_id": f"r-{number}", "kind": kind, "text": "Too slow", "at": AT})


def test_a_request_waits_and_a_repetition_changes_nothing(engine: Engine, seed: Any) -> None:
    seed.site()
    _take(engine, _asked())
    _take(engine, _asked())
    _take(engine, _asked(2, "notice-read"))
    rows = {row["request_id"]: row for row in seed.rows(schema.request)}
    assert {name: row["state"] for name, row in rows.items()} == {"r-1": "open", "r-2": "answered"}
    assert (rows["r-1"]["text"], rows["r-1"]["proved"]) == ("Too slow", False)


def test_a_home_that_asks_without_end_is_bounded_and_said_once_a_day(
    engine: Engine, seed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed.site()
    monkeypatch.setattr(requests, "MOST_OPEN", 3)
    for number in range(9):
        _take(engine, _asked(number))
    assert len(seed.rows(schema.request)) == 3
    assert [row["action"] for row in seed.rows(schema.audit)] == ["requests-over"]


def test_notices_are_kept_as_shown_and_bounded(engine: Engine, seed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seed.site()
    monkeypatch.setattr(requests, "MOST_NOTICES", 2)
    for number in range(4):
        at = datetime(2026, 1, 14 + number, tzinfo=UTC)
        _take(engine, Notice(sha256=f"{number}" * 64, lines=("This home has a box.",), at=at))
    assert [row["sha256"][0] for row in seed.rows(schema.notice)] == ["2", "3"]
