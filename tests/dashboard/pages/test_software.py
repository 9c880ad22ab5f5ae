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
from dashboard.store import ordering, releases, schema
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


class BoxOne:
    """`box-1`, as it says what it runs and answers its orders."""

    def __init__(self, engine: Engine, clock: Any) -> None:
        self.engine, self.clock = engine, clock

    def says(self, **software: Any) -> None:
        _say(self.engine, self.clock, "box-1", **software)

    def answers(self, state: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(schema.command).values(state=state))


@pytest.fixture
def box(engine: Engine, clock: Any, seed: Any) -> BoxOne:
    seed.site("box-1", charged=False)
    return BoxOne(engine, clock)


@pytest.fixture
def failed(sign_in_as: Callable[..., FlaskClient], csrf: Any, box: BoxOne) -> str:
    """Address of a release that `box-1` was told of and went back from, so that it can be ordered again."""
    clock = box.clock
    box.says()
    engineer = sign_in_as("engineer-0", Role.ENGINEER)
    at = _enter(engineer, csrf, _signed(clock.at, security=True)).headers["Location"]
    assert engineer.post(f"{at}/start", data={"csrf_token": csrf(engineer.get(at)), "token": TOKEN}).status_code == 303
    clock.at += 25 * 3600
    box.says()
    box.answers("followed")
    box.says(stage="rolled-back", wanted="2026.11.1", detail="names are not answered")
    return str(at)


@pytest.mark.req("R4", "R39")
def test_a_box_that_went_back_is_told_of_the_release_again_once_and_with_a_reason(
    failed: str, box: BoxOne, sign_in_as: Callable[..., FlaskClient], csrf: Any, seed: Any
) -> None:
    engineer = sign_in_as("engineer-1", Role.ENGINEER)
    page = engineer.get("/boxes/box-1")
    for part in ("2026.11.1: Went back to the version before.", "Order version 2026.11.1 again", "names are not"):
        assert part in page.text
    form, target = {"csrf_token": csrf(page)}, f"/boxes/box-1{failed}/again"
    assert engineer.post(target, data=form | {"reason": " "}).status_code == 422
    assert len(seed.rows(schema.command)) == 1
    assert engineer.post(target, data=form | {"reason": "The line was down"}).status_code == 303
    first, again = sorted(seed.rows(schema.command), key=lambda row: row["created_at"])
    assert again["body"] == first["body"]
    (by,) = [row["account_id"] for row in seed.rows(schema.account) if row["name"] == "engineer-1"]
    assert (again["site"], again["state"], again["by"]) == ("box-1", "waiting", by)
    assert again["reason"] == "The line was down"
    acts = [(row["account_id"], row["subject"]) for row in seed.rows(schema.audit) if row["action"] == "take-release"]
    assert acts[-1] == (by, "box-1")
    waiting = engineer.get("/boxes/box-1").text
    assert "Ordered again, and not answered yet" in waiting
    assert "Order it again" not in waiting
    twice = engineer.post(target, data=form | {"reason": "Once more"})
    assert twice.status_code == 422
    assert "nothing to order again" in twice.text
    box.answers("followed")
    box.says(version="2026.11.1", stage="done")
    over = sign_in_as("engineer-2", Role.ENGINEER)
    text = over.get("/boxes/box-1").text
    assert "Version 2026.11.1: Has it." in text
    assert "Order it again" not in text
    assert over.post(target, data={"csrf_token": csrf(over.get("/boxes/box-1")), "reason": "x"}).status_code == 422
    assert len(seed.rows(schema.command)) == 2


@pytest.mark.req("R4", "R66")
def test_to_order_again_wants_a_fresh_proof_as_to_start_does(
    failed: str, box: BoxOne, sign_in_as: Callable[..., FlaskClient], csrf: Any, seed: Any
) -> None:
    engineer = sign_in_as("engineer-1", Role.ENGINEER)
    form = {"csrf_token": csrf(engineer.get("/boxes/box-1")), "reason": "The line was down"}
    box.clock.at += 11 * 60
    answer = engineer.post(f"/boxes/box-1{failed}/again", data=form)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/again?next=")
    assert len(seed.rows(schema.command)) == 1


@pytest.mark.req("R4", "R66")
def test_only_who_keeps_boxes_orders_again_and_only_what_the_box_was_told_of(
    failed: str, sign_in_as: Callable[..., FlaskClient], csrf: Any, seed: Any
) -> None:
    seed.site("box-2", charged=False)
    seed.site("box-9", tenant="elsewhere", charged=False)
    for name, role in (("a", Role.OFFICER), ("b", Role.INSTALLER), ("c", Role.AUDITOR)):
        client = sign_in_as(name, role)
        token = csrf(client.get("/account"))
        assert client.post(f"/boxes/box-1{failed}/again", data={"csrf_token": token, "reason": "x"}).status_code == 403
        shown = client.get("/boxes/box-1")
        assert "Order it again" not in shown.text
    engineer = sign_in_as("engineer-1", Role.ENGINEER)
    form = {"csrf_token": csrf(engineer.get("/boxes/box-1")), "reason": "x"}
    assert engineer.post(f"/boxes/box-9{failed}/again", data=form).status_code == 404
    for place in (f"/boxes/box-2{failed}/again", "/boxes/box-1/software/none/again"):
        assert engineer.post(place, data=form).status_code == 422
    assert "No release was ordered for this box yet." in engineer.get("/boxes/box-2").text
    assert len(seed.rows(schema.command)) == 1


@pytest.mark.req("R4")
def test_what_goes_on_by_itself_is_not_ordered_again_and_what_a_halt_left_is(
    failed: str, box: BoxOne, sign_in_as: Callable[..., FlaskClient], csrf: Any
) -> None:
    engine, clock = box.engine, box.clock
    release_id = failed.rpartition("/")[2]
    box.says(stage="idle")
    box.answers("expired")

    def stands() -> ordering.LastOrder:
        with engine.connect() as connection:
            found = ordering.last(connection, "northmoor", "box-1", now=clock.at)
        assert found is not None
        return found

    assert not stands().may_again(clock.at), "it is told again by itself while the release goes"
    engineer = sign_in_as("engineer-1", Role.ENGINEER)
    form = {"csrf_token": csrf(engineer.get(failed)), "reason": "Look first"}
    assert engineer.post(f"{failed}/halt", data=form).status_code == 303
    assert stands().may_again(clock.at)
    assert "The release is halted: no other box is told of it." in engineer.get("/boxes/box-1").text
    with engine.begin() as connection:
        connection.execute(update(schema.release_box).values(tries=ordering.MOST_TRIES))
    assert not stands().may_again(clock.at)
    box.answers("refused")
    assert "20 times, which is all" in engineer.get("/boxes/box-1").text
    with engine.begin() as connection:
        connection.execute(update(schema.release_box).values(tries=1))
        connection.execute(update(schema.release).values(expires=clock.at - 1))
    assert not stands().may_again(clock.at)
    assert "expired: enter a newer one" in engineer.get("/boxes/box-1").text
    with engine.begin() as connection:
        connection.execute(update(schema.site).values(revoked_at=clock.at))
        assert ordering.last(connection, "northmoor", "box-1", now=clock.at) is None
        assert not ordering.again(connection, "northmoor", "box-1", release_id, reason="x", by="a", now=clock.at)
