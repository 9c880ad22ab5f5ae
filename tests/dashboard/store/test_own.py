from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.store import schema
from dashboard.store.own import close_own, is_own, raise_own
from wire.findings import Finding, FindingKind, Severity

KIND = FindingKind.BOX_SILENT


def _raise(engine: Engine, at: float, cause: str = "silence") -> str:
    with engine.begin() as connection:
        return raise_own(
            connection,
            site="site-1",
            kind=KIND,
            cause=cause,
            severity=Severity.TODAY,
            reasons=("Nothing was heard of the box.",),
            at=at,
        )


@pytest.mark.req("N15")
def test_a_cause_is_open_once_and_counts(engine: Engine, seed: Any) -> None:
    seed.site()
    first = _raise(engine, 100.0)
    assert _raise(engine, 160.0) == first
    (row,) = seed.rows(schema.finding)
    assert (row["count"], row["revision"], row["first_seen"], row["last_seen"]) == (2, 2, 100.0, 160.0)
    assert is_own(row["finding_id"])
    assert Finding.model_validate(row["payload"]).reasons == ("Nothing was heard of the box.",)
    other = _raise(engine, 170.0, cause="another")
    assert other != first


@pytest.mark.req("N15")
def test_what_was_closed_is_raised_anew_as_another(engine: Engine, seed: Any) -> None:
    seed.site()
    first = _raise(engine, 100.0)
    with engine.begin() as connection:
        assert close_own(connection, site="site-1", kind=KIND, cause="silence", because="It was heard.", at=200.0)
        assert not close_own(connection, site="site-1", kind=KIND, cause="silence", because="It was heard.", at=201.0)
    assert _raise(engine, 300.0) != first
    states = {row["finding_id"]: row["state"] for row in seed.rows(schema.finding)}
    assert states[first] == "closed"
    assert sorted(states.values()) == ["closed", "open"]
