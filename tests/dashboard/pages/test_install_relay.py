from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import update

from dashboard.settings import DashboardSettings
from dashboard.store import schema
from wire.keys import public_text


@pytest.fixture
def settings(make_settings: Callable[..., DashboardSettings], issuer: Ed25519PrivateKey) -> DashboardSettings:
    return make_settings(authority_issuers=[public_text(issuer)])


def _answered(fitting: Any, state: str, *, says: str = "", answer: str | None = None) -> None:
    with fitting.seed.engine.begin() as connection:
        connection.execute(
            update(schema.relay).values(state=state, says=says, answer=answer, answered_at=fitting.clock.at)
        )


@pytest.mark.req("R3", "R5")
def test_a_telephone_carries_what_the_box_asks_and_what_it_is_answered(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    at = f"{fitting.install}/relay"
    assert at in officer.get(f"{fitting.install}/connect").text
    assert "Select the file" in fitting.post(officer, at, at).text
    assert "not what a box asks" in fitting.post(officer, at, at, pasted="hello").text
    other = json.loads(fitting.request()) | {"csr": "another"}
    assert "not what a box asks" in fitting.post(officer, at, at, pasted=json.dumps(other)).text
    assert "of another box" in fitting.post(officer, at, at, pasted=fitting.request("box-9")).text
    assert fitting.seed.rows(schema.relay) == []
    raw = fitting.request()
    page = officer.get(at).text
    sent = officer.post(
        at,
        data={"csrf_token": _token(page), "token": secrets.token_hex(16), "file": (io.BytesIO(raw.encode()), "r.txt")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303
    (row,) = fitting.seed.rows(schema.relay)
    assert (row["request"], row["state"]) == (raw, "waiting")
    page = officer.get(at).text
    assert "Working on it" in page
    assert 'http-equiv="refresh"' in page, "without a script the page looks again by itself"
    assert officer.get(f"{at}/answer.txt").status_code == 404
    _answered(fitting, "refused", says="the box was revoked")
    assert "The request was refused: the box was revoked." in officer.get(at).text
    assert fitting.post(officer, at, at, pasted=raw).status_code == 303
    _answered(fitting, "done", answer="c2VhbGVk")
    assert f"{at}/answer.txt" in officer.get(f"{at}?part=live").text
    answer = officer.get(f"{at}/answer.txt")
    assert answer.data == b"c2VhbGVk\n"
    assert "attachment" in answer.headers["Content-Disposition"]
    page = f"{fitting.install}/connect"
    assert "Your telephone has what the box needs" in officer.get(page).text
    assert fitting.post(officer, page, page, upstream="yes").status_code == 303


@pytest.mark.req("R3", "R5")
def test_a_home_without_internet_is_pending_and_never_done(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    at = fitting.install
    assert fitting.order(officer).status_code == 303
    assert fitting.hand_in(officer).status_code == 303
    assert fitting.tell(officer).status_code == 303
    people = f"{at}/people"
    assert fitting.post(officer, people, f"{people}/all", everybody="yes").status_code == 303
    assert fitting.post(officer, f"{at}/never", f"{at}/never", there="none").status_code == 303
    assert fitting.post(officer, f"{at}/relay", f"{at}/relay", pasted=fitting.request()).status_code == 303
    _answered(fitting, "done", answer="c2VhbGVk")
    assert fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes").status_code == 303
    test, sign = f"{at}/test", f"{at}/sign"
    assert fitting.post(officer, test, test, wifi="yes").status_code == 303
    fitting.clock.at += 130
    assert fitting.post(officer, sign, sign, signature="Officer 12", how="pending").status_code == 422
    assert "Look at its own page" in officer.get(test).text
    assert fitting.post(officer, test, test, wifi="yes", own_page="yes").status_code == 303
    fitting.clock.at += 130
    page = officer.get(test).text
    assert "The box is in place" in page
    assert "nobody else has seen it" in page
    assert fitting.post(officer, sign, sign, signature="Officer 12").status_code == 422, "it is not done"
    assert fitting.post(officer, sign, sign, signature="Officer 12", how="pending").status_code == 303
    assert fitting.seed.rows(schema.install)[0]["state"] == "pending"


def _token(page: str) -> str:
    return page.split('name="csrf_token" value="')[1].split('"', maxsplit=1)[0]
