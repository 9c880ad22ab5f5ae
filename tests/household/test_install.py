"""The self-test of an installation against a real box: its own words, and an alert there and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from dashboard.store import installs, schema
from dashboard.store.engine import open_engine
from lab.officer import Officer
from lab.service import wait_until
from lab.stack import SITE, TENANT, Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
ID = "ab" * 16


@pytest.mark.req("R3")
def test_all_six_checks_pass_on_a_box_that_works(stack: Stack, officer: Officer) -> None:
    engine = open_engine(f"sqlite:///{stack.database}")
    now = datetime.now(UTC).timestamp()
    prepared = stack.authority().model_dump_json(exclude_none=True)
    with engine.begin() as connection:
        named = select(schema.account.c.account_id).where(schema.account.c.name == "test-officer")
        by = connection.execute(named).scalar_one()
        installs.start(connection, ID, tenant=TENANT, kind="install", reference="DEMO-1", site=SITE, by=by, now=now)
        for step in ("box", "connect"):
            installs.save_step(connection, ID, step, {}, by=by, now=now, done=True)
        answers = {"prepared": prepared, "in_hand": True}
        installs.save_step(connection, ID, "order", answers, by=by, now=now, done=True)
    stack.join("unregistered-phone").browse("www.news.example")
    page = f"/install/{ID}/test"
    officer.fill(page, "/test", wifi="yes")
    wait_until(lambda: "Everything works." in officer.get(page), what="all checks to pass", seconds=60)
    shown = officer.get(page)
    assert "A test alert went to the box and back in" in shown
    with engine.begin() as connection:
        done = installs.steps_of(connection, ID)["test"]
    engine.dispose()
    assert done.done_at is not None
    assert {item["verdict"] for item in done.answers["checks"]} == {"good"}
