from __future__ import annotations

from typing import Any

from dashboard import auth
from dashboard.access import Role
from dashboard.store import installs, relays, schema


def test_the_latest_request_of_an_installation_is_the_one_that_waits(seed: Any) -> None:
    by = auth.add_account(seed.engine, name="officer", role=Role.OFFICER, now=0.0)
    with seed.engine.begin() as connection:
        installs.start(
            connection, "install-1", tenant="northmoor", kind="install", reference="R", site=None, by=by, now=1.0
        )
        assert relays.relay_of(connection, "install-1") is None
        relays.ask(connection, "install-1", "one", by=by, now=2.0)
        connection.execute(schema.relay.update().values(state="done", answer="sealed", answered_at=3.0))
        held = relays.relay_of(connection, "install-1")
        assert held is not None
        assert (held.state, held.answer) == ("done", "sealed")
        relays.ask(connection, "install-1", "two", by=by, now=4.0)
        held = relays.relay_of(connection, "install-1")
    assert held == relays.Relay(state="waiting", says="", answer=None, asked_at=4.0, answered_at=None)
    assert [row["request"] for row in seed.rows(schema.relay)] == ["two"]
