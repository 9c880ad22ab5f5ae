from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.store import saved, schema


def test_an_account_keeps_its_own_and_at_most_so_many(engine: Engine) -> None:
    mine, other = (auth.add_account(engine, name=name, role=Role.OFFICER, now=0.0) for name in ("one", "two"))
    with engine.begin() as connection:
        for number in range(saved.MOST_SAVED):
            saved.keep(connection, mine, f"n-{number:02d}", "due=1", 1.0)
        with pytest.raises(saved.FullError):
            saved.keep(connection, mine, "one more", "due=1", 1.0)
        saved.keep(connection, mine, "n-00", "silent=1", 2.0)
        saved.keep(connection, other, "theirs", "", 1.0)
        assert saved.saved(connection, mine)[0] == ("n-00", "silent=1")
        assert len(saved.saved(connection, mine)) == saved.MOST_SAVED
        assert not saved.forget(connection, mine, "theirs")
        assert saved.forget(connection, mine, "n-00")
        assert saved.saved(connection, other) == (("theirs", ""),)


def test_they_go_with_their_account(engine: Engine, seed: Any) -> None:
    for name in ("one", "two"):
        account = auth.add_account(engine, name=name, role=Role.OFFICER, now=0.0)
        with engine.begin() as connection:
            saved.keep(connection, account, "Urgent", "severity=today", 1.0)
    auth.close_account(engine, name="one", now=2.0)
    assert [row["account_id"] for row in seed.rows(schema.saved_search)] == [account]
