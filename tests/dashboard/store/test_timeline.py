from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.store import timeline


def test_what_touches_the_time_is_read(seed: Any, engine: Engine) -> None:
    seed.site()
    seed.stay("s-1", started=100.0, ended=200.0)
    seed.stay("s-2", started=150.0)
    seed.stay("s-3", started=150.0, device_id="dev-2")
    seed.finding("f-1", raised_at=180.0)
    with engine.begin() as connection:
        spans = timeline.stays_between(connection, "site-1", 190, 300)
        assert [row.device_id for row in spans] == ["dev-1", "dev-2", "dev-1"]
        assert len(timeline.stays_between(connection, "site-1", 200, 300, ["dev-1"])) == 1
        assert timeline.stays_between(connection, "site-1", 0, 100) == ()
        assert [row.finding_id for row in timeline.findings_between(connection, "site-1", 180, 300)] == ["f-1"]
        assert timeline.findings_between(connection, "site-1", 181, 300) == ()


def test_reads_are_bounded(seed: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST_STAYS", 2)
    monkeypatch.setattr(timeline, "MOST_FINDINGS", 1)
    seed.site()
    for number in range(4):
        seed.stay(f"s-{number}", started=100.0 + number)
        seed.finding(f"f-{number}", raised_at=100.0 + number)
    with engine.begin() as connection:
        assert [row.started for row in timeline.stays_between(connection, "site-1", 0, 1e9)] == [103.0, 102.0]
        assert [row.finding_id for row in timeline.findings_between(connection, "site-1", 0, 1e9)] == ["f-3"]
