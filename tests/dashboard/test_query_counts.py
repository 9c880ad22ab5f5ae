"""Every page asks the database a bounded number of times, however many households, devices and findings there are."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, insert

from dashboard import auth, tokens
from dashboard.access import Role, need_of
from dashboard.app import create_app
from dashboard.demo.story import SITUATIONS, finding
from dashboard.ingest.rows import Rows
from dashboard.store import installs, releases, schema, visits
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from dashboard.store.releases import Ring
from lab.generator import Sizes, fill, officer_of, site_id
from wire.release import Release, SignedRelease

SMALL = Sizes(households=3, devices=9, events=60, days=6, officers=3)
LARGE = Sizes(households=15, devices=30, events=500, days=8, officers=3)
MOST = 60
"""Statements of one page at most, with the sign-in, the audit and the frame."""
SLACK = 3
"""Something that is only asked for where there is anything at all."""
KNOWN = {
    "site": site_id(0),
    "device": "dev-01",
    "finding": "find-001",
    "proposal": "prop-1",
    "command": "c" * 32,
    "visit": "v" * 32,
    "install_id": "a" * 32,
    "account_id": officer_of(SMALL, 0),
    "release_id": "ab" * 16,
}
OFF = {
    "/account/operator",
    "/api/v1/pages/install/<install_id>/certificate",
    "/api/v1/pages/install/<install_id>/collect",
    "/api/v1/pages/install/<install_id>/end",
    "/api/v1/pages/install/<install_id>/removal",
    "/api/v1/pages/install/<install_id>/wipe",
    "/api/v1/pages/next",
    "/held/<held_id>",
    "/households/<site>/handed/<reference>/file",
    "/households/<site>/transfer/<reference>/file",
    "/install/<install_id>/certificate",
    "/install/<install_id>/certificate.pdf",
    "/install/<install_id>/collect",
    "/install/<install_id>/end",
    "/install/<install_id>/order/document.json",
    "/install/<install_id>/relay/answer.txt",
    "/install/<install_id>/removal",
    "/install/<install_id>/removal.pdf",
    "/install/<install_id>/wipe",
}
"""What is not set up here, is another account's, comes later in an installation, or is a file that goes out once."""


def _dashboard(make: Callable[..., Any], url: str, sizes: Sizes, now: float) -> tuple[Flask, Engine]:
    settings = make(database_url=url)
    engine = open_engine(url)
    upgrade(engine)
    fill(engine, sizes, now)
    more = sizes.households
    chance = random.Random(1)  # noqa: S311 - to be repeated
    with engine.begin() as connection:
        rows = Rows(connection, now)
        for place in range(100, 100 + 3 * more):
            said = finding(place, SITUATIONS[place % len(SITUATIONS)], now - chance.uniform(60, 86400), 30.0)
            rows.store(KNOWN["site"], said, said.model_dump(mode="json", exclude_none=True))
        rows.flush()
        officer = officer_of(sizes, 0)
        values = {"body": {"action": "run-probe", "kind": "sweep"}, "reason": "r", "by": officer, "detail": ""}
        ids = [KNOWN["command"], *(f"{number:032x}" for number in range(2 * more))]
        connection.execute(
            insert(schema.command),
            [
                {"command_id": name, "site": KNOWN["site"], "created_at": now - 60, "expires_at": now + 60}
                | values
                | {"state": "applied", "device_id": "dev-01", "answered_at": now - 50}
                for name in ids
            ],
        )
        named = [f"dev-{number + 1:02d}" for number in range(min(sizes.devices, 40))]
        about = {"by": officer, "present": ["person"], "devices": named, "question_set": 1, "at": now, "now": now}
        assert visits.start(connection, site_id=KNOWN["site"], visit_id=KNOWN["visit"], **about)
        for number in range(more):
            row = {"tenant": sizes.tenant, "kind": "install", "reference": "NM-1", "by": officer, "now": now}
            name = KNOWN["install_id"] if number == 0 else f"{number:032x}"
            assert installs.start(connection, name, site=KNOWN["site"], **row)
        plain = Release(
            version="2026.11.1", board="pi4", url="https://updates.example/b", sha256="ab" * 32, size=1, floor="2026.11.1",
            issued=datetime.fromtimestamp(now, UTC), expires=datetime.fromtimestamp(now + 86400, UTC), security=True,
        )  # fmt: skip
        signed = SignedRelease(release=plain, signatures=(("key", "signature"),))
        assert releases.add(connection, signed, tenant=sizes.tenant, by=officer, now=now) == KNOWN["release_id"]
        rings = [Ring(share=1000, opens_at=now)]
        assert releases.start(connection, KNOWN["release_id"], rings, tenant=sizes.tenant, by=officer, now=now)
    return create_app(settings, engine=engine, now=lambda: now, wait=lambda _seconds: None), engine


def _count(app: Flask, engine: Engine, now: float) -> dict[str, tuple[int, int]]:
    """Statements and status by route."""
    account = auth.add_account(engine, name="Counter", role=Role.SUPERVISOR, now=now)
    with engine.begin() as connection:
        token = auth._open_session(connection, account, now)
    client, program = app.test_client(), app.test_client()
    with client.session_transaction() as session:
        session["token"] = token
    who = auth.SignedIn(account_id=account, name="Counter", role=Role.SUPERVISOR, token_hash="", expires_at=now + 60)
    rights = {right for right in tokens.OFFERED if Role.SUPERVISOR.may(right)}
    given = tokens.make(engine, by=who, name="count", rights=rights, days=1, now=now, service=None)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    counts: dict[str, tuple[int, int]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if "GET" not in (rule.methods or ()) or need_of(app.view_functions[rule.endpoint]) is None:
            continue
        with app.test_request_context():
            address = app.url_for(rule.endpoint, **{name: KNOWN.get(name, "1") for name in rule.arguments})
        asked.clear()
        api = rule.rule.startswith("/api/")
        answer = program.get(address, headers={"Authorization": f"Bearer {given}"}) if api else client.get(address)
        counts[rule.rule] = (len(asked), answer.status_code)
        answer.close()
    return counts


@pytest.mark.req("R41")
def test_no_page_asks_more_often_where_there_is_more(
    make_settings: Callable[..., Any], tmp_path: Path, clock: Any
) -> None:
    found = []
    for name, sizes in (("small", SMALL), ("large", LARGE)):
        app, engine = _dashboard(make_settings, f"sqlite:///{tmp_path / name}.db", sizes, clock.at)
        found.append(_count(app, engine, clock.at))
        engine.dispose()
    small, large = found
    assert small.keys() == large.keys()
    shown = {rule for rule, (_, status) in large.items() if status == 200}
    assert {"/", "/households/<site>", "/households/<site>/findings/<finding>"} <= shown
    refused = {rule for rule, (_, status) in large.items() if status in (401, 404, 429)}
    assert refused <= OFF
    broken = {rule: status for rule, (_, status) in large.items() if status >= 500}
    assert not broken
    grows = {rule: (small[rule], large[rule]) for rule in large if large[rule][0] > small[rule][0] + SLACK}
    assert not grows
    many = {rule: counted for rule, (counted, _) in large.items() if counted > MOST}
    assert not many
