from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.settings import DashboardSettings
from dashboard.store import schema
from wire.keys import public_text


@pytest.fixture
def settings(make_settings: Callable[..., DashboardSettings], issuer: Ed25519PrivateKey) -> DashboardSettings:
    return make_settings(authority_issuers=[public_text(issuer)])


@pytest.mark.req("R3", "R1")
def test_the_whole_of_it_to_the_certificate(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], fitting: Any
) -> None:
    fitting.all_but_signing(officer)
    at = fitting.install
    page = officer.get(f"{at}/test").text
    assert "Everything works." in page
    assert "there and back" not in page
    assert "back in 1.5 seconds" in page
    assert officer.get(f"{at}/certificate").status_code == 404
    sign = officer.get(f"{at}/sign").text
    assert "Sign and close the visit" in sign
    assert fitting.post(officer, f"{at}/sign", f"{at}/sign", signature="").status_code == 422
    fitting.clock.at += 12 * 60
    # What the box says later is not what the test found.
    assert officer.get(f"{at}/sign").text.count("Pass") == 6
    assert fitting.post(officer, f"{at}/sign", f"{at}/sign", signature="Officer 12").status_code == 303
    (row,) = fitting.seed.rows(schema.install)
    assert (row["state"], row["closed_at"]) == ("done", fitting.clock.at)
    assert "12 minutes" in sign_in_as("supervisor-1", Role.SUPERVISOR).get(at).text
    paper = officer.get(f"{at}/certificate").text
    assert "Zaświadczenie o instalacji" in paper
    assert "Certificate of installation" in paper
    assert "Officer 12" in paper
    assert officer.get(f"{at}/certificate.pdf").data.startswith(b"%PDF")
    assert fitting.post(officer, "/install", f"{at}/sign", signature="again").location.endswith("/certificate")


@pytest.mark.req("R3")
def test_a_visit_with_a_check_that_fails_is_not_closed(officer: FlaskClient, fitting: Any) -> None:
    fitting.all_but_signing(officer)
    at = fitting.install
    fitting.speak(authority_id="authority-other")
    fitting.clock.at += 130
    fitting.speak(authority_id="authority-other")
    page = officer.get(f"{at}/test").text
    assert "Something does not work" in page
    assert "another document" in page
    assert "Sign and close" not in officer.get(f"{at}/sign").text
    for how in ("", "pending"):
        answer = fitting.post(officer, f"{at}/test", f"{at}/sign", signature="Officer 12", how=how)
        assert answer.status_code == 422
    assert fitting.seed.rows(schema.install)[0]["state"] == "open"


@pytest.mark.req("R3")
def test_where_only_delivery_fails_it_is_closed_as_pending_and_done_later(officer: FlaskClient, fitting: Any) -> None:
    fitting.all_but_signing(officer)
    at, authority = fitting.install, fitting.authority_id(officer)
    fitting.answer("run-probe", state="unanswered")
    fitting.clock.at += 130
    fitting.speak(authority_id=authority)
    # Nothing of a box that did not answer counts as its answer.
    with fitting.seed.engine.begin() as connection:
        connection.execute(schema.command.update().values(answered_at=None))
    assert "only its way to this service" in officer.get(f"{at}/test").text
    page = officer.get(f"{at}/sign").text
    assert "Close as installed, delivery pending" in page
    answer = fitting.post(officer, f"{at}/sign", f"{at}/sign", signature="Officer 12", how="pending")
    assert answer.status_code == 303
    assert fitting.seed.rows(schema.install)[0]["state"] == "pending"
    assert "Installed, delivery pending" in officer.get("/install").text
    assert fitting.post(officer, f"{at}/test", f"{at}/test", wifi="yes").status_code == 303
    fitting.clock.at += 2
    fitting.speak(authority_id=authority)
    fitting.answer("run-probe")
    assert "Everything works." in officer.get(f"{at}/test").text
    assert fitting.post(officer, f"{at}/sign", f"{at}/sign", signature="Officer 12").status_code == 303
    assert fitting.seed.rows(schema.install)[0]["state"] == "done"


def test_it_looks_again_by_itself_while_it_goes_on(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    at = fitting.install
    fitting.speak()
    fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes")
    assert "has not been started" in officer.get(f"{at}/test").text
    token = "cd" * 16
    for _ in range(2):
        assert fitting.post(officer, f"{at}/test", f"{at}/test", token=token).status_code == 303
    (sent,) = fitting.seed.rows(schema.command)
    assert (sent["body"]["action"], sent["state"]) == ("run-probe", "waiting")
    page = officer.get(f"{at}/test").text
    assert "data-live" in page
    assert 'http-equiv="refresh"' in page
    assert "Checking" in page
    live = officer.get(f"{at}/test?part=live")
    assert live.status_code == 200
    assert "X-Done" not in live.headers
    fitting.clock.at += 130
    assert officer.get(f"{at}/test?part=live").headers["X-Done"] == "1"
    assert fitting.post(officer, f"{at}/test", f"{at}/test", token="").status_code == 422
