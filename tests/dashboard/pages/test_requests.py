"""*Requests from the home*: shown in the home's own words, answered once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.store import schema

pytestmark = pytest.mark.req("N12")
PAGE = "/households/site-1/requests"


@pytest.fixture(autouse=True)
def household(seed: Any, clock: Any) -> None:
    seed.site()
    seed.device()
    for number, kind in enumerate(("guest", "complaint"), 1):
        row = {
            "site": "site-1",
            "request_id": f"r-{number}",
            "kind": kind,
            "device_id": "dev-1" if number == 1 else None,
            "proved": number == 1,
            "text": "<b>I stay</b> until Sunday",
            "until": clock.at + 86400,
            "at": clock.at - 60,
            "stored_at": clock.at,
            "state": "open",
            "note": "",
        }
        seed._insert(schema.request, row)


def _answer(client: FlaskClient, reference: str, reason: str) -> Any:
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', client.get(PAGE).text)
    assert csrf is not None
    return client.post(f"{PAGE}/{reference}", data={"csrf_token": csrf[1], "reason": reason})


def test_what_was_asked_is_shown_and_leads_to_the_device(officer: FlaskClient) -> None:
    page = officer.get(PAGE).text
    assert "&lt;b&gt;I stay" in page
    assert "<b>I stay" not in page
    assert "/households/site-1/devices/dev-1" in page
    assert "It was proved that it is this device" in page
    assert "A device that the box does not know" in page
    assert "2 requests wait" in officer.get("/").text


def test_an_answer_closes_it_once(officer: FlaskClient, seed: Any) -> None:
    assert _answer(officer, "r-1", "").status_code == 422
    assert _answer(officer, "r-1", "Registered as a guest").status_code == 303
    assert _answer(officer, "r-1", "Again").status_code == 404
    rows = {row["request_id"]: (row["state"], row["note"]) for row in seed.rows(schema.request)}
    assert rows == {"r-1": ("answered", "Registered as a guest"), "r-2": ("open", "")}
    assert "Registered as a guest (officer-1)" in officer.get(PAGE).text
    assert sum(row["action"] == "answer-request" for row in seed.rows(schema.audit)) == 1


def test_an_auditor_only_reads(sign_in_as: Callable[..., FlaskClient]) -> None:
    auditor = sign_in_as("auditor-1", Role.AUDITOR)
    assert f'action="{PAGE}' not in auditor.get(PAGE).text
    assert _answer(auditor, "r-1", "x").status_code == 403
