from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.store import schema

pytestmark = pytest.mark.req("R66")


@pytest.fixture
def boss(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("boss", Role.SUPERVISOR)


def _send(client: FlaskClient, path: str, **data: Any) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert found is not None
    return client.post(path, data={"csrf_token": found[1], **data})


def _ids(seed: Any) -> dict[str, str]:
    return {row["name"]: row["account_id"] for row in seed.rows(schema.account)}


def test_an_account_is_made_with_a_code_for_its_first_sign_in(
    boss: FlaskClient, stranger: FlaskClient, seed: Any
) -> None:
    assert _send(boss, "/accounts", name="", role="officer").status_code == 422
    assert _send(boss, "/accounts", name="New", role="emperor").status_code == 422
    assert _send(boss, "/accounts", name="New \u202eOfficer", role="officer").status_code == 422
    made = _send(boss, "/accounts", name="  New Officer ", role="officer")
    code = re.search(r"<strong>([0-9A-Z-]{14})</strong>", made.text)
    assert code is not None
    name = next(name for name in _ids(seed) if name.startswith("New"))
    assert name == "New Officer"
    token = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get("/sign-in").text)
    assert token is not None
    assert stranger.post("/sign-in", data={"csrf_token": token[1], "name": name, "code": code[1]}).status_code == 303
    again = _send(boss, "/accounts", name=name, role="officer")
    assert again.status_code == 422
    assert f'value="{name}"' in again.text, "what was typed stays"


@pytest.mark.req("R39")
def test_a_household_that_is_nobodys_is_shown_and_given(boss: FlaskClient, sign_in_as: Any, seed: Any) -> None:
    one = sign_in_as("one")
    seed.site("site-1", charged=False)
    seed.site("site-2", charged=False)
    page = boss.get("/accounts").text
    assert "Nobody is in charge" in page
    assert "NM-site-1" in page
    mine = _ids(seed)["one"]
    assert _send(boss, "/accounts/give", account=mine, site=["site-1", "none"]).status_code == 303
    assert one.get("/households/site-1").status_code == 200
    assert one.get("/households/site-2").status_code == 404
    _send(boss, f"/accounts/{mine}/households/give", site=["site-2"])
    assert "Nobody is in charge" not in boss.get("/accounts").text
    _send(boss, f"/accounts/{mine}/households/take", site=["site-1", "site-2"])
    assert one.get("/households/site-2").status_code == 404
    assert _send(boss, f"/accounts/{_ids(seed)['boss']}/households/give", site=["site-1"]).status_code == 400
    acts = [row["action"] for row in seed.rows(schema.audit) if row["action"] in ("assign", "unassign")]
    assert acts == ["assign", "assign", "unassign", "unassign"]


@pytest.mark.req("R39")
def test_a_supervisor_lets_one_officer_stand_in_for_another_and_ends_it(
    boss: FlaskClient, sign_in_as: Any, seed: Any
) -> None:
    deputy = sign_in_as("deputy")
    sign_in_as("one")
    seed.site("site-1", charged=False)
    ids = _ids(seed)
    seed.charge(ids["one"], "site-1")
    data = {"account": ids["deputy"], "for": ids["one"]}
    assert _send(boss, "/accounts/cover", **data, until="x").status_code == 422
    assert _send(boss, "/accounts/cover", **data | {"for": ids["boss"]}, until="2026-01-20").status_code == 422
    assert _send(boss, "/accounts/cover", **data, until="2026-01-20").status_code == 303
    assert deputy.get("/households/site-1").status_code == 200
    assert "deputy stands in for one" in boss.get("/accounts").text
    assert _send(boss, f"/account/cover/{ids['deputy']}/{ids['one']}/end").location == "/accounts"
    assert deputy.get("/households/site-1").status_code == 404


def test_a_second_supervisor_agrees_to_a_third(boss: FlaskClient, sign_in_as: Any, seed: Any) -> None:
    second = sign_in_as("second", Role.SUPERVISOR)
    _send(boss, "/accounts", name="third", role="supervisor")
    third = _ids(seed)["third"]
    mine, theirs = boss.get("/accounts").text, second.get("/accounts").text
    found = re.search(r'action="(/accounts/roles/[0-9a-f]{32})/agree"', theirs)
    assert found is not None
    assert "/agree" not in mine
    _send(boss, f"{found[1]}/agree")
    assert "Auditor" in boss.get(f"/accounts/{third}").text
    assert _send(second, f"{found[1]}/agree").status_code == 303
    assert next(row["role"] for row in seed.rows(schema.account) if row["name"] == "third") == "supervisor"
    assert _send(second, f"{found[1]}/whatever").status_code == 404


def test_a_role_a_code_keys_sessions_and_an_end(boss: FlaskClient, sign_in_as: Any, seed: Any) -> None:
    one = sign_in_as("one")
    other = sign_in_as("other boss", Role.SUPERVISOR)
    ids = _ids(seed)
    at = f"/accounts/{ids['one']}"
    assert "one-time-code" in _send(boss, f"{at}/code").text
    assert _send(boss, f"/accounts/{ids['other boss']}/code").status_code == 422, "one would be two"
    assert one.get("/account").status_code == 200
    _send(boss, f"{at}/sessions/all/end")
    assert one.get("/account").status_code == 303
    assert _send(boss, f"{at}/role", role="x").status_code == 422
    assert _send(boss, f"{at}/role", role="auditor").status_code == 303
    assert _send(boss, f"/accounts/{ids['boss']}/role", role="officer").status_code == 422
    assert _send(boss, f"{at}/reset").status_code == 303
    assert _send(boss, f"/accounts/{ids['boss']}/close").status_code == 422
    assert _send(boss, f"{at}/close").status_code == 303
    assert boss.get(at).status_code == 404
    assert other.get("/accounts").status_code == 200
    acts = {row["action"] for row in seed.rows(schema.audit)}
    assert acts >= {"make-code", "end-sessions", "set-role", "reset-keys", "close-account", "view-account"}


@pytest.mark.parametrize("path", ["/accounts/none", "/accounts/..%2f", "/accounts/%00"])
def test_an_account_that_is_not_there(boss: FlaskClient, path: str) -> None:
    assert boss.get(path).status_code == 404
