from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.accounts import linking
from dashboard.accounts.oidc import Claimed
from dashboard.settings import Operator
from dashboard.store import schema

pytestmark = pytest.mark.req("R66")


def _settings(**values: Any) -> Operator:
    given = {"name": "N", "issuer": "https://id.example.org", "client_id": "g", "client_secret_file": Path("secret")}
    return Operator.model_validate(given | values)


def _person(subject: str = "person-1", name: str = "Person One", roles: tuple[str, ...] = ()) -> Claimed:
    return Claimed(issuer="https://id.example.org", subject=subject, name=name, roles=roles, auth_time=None)


def test_who_is_linked_has_their_account_and_nobody_else_any(engine: Engine, seed: Any) -> None:
    one = auth.add_account(engine, name="one", role=Role.OFFICER, now=0.0)
    two = auth.add_account(engine, name="two", role=Role.OFFICER, now=0.0)
    assert linking.account_of(engine, _person(), _settings(), 1.0) is None
    with engine.begin() as connection:
        assert linking.link(connection, _person(), account_id=one, now=1.0)
        assert not linking.link(connection, _person(), account_id=two, now=1.0)
        assert linking.holder(connection, _person()) == one
        assert linking.holder(connection, _person("person-2")) is None
    assert linking.account_of(engine, _person(), _settings(), 1.0) == one
    assert linking.account_of(engine, _person("person-2", "one"), _settings(), 1.0) is None, "a name links nothing"
    assert [row["action"] for row in seed.rows(schema.audit)].count("link-account") == 1
    auth.close_account(engine, name="one", now=2.0)
    assert linking.account_of(engine, _person(), _settings(), 3.0) is None


def test_a_claim_makes_an_account_only_where_settings_say_so(engine: Engine, seed: Any) -> None:
    mapped = {"role_claim": "groups", "roles": {"unit-7": "officer", "audit": "auditor"}}
    person = _person(roles=("unit-7", "other"))
    assert linking.account_of(engine, person, _settings(**mapped), 1.0) is None
    making = _settings(**mapped, make_accounts=True)
    assert linking.account_of(engine, _person(roles=()), making, 1.0) is None
    assert linking.account_of(engine, _person(roles=("unit-7", "audit")), making, 1.0) is None, "which of the two?"
    made = linking.account_of(engine, person, making, 1.0)
    assert made is not None
    assert linking.account_of(engine, person, making, 2.0) == made
    assert [(row["name"], row["role"]) for row in seed.rows(schema.account)] == [("Person One", "officer")]
    assert linking.account_of(engine, _person("person-2", roles=("unit-7",)), making, 3.0) is None, "the name is taken"
    assert linking.account_of(engine, _person(roles=("audit",)), making, 4.0) is None, "who lost the claim is out"


def test_nobody_becomes_a_supervisor_by_a_claim() -> None:
    with pytest.raises(ValueError, match="officer"):
        _settings(role_claim="groups", roles={"boss": "supervisor"})
