"""*Records handed out*: asked for by two, certified by one, downloaded by who may, each time in the audit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.store import schema

pytestmark = pytest.mark.req("R68", "N12")
PAGE = "/households/site-1/handed"


@pytest.fixture(autouse=True)
def household(seed: Any, clock: Any) -> None:
    seed.site()
    seed.device(standing="registered")
    row = {
        "site": "site-1",
        "problem": "",
        "by": "acc-1",
        "parts": 4,
        "data_octets": 9,
        "data_sha256": "ab" * 32,
        "records": 12,
        "built_at": clock.at - 60,
        "expires": clock.at + 86400,
        "progress_at": clock.at - 30,
    }
    ready = {"completed_at": clock.at, "octets": 6, "sha256": "cd" * 32}
    seed._insert(schema.bundle, row | ready | {"bundle_id": "b-ready", "state": "complete"})
    seed._insert(schema.bundle, row | {"bundle_id": "b-coming", "state": "fetching"})
    for number, data in enumerate((b"abc", b"def")):
        seed._insert(schema.bundle_file, {"site": "site-1", "bundle_id": "b-ready", "number": number, "data": data})


def _post(client: FlaskClient, path: str, **fields: str) -> Any:
    page = client.get(PAGE).text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    form = re.search(rf'action="{re.escape(path)}".*?name="token" value="([^"]+)"', page, re.DOTALL)
    assert csrf is not None
    data = {"csrf_token": csrf[1], "token": form[1] if form else "x", "reason": "For the court"} | fields
    return client.post(path, data=data)


def test_what_was_collected_is_listed_and_how_far_it_is(officer: FlaskClient) -> None:
    page = officer.get(PAGE).text
    assert "Coming from the box: 0 of 4 parts" in page
    assert "intelligence only" in page
    assert f"{PAGE}/b-ready/file" in page
    assert f"{PAGE}/b-coming/file" not in page


def test_a_download_is_whole_and_written_down_each_time(officer: FlaskClient, seed: Any) -> None:
    for _ in range(2):
        answer = officer.get(f"{PAGE}/b-ready/file")
        assert (answer.status_code, answer.data, answer.mimetype) == (200, b"abcdef", "application/zip")
    assert sum(row["action"] == "download-bundle" for row in seed.rows(schema.audit)) == 2
    assert officer.get(f"{PAGE}/b-coming/file").status_code == 404
    assert officer.get(f"{PAGE}/none/file").status_code == 404


def test_collecting_waits_for_a_second_person(officer: FlaskClient, seed: Any) -> None:
    fields = {"purpose": "evidence", "since": "2026-01-01", "until": "2026-01-14"}
    assert _post(officer, PAGE, **fields).status_code == 303
    (row,) = seed.rows(schema.command)
    assert (row["body"]["action"], row["state"]) == ("build-bundle", "needs-second")


@pytest.mark.parametrize(
    "fields",
    [
        {"purpose": "", "since": "2026-01-01", "until": "2026-01-14"},
        {"purpose": "access", "since": "2026-01-01", "until": "2026-01-14"},
        {"purpose": "evidence", "since": "2026-01-14", "until": "2026-01-01"},
        {"purpose": "evidence", "since": "2027-01-01", "until": "2027-01-14"},
        {"purpose": "evidence", "since": "", "until": ""},
    ],
)
def test_what_is_wrong_is_said(officer: FlaskClient, seed: Any, fields: dict[str, str]) -> None:
    assert _post(officer, PAGE, **fields).status_code == 422
    assert seed.rows(schema.command) == []


def test_a_statement_is_given_once(officer: FlaskClient, seed: Any) -> None:
    assert _post(officer, f"{PAGE}/b-ready", reason="").status_code == 422
    assert _post(officer, f"{PAGE}/b-ready", reason="I checked it").status_code == 303
    assert _post(officer, f"{PAGE}/b-ready", reason="Again").status_code == 303
    outcomes = [row["outcome"] for row in seed.rows(schema.audit) if row["action"] == "certify-bundle"]
    assert outcomes == ["certified", "not taken"]
    certified = next(row for row in seed.rows(schema.bundle) if row["bundle_id"] == "b-ready")
    assert (certified["certified_text"], certified["state"]) == ("I checked it", "arrived")


def test_an_auditor_takes_nothing_away(sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    auditor = sign_in_as("auditor-1", Role.AUDITOR)
    assert "/file" not in auditor.get(PAGE).text
    assert auditor.get(f"{PAGE}/b-ready/file").status_code == 403
    assert seed.rows(schema.command) == []
