from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.store.arrangements import arrangements_of, names_of
from dashboard.store.engine import reading


def test_what_is_arranged_is_read_and_who_arranged_it_named(seed: Any, engine: Engine, clock: Any) -> None:
    seed.site()
    seed.arrangements(quieted=[])
    account = auth.add_account(engine, name="officer-1", role=Role.OFFICER, now=0.0)
    with reading(engine).connect() as connection:
        found = arrangements_of(connection, "site-1")
        assert names_of(connection, [account, account, "gone"]) == {account: "officer-1"}
        assert arrangements_of(connection, "site-2") is None
    assert found is not None
    assert (found.revision, found.payload, found.stored_at) == (1, {"revision": 1, "quieted": []}, clock.at - 20)
