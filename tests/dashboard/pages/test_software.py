"""*Software*: an engineer enters a release, starts it, sees how it goes, halts it."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from dashboard.access import Role
from dashboard.ingest import releases as rounds
from dashboard.pages.software_words import STAGES, software_line
from dashboard.settings import Boxes, DashboardSettings
from dashboard.settings_software import ReleaseRing, Software
from dashboard.store import releases, schema
from wire.keys import public_text
from wire.release import Release, SoftwareState, sign

KEY = Ed25519PrivateKey.generate()
TOKEN = "ab" * 16


@pytest.fixture
def settings(make_settings: Callable[..., DashboardSettings], tmp_path: Any) -> DashboardSettings:
    own = Boxes(
        enrol_url="https://enrol.example:8884",
        ca=tmp_path / "ca.pem",
        server_verify=("A" * 43 + "=",),
        release_keys=(public_text(KEY),),
    )
    return make_settings(boxes=own)


@pytest.fixture
def engineer(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("engineer-1", Role.ENGINEER)


def _signed(at: float, *, key: Ed25519PrivateKey = KEY, **values: Any) -> bytes:
    issued = datetime.fromtimestamp(at, UTC)
    said = {
        "version": "2026.11.1",
        "board": "pi4",
        "url": "https://updates.example/b",
        "sha256": "ab" * 32,
        "size": 2_000_000,
        "floor": "2026.10.1",
        "issued": issued,
        "expires": issued + timedelta(days=30),
        "notes": "Names are answered again",
    }
    return sign(Release.model_validate(said | values), key).model_dump_json().encode()


def _enter(client: FlaskClient, csrf: Any, raw: bytes, *, file: bool = True) -> Any:
    form: dict[str, Any] = {"csrf_token": csrf(client.get("/software")), "token": TOKEN}
    form |= {"file": (io.BytesIO(raw), "s.json")} if file else {"statement": raw.decode()}
    return client.post("/software/releases", data=form, content_type="multipart/form-data")


def _say(engine: Engine, clock: Any, site: str, **software: Any) -> None:
    clock.at += 1
    said = {"online": True, "at": clock.at, "software": {"version": "2026.10.1", "board": "pi4", **software}}
    with engine.begin() as connection:
        where = update(schema.site).where(schema.site.c.site == site)
        connection.execute(where.values(status=said, status_at=clock.at, heard_at=clock.at))
        rounds.go(connection, tenant="northmoor", now=clock.at)


@pytest.mark.req("R4")
def test_a_release_from_the_statement_to_the_boxes(
    sign_in_as: Callable[..., FlaskClient], csrf: Any, seed: Any, clock: Any, engine: Engine
) -> None:
    engineer = sign_in_as("engineer-1", Role.ENGINEER)
    for number in range(3):
        seed.site(f"box-{number}", charged=False)
        _say(engine, clock, f"box-{number}", outdated=["hostapd is 1, below 2"] if number else [])
    answer = _enter(engineer, csrf, _signed(clock.at, security=True))
    assert answer.status_code == 303
    at = answer.headers["Location"]
    page = engineer.get(at)
    for part in (
        "Version 2026.11.1 for pi4",
        "Not started",
        "within 72 hours",
        "Names are answered again",
        "1 % after 0",
    ):
        assert part in page.text
    form = {"csrf_token": csrf(page), "token": TOKEN}
    assert engineer.post(f"{at}/start", data=form).status_code == 303
    clock.at += 25 * 3600
    for number in range(3):
        _say(engine, clock, f"box-{number}")
    _say(engine, clock, "box-0", version="2026.11.1", stage="done")
    _say(engine, clock, "box-1", stage="rolled-back", wanted="2026.11.1", detail="names are not answered")
    engineer = sign_in_as("engineer-2", Role.ENGINEER)
    text = engineer.get(at).text
    for part in ("Going: 100 % of the boxes", "Went back to the version before", "names are not answered", "box-1"):
        assert part in text
    listed = engineer.get("/software").text
    assert "1 of 3 boxes that were told have it" in listed
    clock.at += 50 * 3600
    engineer = sign_in_as("engineer-3", Role.ENGINEER)
    assert "Boxes that should have it by now" in engineer.get(at).text
    assert "boxes are overdue" in engineer.get("/software").text
    page = engineer.get(at)
    form = {"csrf_token": csrf(page)}
    assert engineer.post(f"{at}/halt", data=form | {"reason": ""}).status_code == 422
    assert engineer.post(f"{at}/halt", data=form | {"reason": "Look first"}).status_code == 303
    assert "Halted. Look first" in engineer.get(at).text
    assert "1 release was halted" in engineer.get("/software").text
    assert engineer.post(f"{at}/resume", data=form | {"reason": "It was a card"}).status_code == 303
    acts = {row["action"] for row in seed.rows(schema.audit)}
    assert {"enter-release", "start-release", "halt-release", "resume-release", "take-release"} <= acts


@pytest.mark.req("R4")
def test_a_statement_that_does_not_hold_is_not_entered(engineer: FlaskClient, csrf: Any, clock: Any, seed: Any) -> None:
    bad = _signed(clock.at, key=Ed25519PrivateKey.generate())
    for raw, says in (
        (bad, "not a statement to go by"),
        (b"{", "not a statement to go by"),
        (b"x" * 9000, "not a statement to go by"),
        (b"", "Choose the signed statement"),
        (_signed(clock.at - 40 * 86400), "expired"),
    ):
        answer = _enter(engineer, csrf, raw)
        assert answer.status_code == 422
        assert says in answer.text
    assert seed.rows(schema.release) == []
    assert _enter(engineer, csrf, _signed(clock.at), file=False).status_code == 303
    again = _enter(engineer, csrf, _signed(clock.at, url="https://other.example/b"))
    assert "is here already" in again.text


def test_pilots_are_named_and_taken_off(engineer: FlaskClient, csrf: Any, seed: Any) -> None:
    seed.site("box-1", charged=False)
    form = {"csrf_token": csrf(engineer.get("/software"))}
    assert engineer.post("/software/pilots", data=form | {"site": "box-9"}).status_code == 422
    assert engineer.post("/software/pilots", data=form | {"site": "box-1"}).status_code == 303
    assert "box-1" in engineer.get("/software").text
    assert engineer.post("/software/pilots/box-1/remove", data=form).status_code == 303
    assert seed.rows(schema.pilot_box) == []


@pytest.mark.req("R66")
def test_who_does_not_look_after_boxes_has_no_such_page(sign_in_as: Callable[..., FlaskClient]) -> None:
    for name, role in (("a", Role.OFFICER), ("b", Role.INSTALLER), ("c", Role.AUDITOR)):
        assert sign_in_as(name, role).get("/software").status_code == 403
    supervisor = sign_in_as("d", Role.SUPERVISOR)
    assert supervisor.get("/software").status_code == 200
    assert supervisor.get("/software/none").status_code == 404


def test_what_a_box_says_of_its_software_is_one_sentence(app: Flask) -> None:
    with app.test_request_context():
        assert software_line(None) == "The box does not say."
        said = SoftwareState(version="2026.10.1", slot="A", wanted="2026.11.1", stage="fetching", percent=40)
        assert software_line(said) == (
            "Version 2026.10.1 in system partition A; the box is fetching version 2026.11.1 (40 %)."
        )
        failed = said.model_copy(update={"stage": "failed", "detail": "No room.", "outdated": ("hostapd is 1",)})
        assert software_line(failed).endswith("2026.11.1 (40 %). No room. Older than it may be: hostapd is 1.")
        for stage in STAGES:
            assert software_line(said.model_copy(update={"stage": stage})).startswith("Version 2026.10.1")


def test_rings_of_the_settings_widen_and_are_in_time() -> None:
    with pytest.raises(ValueError, match="larger than the one before"):
        Software(rings=(ReleaseRing(share=0.5, after_hours=0), ReleaseRing(share=0.1, after_hours=5)))
    with pytest.raises(ValueError, match="within 48 hours"):
        Software(security_rings=(ReleaseRing(share=1, after_hours=60),))
    assert releases.number("2026.11.1") > releases.number("2026.2.9999")
