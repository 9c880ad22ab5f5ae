from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import Engine
from werkzeug.exceptions import Forbidden

from dashboard.auth import Role, SignedIn, add_account
from dashboard.commands import AlreadySent, Decision, new_token
from dashboard.pages import asking
from dashboard.pages.desk import desk
from dashboard.store import queries
from dashboard.store.engine import reading
from wire.orders import RunProbe


@pytest.fixture
def someone(engine: Engine) -> Callable[[Role], SignedIn]:
    def make(role: Role) -> SignedIn:
        account_id = add_account(engine, name=role.value, role=role, now=0.0)
        return SignedIn(account_id=account_id, name=role.value, role=role, token_hash="", expires_at=0.0)

    return make


def _decision(token: str, kind: str = "sweep") -> Decision:
    order = RunProbe.model_validate({"kind": kind})
    return Decision(token=token, order=lambda _: order, reason="", device_id=None)


def test_a_decision_leads_to_its_own_page_and_stands_in_the_list(
    app: Flask, engine: Engine, someone: Callable[[Role], SignedIn], seed: Any
) -> None:
    seed.site()
    token = new_token()
    with app.test_request_context():
        g.who = someone(Role.OFFICER)
        for _ in range(2):
            answer = asking.send(_decision(token), "site-1")
            assert getattr(answer, "location", "") == f"/commands/{token}?wait=1"
        with pytest.raises(AlreadySent):
            asking.send(_decision(token, "dhcp"), "site-1")
        with reading(engine).connect() as connection:
            (row,) = asking.asked_rows(desk(), queries.commands_about(connection, "site-1"))
    assert row.text == "Look round: which devices are there: Waiting to be sent to the box"
    assert (row.by, row.address) == ("officer", f"/commands/{token}")


def test_who_may_only_look_is_turned_away(app: Flask, someone: Callable[[Role], SignedIn]) -> None:
    with app.test_request_context():
        g.who = someone(Role.AUDITOR)
        with pytest.raises(Forbidden):
            asking.officer()
