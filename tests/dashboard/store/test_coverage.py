from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.store import coverage, schema
from dashboard.store.coverage import StoredGap
from wire.box import Gap, GapCause

pytestmark = pytest.mark.req("N4")


def _gap(started: float, ended: float | None = None, cause: GapCause = GapCause.KEEPER_AWAY) -> Gap:
    ends = None if ended is None else datetime.fromtimestamp(ended, UTC)
    return Gap(started=datetime.fromtimestamp(started, UTC), ended=ends, cause=cause)


def test_gaps_are_kept_beyond_those_of_the_latest_status(seed: Any, engine: Engine) -> None:
    seed.site()
    for told in ([_gap(100, 200), _gap(300)], [_gap(300, 350), _gap(400)], [_gap(400)]):
        with engine.begin() as connection:
            coverage.keep_gaps(connection, "site-1", told)
    with engine.begin() as connection:
        rows = coverage.gaps_between(connection, "site-1", 0, 1000)
        assert [(row.started, row.ended) for row in rows] == [(400, None), (300, 350), (100, 200)]
        assert [row.started for row in coverage.gaps_between(connection, "site-1", 199, 310)] == [300, 100]
        assert coverage.gaps_between(connection, "site-2", 0, 1000) == ()


def test_the_gaps_of_a_household_are_bounded(seed: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "MOST_GAPS", 3)
    seed.site()
    for number in range(1, 7):
        with engine.begin() as connection:
            coverage.keep_gaps(connection, "site-1", [_gap(number * 100, number * 100 + 10)])
    assert sorted(row["started"] for row in seed.rows(schema.gap)) == [400, 500, 600]


def test_overlapping_gaps_count_once() -> None:
    rows = [
        StoredGap(started=10, ended=20, cause="a"),
        StoredGap(started=15, ended=30, cause="b"),
        StoredGap(started=90, ended=None, cause="c"),
        StoredGap(started=50, ended=50, cause="d"),
    ]
    assert coverage.blind(rows, 0, 100) == ((10, 30), (90, 100))
    assert coverage.share_seen(rows, 0, 100) == pytest.approx(0.7)
    assert coverage.share_seen(rows, 5, 5) == 1.0
