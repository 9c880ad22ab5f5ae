from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from dashboard import commands
from dashboard.auth import Role, SignedIn, add_account
from dashboard.commands import AlreadySent, Typed
from dashboard.store import schema
from wire.base import Standing
from wire.orders import SetStanding

FIELDS = st.dictionaries(
    st.sampled_from(["token", "standing", "label", "days", "reason"]),
    st.one_of(st.text(max_size=600), st.sampled_from([*Standing, "0" * 32, "7"])),
)


@given(FIELDS)
def test_whatever_is_typed_is_a_decision_that_the_wire_takes_or_named_faults(form: dict[str, str]) -> None:
    decision, errors = commands.check(commands.typed(form))
    assert (decision is None) == bool(errors)
    if decision is not None:
        SetStanding(device_id="dev-1", standing=decision.standing, label=decision.label)
        assert decision.reason
    assert all(field in {"standing", "label", "days", "reason"} for field, _ in errors)


def test_a_token_of_someone_else_is_not_taken(engine: Engine, seed: Any, clock: Any) -> None:
    seed.site()
    seed.device()
    fields = Typed(token=commands.new_token(), standing="work", label="", days="", reason="Seen")
    decision, _ = commands.check(fields)
    assert decision is not None
    people = [
        SignedIn(
            account_id=add_account(engine, name=name, role=Role.OFFICER, now=0.0),
            name=name,
            role=Role.OFFICER,
            token_hash="",
            expires_at=0.0,
        )
        for name in ("a", "b")
    ]
    where = {"tenant": "northmoor", "site": "site-1", "device_id": "dev-1", "now": clock.at, "lifetime": 60.0}
    commands.ask(engine, decision, by=people[0], **where)
    with pytest.raises(AlreadySent):
        commands.ask(engine, decision, by=people[1], **where)
    assert len(seed.rows(schema.command)) == 1
    acts = [row["action"] for row in seed.rows(schema.audit)]
    assert acts.count("register-device") == 1, "the refused one left no line: it was one transaction"
