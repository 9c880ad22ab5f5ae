from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

SIZES = {"1280": {"width": 1280, "height": 900}, "390": {"width": 390, "height": 844}}
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def _caseload(seed: Any, households: int = 60) -> None:
    """Sixty households, of which three need a decision and one box is silent."""
    now = seed.clock.at
    for number in range(1, households + 1):
        silent = {"heard_at": now - 1800} if number == 17 else {}
        seed.site(f"site-{number}", title=f"NM-2026-{number:04d}", **silent)
    seed.device("dev-1", site="site-9")
    seed.device("dev-2", site="site-9", standing="registered", label="grey laptop")
    seed.finding("f-1", site="site-9")
    seed.finding("f-2", site="site-9", kind="listed-name", severity="act_now", device_id="dev-2", hit=seed.hit())
    seed.device("dev-1", site="site-31")
    seed.finding("f-1", site="site-31", raised_at=now - 7200)
    seed.device("dev-1", site="site-44")
    seed.finding("f-1", site="site-44", severity="this_week", raised_at=now - 90000)


def _shoot(page: Page, folder: Path, name: str) -> None:
    for width, size in SIZES.items():
        page.set_viewport_size(size)
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)


def _fill(page: Page) -> None:
    page.get_by_label("Household member").check()
    page.get_by_label("Label (optional)").fill("black phone, kitchen")
    page.get_by_label("Reason").fill("Shown at the visit")


@pytest.mark.req("R7", "R11")
def test_an_officer_sees_an_unknown_phone_and_registers_it(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], artefacts: Path
) -> None:
    served.seed.site(title="NM-2026-0001")
    page = open_page(viewport=SIZES["1280"])
    sign_in(page)
    expect(page.get_by_text("Nothing needs a decision in 1 household.")).to_be_visible()

    # It joins while the officer is looking: the page finds out by itself.
    served.seed.device()
    served.seed.finding()
    expect(page.get_by_text("1 of 1 household needs a decision.")).to_be_visible()
    expect(page.locator(".gh-card")).to_contain_text("Looks like: a phone")
    _shoot(page, artefacts, "today-one")

    page.get_by_role("link", name="NM-2026-0001", exact=True).click()
    expect(page.locator("#device-dev-1")).to_contain_text("Not registered")
    expect(page.locator("#device-dev-1")).to_contain_text("Hides its address")
    page.get_by_role("link", name="Look and register").click()
    _fill(page)
    _shoot(page, artefacts, "finding-filled")
    page.get_by_role("button", name="Send to the box").click()

    page.get_by_role("heading", name="Waiting to be sent to the box").wait_for()
    _shoot(page, artefacts, "command-waiting")
    command = served.wait_for_command()
    assert command["body"] == {
        "action": "set-standing",
        "device_id": "dev-1",
        "standing": "household",
        "label": "black phone, kitchen",
    }
    served.answer(command)
    page.get_by_role("heading", name="Done: the box has applied it").wait_for()
    _shoot(page, artefacts, "command-done")

    page.get_by_role("link", name="Go to the household").click()
    expect(page.locator("#device-dev-1")).to_contain_text("Household member")
    expect(page.locator("#device-dev-1")).to_contain_text("black phone, kitchen")
    expect(page.get_by_text("Nothing needs a decision.")).to_be_visible()
    _shoot(page, artefacts, "household-after")


def test_it_works_without_javascript(served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None]) -> None:
    served.seed.site(title="NM-2026-0001")
    served.seed.device()
    served.seed.finding()
    page = open_page(java_script_enabled=False, viewport=SIZES["390"])
    sign_in(page)
    page.get_by_role("link", name="Look and register").click()
    page.get_by_role("button", name="Send to the box").click()
    expect(page.get_by_role("alert")).to_contain_text("Select whose device this is")
    _fill(page)
    page.get_by_role("button", name="Send to the box").click()
    page.get_by_role("heading", name="Waiting to be sent to the box").wait_for()
    served.answer(served.wait_for_command(), state="refused", detail="The device is not known here.")
    # The page loads itself again, by <meta refresh> alone.
    page.get_by_role("heading", name="The box refused").wait_for()
    expect(page.get_by_text("The device is not known here.")).to_be_visible()
    page.get_by_role("link", name="Go to the household").click()
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("1 finding needs a decision.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    page.goto("/")
    page.get_by_role("heading", name="Sign in").wait_for()


@pytest.mark.req("R36")
def test_sixty_households_reduce_to_three(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], artefacts: Path
) -> None:
    _caseload(served.seed)
    page = open_page(viewport=SIZES["1280"])
    sign_in(page)
    expect(page.locator(".gh-summary")).to_have_text("3 of 60 households need a decision. 1 box needs attention.")
    cards = page.locator(".gh-card")
    expect(cards).to_have_count(4)
    first = cards.first.inner_text()
    assert "Act now" in first
    assert "NM-2026-0009" in first
    # All four are seen without scrolling on an ordinary screen.
    last = cards.last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= 900
    _shoot(page, artefacts, "today-sixty")
    page.goto("/households")
    _shoot(page, artefacts, "households-sixty")


def test_the_page_keeps_focus_typed_text_and_opened_details(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None]
) -> None:
    served.seed.site()
    served.seed.device()
    served.seed.finding()
    page = open_page()
    sign_in(page)
    page.goto("/households/site-1/findings/find-1")
    page.get_by_label("Reason").fill("Half a sen")
    page.locator("#summary-evidence").click()
    expect(page.get_by_text("Clause", exact=True)).to_be_visible()
    page.locator("#summary-evidence").focus()
    served.seed.rename_device("dev-1", "a new label")
    expect(page.locator("#live")).to_contain_text("a new label")
    expect(page.get_by_text("Clause", exact=True)).to_be_visible()
    expect(page.locator("#summary-evidence")).to_be_focused()
    expect(page.get_by_label("Reason")).to_have_value("Half a sen")
    expect(page.locator("[data-announce]")).to_have_text("This page was updated")


def test_a_signed_out_page_says_so(served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None]) -> None:
    served.seed.site()
    page = open_page()
    sign_in(page)
    other = page.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Sign out").click()
    other.get_by_role("heading", name="Sign in").wait_for()
    expect(page.locator("[data-checked]")).to_contain_text("You are signed out")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_fault_and_no_sideways_scrolling(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], scheme: str, artefacts: Path
) -> None:
    _caseload(served.seed)
    served.seed.finding("f-0", site="site-9", state="closed", closed_because="An officer registered the device")
    page = open_page(viewport={"width": 320, "height": 800}, color_scheme=scheme)
    page.goto("/sign-in")
    assert _faults(page) == []
    sign_in(page)
    for number, path in enumerate(
        (
            "/",
            "/households",
            "/households/site-9",
            "/households/site-9/findings/f-1",
            "/households/site-9/findings/f-2",
        )
    ):
        page.goto(path)
        for summary in page.locator("summary").all():
            summary.click()
        assert _faults(page) == [], path
        assert page.locator("h1").count() == 1, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.screenshot(path=artefacts / f"narrow-{scheme}-{number}.png", full_page=True)


def test_the_keyboard_reaches_the_content_first(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None]
) -> None:
    served.seed.site()
    page = open_page()
    sign_in(page)
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Refresh this page")).to_be_focused()


def _faults(page: Page) -> list[str]:
    results = Axe().run(page, options=AXE)
    return [
        f"{fault['id']}: {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
        for fault in results.response["violations"]
        for node in fault["nodes"]
    ]
