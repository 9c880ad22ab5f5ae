"""What a network chose to call itself, shown by a real browser: nothing of it runs, opens or asks anywhere (R42).

The names are seeded as a box reports them. Whatever the browser asks for, says or refuses while the pages are open is
listened to; a policy that had to stop something is a fault too, as it is the second wall and not the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

pytestmark = pytest.mark.browser

MARKUP = (
    "\"'><script>window.evil=1;alert(1)</script><img src=http://evil.example/x.png onerror=window.evil=1;alert(2)>"
    "<svg onload=window.evil=1><link rel=prefetch href=//evil.example><style>@import'//evil.example'</style>"
)
HIDDEN = "\u202egnp.exe\u2066\u200b\x1b[31m"
PAGES = (
    "/",
    "/households",
    "/households/site-1",
    "/households/site-1/devices",
    "/households/site-1/devices/dev-1",
    "/households/site-1/findings/find-1",
    "/households/site-1/proposals/prop-1",
    "/households/site-1/timeline",
    "/households/site-1/activity",
    "/households/site-1/coverage",
    "/households/site-1/box",
    "/households/site-1/law",
    "/households/site-1/arrangements",
    "/households/site-1/notes",
    "/search?q=%3Cimg+src%3D%2F%2Fevil.example+onerror%3Dalert(1)%3E",
)
LISTEN = """
window.refused = [];
document.addEventListener('securitypolicyviolation', e => window.refused.push(e.violatedDirective + ' ' + e.blockedURI));
"""


@pytest.fixture
def hostile(served: Any) -> Any:
    seed = served.seed
    seed.site(title=MARKUP[:120])
    like = {"text": MARKUP, "confidence": 0.8, "reasons": [MARKUP, HIDDEN], "conflicts": [MARKUP]}
    seed.device(label=(HIDDEN + MARKUP)[:80], looks_like=like)
    seed.device("dev-2", label=MARKUP[:80], looks_like=like, standing="registered")
    seed.proposal(reasons=[MARKUP], against=[HIDDEN])
    seed.stay(ended=seed.clock.at - 10, ended_because=MARKUP)
    for number, name in enumerate(("evil.example", "javascript:alert(1)", MARKUP)):
        seed.finding(
            f"find-{number + 1}",
            kind="listed-name",
            severity="act_now",
            reasons=[MARKUP, f"It asked for {name}", "http://evil.example/x"],
            alternatives=[MARKUP, HIDDEN],
            hit=seed.hit(name=name[:200], entry=name[:200], category=MARKUP[:40]),
        )
    seed.arrangements(
        quieted=[
            {"quiet_id": "q-1", "rule": "trend", "reason": MARKUP, "by": "x", "at": "2026-01-13T00:00:00Z", "count": 1}
        ]
    )
    return served


@pytest.mark.req("R42", "R66")
def test_no_name_runs_opens_or_asks_for_anything(
    hostile: Any, open_page: Callable[..., Page], sign_in: Callable[..., None]
) -> None:
    page = open_page()
    asked: list[str] = []
    opened: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.context.on("page", lambda other: opened.append(other.url))

    def dismiss(dialog: Dialog) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.add_init_script(LISTEN)
    sign_in(page)
    for path in PAGES:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        # Everything that can be opened on the page is opened, as a reader would.
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        expect(page.locator("h1").first).to_be_visible()
        found = page.evaluate(
            """() => ({
                evil: window.evil === undefined,
                refused: window.refused,
                made: [...document.querySelectorAll('script:not([src]), img[onerror], svg[onload], style, link[rel=prefetch]')].length,
                away: [...document.links].map(a => a.href).filter(href => new URL(href).origin !== location.origin),
            })"""
        )
        assert found == {"evil": True, "refused": [], "made": 0, "away": []}, path
    assert opened == []
    assert [url for url in asked if not url.startswith((f"{hostile.address}/", "data:"))] == []


@pytest.mark.req("R66")
def test_an_officer_makes_a_token_and_reads_what_a_program_can_ask_for(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], accessible: Any
) -> None:
    served.seed.site()
    page = open_page()
    sign_in(page)
    page.goto("/account")
    page.get_by_role("link", name="Tokens for programs").click()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert")).to_contain_text("Say what it is for")
    page.get_by_label("What is it for?").fill("Export to the case system")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#token")).to_contain_text("ghp_")
    accessible(page, "tokens")
    page.get_by_role("link", name="What a program can ask for").click()
    expect(page.get_by_role("heading", name="Interface for programs")).to_be_visible()
    accessible(page, "interface")
