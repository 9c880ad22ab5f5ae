"""An officer's browser against the whole: sees the unknown phone come, registers it, sees it closed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lab.stack import SITE, Stack

pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.timeout(180)]
_PATIENCE = 15_000


@pytest.mark.req("R7", "R11", "R13", "R63")
@pytest.mark.parametrize("javascript", [True, False], ids=["with-js", "without-js"])
def test_an_officer_registers_an_unknown_phone(
    stack: Stack, chromium: Browser, artefacts: Path, *, javascript: bool
) -> None:
    name = "browser-js" if javascript else "browser-plain"
    mac = "02:00:00:b0:00:01" if javascript else "02:00:00:b0:00:02"
    label = f"Phone shown at the visit, {mac[-2:]}"
    context = chromium.new_context(base_url=stack.url, java_script_enabled=javascript)
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    try:
        code = stack.sign_in_code(name)
        page.goto("/")
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_label("Sign-in code").fill(code)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()
        page.goto(f"/households/{SITE}")

        phone = stack.join("unregistered-phone", mac=mac)
        finding = page.locator("article.gh-finding[data-kind=unregistered-device]:not(.gh-edge--closed)")
        if javascript:
            expect(finding).to_have_count(1, timeout=_PATIENCE)  # it comes by itself
        else:
            _reload_until(page, finding)
        page.screenshot(path=artefacts / f"household-{name}.png", full_page=True)

        finding.get_by_role("link").click()
        page.get_by_label("Household member").check()
        page.get_by_label("Label").fill(label)
        page.locator("#reason").fill("Shown by its owner at the visit")
        page.get_by_role("button", name="Send to the box").click()
        expect(page.locator(".gh-outcome--applied")).to_be_visible()
        page.screenshot(path=artefacts / f"registered-{name}.png", full_page=True)

        page.goto(f"/households/{SITE}")
        if not javascript:
            _reload_until(page, page.get_by_text(re.compile("^(Nothing|No finding) needs a decision")))
        expect(finding).to_have_count(0)
        page.goto(f"/households/{SITE}/devices")
        expect(page.locator(".gh-device__name", has_text=label)).to_be_visible()
        page.screenshot(path=artefacts / f"closed-{name}.png", full_page=True)
        stack.home.leave(phone)
    finally:
        context.close()


def _reload_until(page: Page, wanted: Locator) -> None:
    for _ in range(50):
        page.reload()
        if wanted.count():
            return
        page.wait_for_timeout(200)
    raise AssertionError("what was waited for is not on the page")
