from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select

from dashboard import auth, tokens
from dashboard.access import May, Role
from dashboard.accounts import managing, sessions
from dashboard.store import schema

pytestmark = pytest.mark.req("R66")


@pytest.fixture
def add(engine: Engine) -> Callable[..., str]:
    def make(name: str, role: Role = Role.OFFICER) -> str:
        return auth.add_account(engine, name=name, role=role, now=0.0)

    return make


def _role(seed: Any, account_id: str) -> str:
    return next(str(row["role"]) for row in seed.rows(schema.account) if row["account_id"] == account_id)


def test_a_supervisor_is_made_by_two(engine: Engine, seed: Any, add: Callable[..., str], clock: Any) -> None:
    one, two = add("one", Role.SUPERVISOR), add("two", Role.SUPERVISOR)
    new = managing.make(engine, name="new", role=Role.SUPERVISOR, by=one, now=clock.at)
    assert _role(seed, new) == "auditor"
    with engine.begin() as connection:
        (waiting,) = managing.role_requests(connection, clock.at)
        assert (waiting.account_id, waiting.role, waiting.by_name) == (new, "supervisor", "one")
        answer = {"request_id": waiting.request_id, "agree": True, "now": clock.at}
        assert not managing.answer_role(connection, by=one, **answer), "not by who asked"
        assert not managing.answer_role(connection, by=new, **answer), "not by who gets it"
        token = sessions.open_session(connection, new, clock.at)
        assert managing.answer_role(connection, by=two, **answer)
        assert not managing.answer_role(connection, by=two, **answer)
        assert sessions.signed_in(connection, token=token, now=clock.at) is None, "it signs in anew with the new role"
    assert _role(seed, new) == "supervisor"
    acts = [(row["action"], row["outcome"]) for row in seed.rows(schema.audit) if "role" in row["action"]]
    assert acts == [
        ("ask-for-role", "asked"),
        ("answer-role", "not taken"),
        ("answer-role", "not taken"),
        ("answer-role", "agreed"),
        ("set-role", "done"),
        ("answer-role", "not taken"),
    ]


def test_a_role_that_waits_runs_out_or_is_refused(
    engine: Engine, seed: Any, add: Callable[..., str], clock: Any
) -> None:
    one, new = add("one", Role.SUPERVISOR), add("new")
    with engine.begin() as connection:
        given: dict[str, Any] = {"account_id": new, "role": Role.SUPERVISOR, "by": one}
        assert not managing.set_role(connection, now=clock.at, **given)
        assert not managing.set_role(connection, now=clock.at, **given), "asked twice is asked once"
        (waiting,) = managing.role_requests(connection, clock.at)
        assert managing.answer_role(connection, request_id=waiting.request_id, agree=False, by=one, now=clock.at)
        assert managing.role_requests(connection, clock.at) == ()
        managing.set_role(connection, now=clock.at, **given)
        assert managing.role_requests(connection, clock.at + managing.REQUEST_SECONDS) == ()
    assert _role(seed, new) == "officer"


def test_another_role_ends_sessions_and_what_was_given(
    engine: Engine, seed: Any, add: Callable[..., str], clock: Any
) -> None:
    boss, one = add("boss", Role.SUPERVISOR), add("one")
    seed.site()
    auth.make_code(engine, name="one", now=clock.at, lifetime=60)
    with engine.begin() as connection:
        token = sessions.open_session(connection, one, clock.at)
        (row,) = managing.accounts(connection, clock.at, account_id=one)
        assert (row.households, row.passkeys, row.authenticator, row.linked) == (1, 0, False, False)
        assert managing.set_role(connection, account_id=one, role=Role.AUDITOR, by=boss, now=clock.at)
        assert sessions.signed_in(connection, token=token, now=clock.at) is None
        (row,) = managing.accounts(connection, clock.at + 1, account_id=one)
        assert (row.role, row.households) == ("auditor", 0)
        # A code for the old role is not the way into the new one, and an installer's households are not an officer's.
        assert connection.execute(select(schema.account.c.code_hash).filter_by(name="one")).scalar_one() is None
        with pytest.raises(ValueError, match="their own"):
            managing.set_role(connection, account_id=boss, role=Role.OFFICER, by=boss, now=clock.at)
        with pytest.raises(ValueError, match="no such account"):
            managing.set_role(connection, account_id="none", role=Role.OFFICER, by=boss, now=clock.at)


def test_roles_that_wait_are_bounded(
    engine: Engine, add: Callable[..., str], clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(managing, "MOST_REQUESTS", 1)
    boss, one, two = add("boss", Role.SUPERVISOR), add("one"), add("two")
    with engine.begin() as connection:
        managing.ask_for_role(connection, account_id=one, role=Role.SUPERVISOR, by=boss, now=clock.at)
        with pytest.raises(ValueError, match="too many"):
            managing.ask_for_role(connection, account_id=two, role=Role.SUPERVISOR, by=boss, now=clock.at)


def test_whose_keys_are_taken_away_has_none_and_is_signed_out(
    engine: Engine, seed: Any, add: Callable[..., str], clock: Any
) -> None:
    one = add("one")
    with engine.begin() as connection:
        token = sessions.open_session(connection, one, clock.at)
        connection.execute(
            schema.passkey.insert().values(
                credential_id="k", account_id=one, public_key="k", sign_count=0, name="k", made_at=0.0
            )
        )
        who = sessions.signed_in(connection, token=token, now=clock.at)
    assert who is not None
    program = tokens.make(engine, by=who, name="t", rights={May.SEE}, days=1, now=clock.at, service=None)
    auth.make_code(engine, name="one", now=clock.at, lifetime=60)
    with engine.begin() as connection:
        assert tokens.holder_of(connection, token=program, now=clock.at) is not None
        managing.reset_keys(connection, account_id=one, by=None, now=clock.at)
        assert sessions.signed_in(connection, token=token, now=clock.at) is None
        assert tokens.holder_of(connection, token=program, now=clock.at) is None
        assert connection.execute(schema.account.select()).one().code_hash is None
        assert not managing.is_linked(connection, one)
    assert seed.rows(schema.passkey) == []
