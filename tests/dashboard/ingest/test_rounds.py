from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.ingest.rounds import Rounds
from dashboard.store import schema

START = 1_900_000_000.0


@pytest.mark.req("N15", "N17")
def test_rounds_go_now_and_then_and_erase_every_hour(engine: Engine, seed: Any) -> None:
    seed.site(heard_at=START)
    seed.finding("old", state="closed", raised_at=START - 400 * 86400)
    expired: list[float] = []
    rounds = Rounds(tenant="northmoor", expire_backups=expired.append)

    def go(second: float, *, online: bool = True) -> None:
        with engine.begin() as connection:
            rounds.go(connection, online=online, now=START + second, moment=second)

    go(0)
    assert seed.rows(schema.finding) == []
    (watch,) = seed.rows(schema.watchman)
    go(1)
    assert seed.rows(schema.watchman) == [watch], "not due yet"
    seed.finding("old-2", state="closed", raised_at=START - 400 * 86400)
    for second in range(5, 200, 5):
        go(second)
    kinds = {row["finding_id"]: row["kind"] for row in seed.rows(schema.finding)}
    assert sorted(kinds.values()) == ["box-silent", "unregistered-device"], "erasing is due in an hour"
    assert expired == [START]
    go(3600 + 5)
    assert expired == [START, START + 3605]
    assert "old-2" not in {row["finding_id"] for row in seed.rows(schema.finding)}
