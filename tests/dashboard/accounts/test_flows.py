from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.accounts import flows
from dashboard.store import schema


def test_what_was_begun_is_taken_once(engine: Engine, clock: Any) -> None:
    with engine.begin() as connection:
        token = flows.begin(connection, kind="a", account_id=None, data={"x": 1}, now=clock.at)
        take = {"kind": "a", "account_id": None, "now": clock.at}
        assert flows.take(connection, token=token + "x", **take) is None
        assert flows.take(connection, token=None, **take) is None
        assert flows.take(connection, token=token, **take) == {"x": 1}
        assert flows.take(connection, token=token, **take) is None


@pytest.mark.parametrize(
    "wrong", [{"kind": "b"}, {"account_id": "acc-1"}, {"now": flows.LIFETIME + 10.0}], ids=["kind", "account", "late"]
)
def test_another_kind_or_account_or_a_late_one_gets_nothing_and_it_is_gone(
    engine: Engine, wrong: dict[str, Any]
) -> None:
    with engine.begin() as connection:
        token = flows.begin(connection, kind="a", account_id=None, data={}, now=10.0)
        take: dict[str, Any] = {"kind": "a", "account_id": None, "now": 10.0}
        assert flows.take(connection, token=token, **(take | wrong)) is None
        assert flows.take(connection, token=token, **take) is None


def test_strangers_make_it_no_longer_than_it_may_be(engine: Engine, seed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "MOST_FLOWS", 3)
    monkeypatch.setattr(flows, "pushed_out", flows.Count())
    with engine.begin() as connection:
        for number in range(5):
            flows.begin(connection, kind="a", account_id=None, data={"n": number}, now=10.0 + number)
    assert sorted(row["data"]["n"] for row in seed.rows(schema.flow)) == [2, 3, 4]
    assert flows.pushed_out.overflow == 2
    with engine.begin() as connection:
        flows.begin(connection, kind="a", account_id=None, data={"n": 5}, now=10.0 + flows.LIFETIME + 10)
    assert [row["data"]["n"] for row in seed.rows(schema.flow)] == [5], "what is over goes by itself"
