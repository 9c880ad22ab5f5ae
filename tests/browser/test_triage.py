"""The officer's morning by keyboard alone: thirty households decided one after another."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.store import schema

pytestmark = pytest.mark.browser

HOUSEHOLDS = 30
MOST_KEYS = 25
"""Keys for one item, without the letters of its reason."""


class Keys:
    """A keyboard that counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0
        self.typed = 0

    def press(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)
            self.pressed += 1

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.typed += len(text)

    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.id"))

    def tab_to(self, name: str, most: int = 12) -> None:
        """Press Tab until that has the focus."""
        for _ in range(most):
            self.press("Tab")
            if self.focused() == name:
                return
        raise AssertionError(f"{name} is not reached; {self.focused()!r} has the focus")


def _other_than(at: str) -> Callable[[str], bool]:
    return lambda url: url != at


def _seed(seed: Any, households: int) -> None:
    now = seed.clock.at
    for number in range(households):
        site = f"site-{number}"
        seed.site(site, title=f"NM-2026-{number:04d}")
        seed.device("dev-1", site=site, standing="registered", label="grey laptop")
        severity = ("act_now", "today", "this_week")[number % 3]
        seed.finding(f"f-{number}", site=site, kind="tunnel", severity=severity, raised_at=now - 60 * number)


@pytest.mark.req("R36")
def test_thirty_households_are_triaged_by_keyboard_alone(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    _seed(served.seed, HOUSEHOLDS)
    page = open_page(viewport={"width": 1280, "height": 900})
    sign_in(page)
    keys = Keys(page)
    began = time.monotonic()
    keys.press("Tab", "Enter")  # to the main part
    keys.tab_to("start")
    keys.press("Enter")
    most = 0
    for number in range(HOUSEHOLDS):
        page.wait_for_selector("#form-review")
        before = keys.pressed
        keys.press("Tab")
        keys.press("Tab")
        assert keys.focused() == "skip-decide"
        keys.press("Enter", "Tab")
        keys.press("ArrowUp")  # the last of the answers: no action
        keys.tab_to("review-outcome", 3)
        keys.press("e")  # explained
        keys.press("Tab")
        keys.write("Talked over at the visit")
        keys.tab_to("review-next", 4)
        at = page.url
        keys.press("Enter")
        page.wait_for_url(_other_than(at))
        most = max(most, keys.pressed - before)
        assert number < HOUSEHOLDS
    expect(page.get_by_text(f"Nothing needs a decision in {HOUSEHOLDS} households.")).to_be_visible()
    took = time.monotonic() - began
    with capsys.disabled():
        print(  # noqa: T201 - a figure for whoever runs it
            f"\n{HOUSEHOLDS} households by keyboard: {took:.1f} s of the machine, "
            f"{keys.pressed} keys and {keys.typed} letters; at most {most} keys an item"
        )
    assert most <= MOST_KEYS
    assert {row["outcome"] for row in served.seed.rows(schema.review)} == {"explained"}
    assert len(served.seed.rows(schema.review)) == HOUSEHOLDS


@pytest.mark.req("R37", "R36")
def test_a_decision_and_its_pages_are_for_everybody(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], accessible: Callable[..., None]
) -> None:
    _seed(served.seed, 3)
    served.seed.finding("f-closed", site="site-0", state="closed")
    page = open_page()
    sign_in(page)
    accessible(page, "today-triage")
    page.goto("/households/site-0/findings/f-0")
    accessible(page, "finding-decide")
    page.get_by_role("button", name="Decide and stay here").click()
    expect(page.get_by_role("alert")).to_contain_text("Select what you decide")
    page.locator("#details-review > summary").click()
    accessible(page, "finding-decide-wrong")
    page.goto("/households/site-0/looked")
    accessible(page, "looked")
    page.goto("/households?severity=today")
    accessible(page, "households-narrowed")
    page.goto("/search?q=NM-2026")
    accessible(page, "search")


@pytest.mark.req("R37")
def test_two_officers_act_on_one_finding(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], *, scripted: bool
) -> None:
    _seed(served.seed, 1)
    first, second = (open_page(java_script_enabled=scripted) for _ in range(2))
    sign_in(first, "officer-1")
    sign_in(second, "officer-2")
    for page, reason in ((first, "Seen at the visit"), (second, "It was a visitor")):
        page.goto("/households/site-0/findings/f-0")
        page.get_by_label("No action").check()
        page.get_by_label("What did it turn out to be?").select_option(label="Explained")
        page.get_by_role("textbox", name="Reason", exact=True).first.fill(reason)
    first.get_by_role("button", name="Decide and stay here").click()
    expect(first.locator("#decided")).to_have_text("Decided.")
    second.get_by_role("button", name="Decide and stay here").click()
    expect(second.locator("#meanwhile")).to_contain_text("officer-1 decided about this")
    expect(second.locator("#meanwhile")).to_contain_text("Seen at the visit")
    expect(second.locator("#review-reason")).to_have_value("It was a visitor")
    second.get_by_role("button", name="Decide anew and stay here").click()
    expect(second.locator("#decided")).to_have_text("Decided.")
    assert [row["act"] for row in served.seed.rows(schema.review_act)] == ["decide", "reopen", "decide"]
