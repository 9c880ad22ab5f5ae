from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.store import schema

pytestmark = pytest.mark.req("R66")
PHRASE = "heather gravel lantern"


def _csrf(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert found is not None
    return found[1]


def test_one_sees_where_one_is_signed_in_and_ends_the_others(
    officer: FlaskClient, engine: Engine, clock: Any, seed: Any, app: Any
) -> None:
    (account,) = [row["account_id"] for row in seed.rows(schema.account)]
    with engine.begin() as connection:
        token = auth._open_session(connection, account, clock.at, client="Firefox on Linux", origin="192.0.2.7")
    other = app.test_client()
    with other.session_transaction() as session:
        session["token"] = token
    assert other.get("/account").status_code == 200
    page = officer.get("/account").text
    assert "Firefox on Linux, <bdi>192.0.2.7</bdi>" in page
    assert page.count("(this one)") == 1
    one = re.search(r'action="/account/sessions/([0-9a-f]{24})/end"', page)
    assert one is not None
    assert officer.post(f"/account/sessions/{one[1]}/end", data={"csrf_token": _csrf(officer)}).status_code == 303
    assert other.get("/account").status_code == 303
    officer.post("/account/sessions/others/end", data={"csrf_token": _csrf(officer)})
    assert officer.get("/account").status_code == 200
    lines = [row["subject"].split()[0] for row in seed.rows(schema.audit) if row["action"] == "end-sessions"]
    assert lines == ["1", "0"]


def test_an_authenticator_app_is_set_up_and_signs_in(
    officer: FlaskClient, stranger: FlaskClient, clock: Any, seed: Any
) -> None:
    page = officer.get("/account/authenticator").text
    secret = re.search(r'gh-mono">([A-Z2-7 ]+)<', page)
    assert secret is not None
    assert "<svg" in page
    key = secret[1].replace(" ", "")
    data = {"csrf_token": _csrf(officer), "phrase": "short", "code": "1"}
    short = officer.post("/account/authenticator", data=data)
    assert short.status_code == 422
    assert secret[1] in short.text, "the app has this one already"
    wrong = officer.post("/account/authenticator", data=data | {"phrase": PHRASE})
    assert wrong.status_code == 422
    assert secret[1] in wrong.text
    assert PHRASE not in wrong.text
    code = pyotp.TOTP(key).at(int(clock.at))
    done = officer.post("/account/authenticator", data=data | {"phrase": PHRASE, "code": code})
    assert done.status_code == 200
    recovery = re.findall(r"<li>([0-9a-f-]{23})</li>", done.text)
    assert len(recovery) == 8
    assert "Recovery codes left: 8" in officer.get("/account").text
    clock.at += 60
    form = stranger.get("/sign-in/authenticator?next=/account").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)
    assert token is not None
    typed = {"csrf_token": token[1], "name": "officer-1", "phrase": PHRASE, "next": "/account"}
    assert stranger.post("/sign-in/authenticator", data=typed | {"code": "000000"}).status_code == 422
    answer = stranger.post("/sign-in/authenticator", data=typed | {"code": pyotp.TOTP(key).at(int(clock.at))})
    assert (answer.status_code, answer.location) == (303, "/account")
    assert "with an authenticator app" in stranger.get("/account").text
    officer.post("/account/authenticator/remove", data={"csrf_token": _csrf(officer)})
    assert seed.rows(schema.authenticator) == []
    assert seed.rows(schema.recovery_code) == []


@pytest.mark.req("R39")
def test_an_officer_lets_another_stand_in_and_both_see_it(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], seed: Any, clock: Any
) -> None:
    deputy = sign_in_as("Deputy & Co")
    seed.site(charged=False)
    ids = {row["name"]: row["account_id"] for row in seed.rows(schema.account)}
    seed.charge(ids["officer-1"], "site-1")
    assert deputy.get("/households/site-1").status_code == 404
    data = {"csrf_token": _csrf(officer), "account": ids["Deputy & Co"]}
    assert officer.post("/account/cover", data=data | {"until": "soon"}).status_code == 422
    assert officer.post("/account/cover", data=data | {"until": "2020-01-01"}).status_code == 422
    assert officer.post("/account/cover", data=data | {"until": "2026-01-20"}).status_code == 303
    assert deputy.get("/households/site-1").status_code == 200
    for client in (officer, deputy):
        assert "Deputy & Co stands in for officer-1" in html.unescape(client.get("/account").text)
    clock.at += 7 * 86400
    late = sign_in_as("late")
    assert late.get("/account").status_code == 200
    end = f"/account/cover/{ids['Deputy & Co']}/{ids['officer-1']}/end"
    assert late.post(end, data={"csrf_token": _csrf(late)}).status_code == 404, "it is not theirs to end"


def test_without_an_address_of_the_service_there_are_no_passkeys(officer: FlaskClient) -> None:
    assert "passkey" not in officer.get("/account").text.lower().replace("passkey or an", "")
    token = _csrf(officer)
    for path in ("/account/passkeys/begin", "/account/passkeys", "/again/passkey/begin", "/again/passkey"):
        assert officer.post(path, data={"csrf_token": token}).status_code == 404


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_an_account_page(sign_in_as: Callable[..., FlaskClient], role: Role) -> None:
    page = sign_in_as("somebody", role).get("/account")
    assert page.status_code == 200
    assert ("Who stands in for you" in page.text) is False, "there is no other officer"


def test_who_could_not_be_linked_is_told_so(officer: FlaskClient) -> None:
    assert "linked with another account here" in officer.get("/account?wrong=linked").text
    assert "linked with another account here" not in officer.get("/account").text
