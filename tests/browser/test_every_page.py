"""Every page there is, as a supervisor: axe finds nothing, light and dark, on a desk and a phone (WCAG 2.2 AA)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from dashboard import auth
from dashboard.access import Role, need_of
from dashboard.app import create_app
from dashboard.settings import load
from dashboard.store import installs, visits
from lab.generator import Sizes, fill, officer_of, site_id

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

SIZES = Sizes(households=2, devices=6, events=1, days=6, officers=1)
KNOWN = {
    "site": site_id(0),
    "device": "dev-01",
    "finding": "find-001",
    "proposal": "prop-1",
    "visit": "v" * 32,
    "install_id": "a" * 32,
    "account_id": officer_of(SIZES, 0),
}
LOOKS = [(scheme, size) for scheme in ("light", "dark") for size in ((1280, 900), (390, 844))]
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LEAST_PAGES = 50


def _addresses(config: Path) -> list[str]:
    app = create_app(load(config))
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            wanted = "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/")
            if wanted and need_of(app.view_functions[rule.endpoint]) and rule.arguments <= KNOWN.keys():
                found.append(app.url_for(rule.endpoint, **{name: KNOWN[name] for name in rule.arguments}))
    app.extensions["gatehouse"].engine.dispose()
    return sorted(found)


def _fill(served: Any) -> None:
    now = time.time()
    fill(served.engine, SIZES, now)
    by = KNOWN["account_id"]
    about = {"by": by, "present": ["person"], "devices": ["dev-01", "dev-02"], "question_set": 1, "at": now, "now": now}
    with served.engine.begin() as connection:
        assert visits.start(connection, site_id=KNOWN["site"], visit_id=KNOWN["visit"], **about)
        row = {"tenant": SIZES.tenant, "kind": "install", "reference": "NM-1", "by": by, "now": now}
        assert installs.start(connection, KNOWN["install_id"], site=KNOWN["site"], **row)


def _faults(page: Page, path: str) -> list[str]:
    faults = []
    for scheme, (width, height) in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": height})
        for found in Axe().run(page, options=AXE).response["violations"]:
            faults += [f"{path}, {scheme}, {width}: {found['id']}: {node['html'][:150]}" for node in found["nodes"]]
    page.set_viewport_size({"width": 320, "height": 800})
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > 320:
        faults.append(f"{path}: {wide} pixels wide on a screen of 320")
    return faults


@pytest.mark.req("R41")
def test_every_page_can_be_used_by_everyone(served: Any, open_page: Callable[..., Page], tmp_path: Path) -> None:
    _fill(served)
    auth.add_account(served.engine, name="Supervisor", role=Role.SUPERVISOR, now=0.0)
    page = open_page()
    page.goto("/sign-in")
    page.get_by_label("Name", exact=True).fill("Supervisor")
    code = auth.make_code(served.engine, name="Supervisor", now=time.time(), lifetime=900)
    page.get_by_label("Sign-in code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Sign out").wait_for()
    looked, faults = 0, []
    for path in _addresses(tmp_path / "dashboard.toml"):
        answer = page.request.get(path, max_redirects=0)
        if answer.status != 200 or not answer.headers["content-type"].startswith("text/html"):
            continue  # a file, or it leads elsewhere
        page.goto(path)
        faults += _faults(page, path)
        looked += 1
    assert faults == []
    assert looked >= LEAST_PAGES
