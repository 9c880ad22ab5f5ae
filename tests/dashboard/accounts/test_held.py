from __future__ import annotations

import os
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.accounts import held
from dashboard.accounts.sealing import Sealer, sealer
from dashboard.store import schema

pytestmark = pytest.mark.req("S2")


@pytest.fixture
def seal() -> Sealer:
    return sealer(os.urandom(32), "held")


@pytest.fixture
def mine(engine: Engine) -> str:
    return auth.add_account(engine, name="one", role=Role.OFFICER, now=0.0)


def _keep(engine: Engine, seal: Sealer, account_id: str, at: float, **values: Any) -> str | None:
    given: dict[str, Any] = {"target": "/x?y=1", "fields": [("reason", "Seen <b>")], "files": False} | values
    with engine.begin() as connection:
        return held.keep(connection, seal, account_id=account_id, now=at, **given)


def test_it_comes_back_to_its_account_alone_and_not_for_ever(
    engine: Engine, seal: Sealer, mine: str, seed: Any
) -> None:
    other = auth.add_account(engine, name="two", role=Role.SUPERVISOR, now=0.0)
    fields = [("reason", "Seen <b>"), ("csrf_token", "t"), ("code", "1"), ("phrase", "p"), ("token", "k"), ("a", "")]
    held_id = _keep(engine, seal, mine, 10.0, fields=fields, files=True)
    assert held_id is not None
    assert "Seen" not in str(seed.rows(schema.held_form))
    with engine.begin() as connection:
        found = held.held(connection, seal, account_id=mine, held_id=held_id, now=20.0)
        assert found is not None
        assert found.fields == (("reason", "Seen <b>"), ("token", "k"), ("a", ""))
        assert (found.target, found.files, found.at) == ("/x?y=1", True, 10.0)
        assert held.held(connection, seal, account_id=other, held_id=held_id, now=20.0) is None
        late = 10.0 + held.KEPT_SECONDS
        assert held.held(connection, seal, account_id=mine, held_id=held_id, now=late) is None
        another = sealer(os.urandom(32), "held")
        assert held.held(connection, another, account_id=mine, held_id=held_id, now=20.0) is None
        assert not held.drop(connection, account_id=other, held_id=held_id)
        assert held.drop(connection, account_id=mine, held_id=held_id)
        assert held.held(connection, seal, account_id=mine, held_id=held_id, now=20.0) is None


def test_an_account_keeps_few_and_none_that_is_big(engine: Engine, seal: Sealer, mine: str, seed: Any) -> None:
    kept = [_keep(engine, seal, mine, 10.0 + number) for number in range(held.MOST_HELD + 2)]
    assert {row["held_id"] for row in seed.rows(schema.held_form)} == set(kept[2:])
    assert _keep(engine, seal, mine, 99.0, fields=[("text", "x" * held.MOST_OCTETS)]) is None
    _keep(engine, seal, mine, 99.0 + held.KEPT_SECONDS)
    assert len(seed.rows(schema.held_form)) == 1, "old ones go by themselves"
