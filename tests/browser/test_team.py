"""A supervisor's day in a real browser: who is told, the rota, the audit; and an officer's own messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard import auth
from dashboard.access import Role

pytestmark = pytest.mark.browser


@pytest.fixture
def sign_in_supervisor(served: Any) -> Callable[[Page], None]:
    def do(page: Page) -> None:
        auth.add_account(served.engine, name="sup-1", role=Role.SUPERVISOR, now=0.0)
        code = auth.make_code(served.engine, name="sup-1", now=served.seed.clock.at, lifetime=900)
        page.goto("/")
        page.get_by_label("Name", exact=True).fill("sup-1")
        page.get_by_label("Sign-in code").fill(code)
        page.get_by_role("button", name="Sign in").first.click()
        page.get_by_role("heading", name="Today", exact=True).wait_for()

    return do


@pytest.mark.req("R38", "R66")
def test_a_supervisor_makes_a_rota_and_checks_the_audit(
    served: Any, open_page: Any, sign_in_supervisor: Any, accessible: Any, *, scripted: bool
) -> None:
    served.seed.site()
    served.seed.device()
    served.seed.finding()
    page = open_page(java_script_enabled=scripted)
    sign_in_supervisor(page)
    page.get_by_role("link", name="Team", exact=True).click()
    expect(page.get_by_text("Nobody in charge")).to_be_visible()
    page.get_by_role("link", name="Duty rota").click()
    page.get_by_text("Put somebody on duty").click()
    page.get_by_label("Who is on duty").select_option(label="sup-1")
    page.get_by_label("Days").select_option("all")
    page.get_by_label("From", exact=True).first.fill("0:00")
    page.get_by_label("To", exact=True).first.fill("0:00")
    page.get_by_role("button", name="Add to the rota").click()
    expect(page.get_by_text("On duty now: sup-1")).to_be_visible()
    page.get_by_role("link", name="Audit", exact=True).click()
    page.get_by_role("button", name="Check the chain now").click()
    expect(page.get_by_text("The chain holds up to line")).to_be_visible()
    if scripted:
        for address, name in (
            ("/team", "team"),
            ("/team/duty", "duty"),
            ("/team/return", "monthly"),
            ("/messages-out", "messages-out"),
            ("/audit", "audit"),
            ("/lists", "lists"),
            ("/alerts", "alerts"),
            ("/households/site-1/outcomes", "outcomes"),
            ("/households/site-1/planned-work", "planned-work"),
        ):
            page.goto(address)
            accessible(page, name)
