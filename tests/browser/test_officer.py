from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import update

from dashboard.store import schema

pytestmark = pytest.mark.browser

SIZES = {"1280": {"width": 1280, "height": 900}, "390": {"width": 390, "height": 844}}
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def _caseload(seed: Any, households: int = 60, *, first: int = 1) -> None:
    """Sixty households, of which three need a decision and one box is silent."""
    now = seed.clock.at
    for number in range(first, households + 1):
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
    page.locator("#reason").fill("Shown at the visit")


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
    page.get_by_role("link", name="Devices", exact=True).click()
    expect(page.locator("#device-dev-1")).to_contain_text(re.compile("Not registered.*Hides its address", re.DOTALL))
    page.get_by_role("link", name="Findings", exact=True).click()
    page.get_by_role("link", name="Look and register").click()
    _fill(page)
    _shoot(page, artefacts, "finding-filled")
    page.get_by_role("button", name="Send to the box").click()

    page.get_by_role("heading", name="Waiting to be sent to the box").wait_for()
    command = served.wait_for_command()
    assert command["body"] == {
        "action": "set-standing",
        "device_id": "dev-1",
        "standing": "household",
        "label": "black phone, kitchen",
    }
    served.answer(command)
    page.get_by_role("heading", name="Done: the box has applied it").wait_for()

    page.get_by_role("link", name="Go to the household").click()
    expect(page.get_by_text("Nothing needs a decision.")).to_be_visible()
    page.get_by_role("link", name="Devices", exact=True).click()
    expect(page.locator("#device-dev-1")).to_contain_text("Household member")
    expect(page.locator("#device-dev-1")).to_contain_text("black phone, kitchen")
    _shoot(page, artefacts, "household-after")


def _two_that_may_be_one(seed: Any) -> None:
    """A registered phone that left, and a new one that came at once."""
    now = seed.clock.at
    seen = [datetime.fromtimestamp(now - age, UTC).isoformat() for age in (86400.0, 900.0, 600.0, 10.0)]
    seed.site(title="NM-2026-0001")
    seed.device(
        standing="registered",
        label="black phone, kitchen",
        looks_like={
            "text": "A phone, probably by Example",
            "confidence": 0.92,
            "reasons": ["It asks for an address as such phones do", "It looks for the maker's services"],
            "category": "phone",
            "os_family": "Example OS",
            "vendor": "Example",
            "conflicts": ["It asked for updates as a television does"],
        },
        addresses=[
            {
                "mac": "02:00:5e:00:53:01",
                "locally_administered": True,
                "rotating": True,
                "first_seen": seen[0],
                "last_seen": seen[1],
            }
        ],
        presence={"state": "left", "since": seen[1]},
        key_id="k-7",
    )
    seed.device(
        "dev-2",
        addresses=[
            {
                "mac": "02:00:5e:00:53:02",
                "locally_administered": True,
                "rotating": True,
                "first_seen": seen[2],
                "last_seen": seen[3],
            }
        ],
        presence={"state": "here", "since": seen[2]},
    )
    seed.stay(
        started=now - 5000, ended=now - 900, asleep_seconds=1200, ended_because="It was not heard of for ten minutes."
    )
    seed.stay("stay-0", started=now - 90000, ended=now - 80000, ended_because="It left the Wi-Fi.")
    seed.stay("stay-2", device_id="dev-2", mac="02:00:5e:00:53:02", started=now - 600)
    seed.finding(
        kind="same-device",
        device_id="dev-2",
        severity="this_week",
        confidence=0.87,
        reasons=["Probably the registered device “black phone, kitchen” with a new address (87%)."],
        alternatives=["Another device of the same kind, which nobody has registered yet."],
    )
    seed.proposal(
        reasons=["Both give the same name of their own.", "One came soon after the other had left."],
        against=["They ask for the network in slightly different words."],
    )


@pytest.mark.req("R17", "N8")
def test_an_officer_says_that_two_are_one_and_takes_it_back(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], artefacts: Path
) -> None:
    _two_that_may_be_one(served.seed)
    page = open_page(viewport=SIZES["1280"])
    sign_in(page)
    expect(page.locator(".gh-card")).to_contain_text("probably a known one with a new address")
    page.get_by_role("link", name="Look and compare").click()
    _shoot(page, artefacts, "finding-same-device")
    page.goto("/households/site-1")
    expect(page.get_by_text("The box thinks these two may be one device (87%)")).to_be_visible()
    _shoot(page, artefacts, "household-proposal")
    page.get_by_role("link", name="Confirm or refuse").click()
    page.get_by_label("Yes, they are one device").check()
    page.get_by_label("Reason").fill("Shown at the visit")
    _shoot(page, artefacts, "proposal-filled")
    page.get_by_role("button", name="Send to the box").click()
    page.get_by_role("heading", name="Waiting to be sent to the box").wait_for()
    command = served.wait_for_command()
    assert command["body"] == {"action": "answer-proposal", "proposal_id": "prop-1", "confirm": True}
    served.answer(command)
    page.get_by_role("heading", name="Done: the box has applied it").wait_for()

    page.goto("/households/site-1/devices/dev-2")
    expect(page).to_have_url(re.compile(r"/devices/dev-1$"))
    expect(page.get_by_role("heading", name="black phone, kitchen", level=1)).to_be_visible()
    expect(page.locator("#live").get_by_text("An officer said that it is this device")).to_be_visible()
    expect(page.get_by_text("Still there")).to_be_visible()
    _shoot(page, artefacts, "device-joined")

    page.get_by_text("Some of its addresses are another device").click()
    page.get_by_label("02:00:5e:00:53:02").check()
    page.locator("#split-reason").fill("A second phone after all")
    _shoot(page, artefacts, "device-split-filled")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Take this address out of the device?")).to_be_visible()
    assert served.count_commands() == 1
    _shoot(page, artefacts, "split-confirm")
    page.get_by_role("button", name="Yes, send to the box").click()
    command = served.wait_for_command()
    assert command["body"] == {"action": "split-device", "device_id": "dev-1", "macs": ["02:00:5e:00:53:02"]}
    served.answer(command)
    page.get_by_role("heading", name="Done: the box has applied it").wait_for()
    page.goto("/households/site-1/devices")
    expect(page.locator(".gh-device")).to_have_count(2)


@pytest.mark.req("R13")
def test_an_officer_corrects_what_a_device_is(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], artefacts: Path
) -> None:
    _two_that_may_be_one(served.seed)
    # Without a script in the browser: the forms are plain ones.
    page = open_page(viewport=SIZES["390"], java_script_enabled=False)
    sign_in(page)
    page.goto("/households/site-1/devices")
    page.get_by_role("link", name="black phone, kitchen", exact=True).first.click()
    page.get_by_text("What kind of device it is").click()
    page.get_by_label("Kind", exact=True).select_option("television or television box".capitalize())
    page.get_by_label("Maker (optional)").fill("Example")
    page.locator("#correct-reason").fill("Read the label on its back")
    _shoot(page, artefacts, "device-correct-filled")
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#details-correct").get_by_role("button", name="Send to the box").click()
    command = served.wait_for_command()
    assert command["body"]["correction"] == {"category": "tv", "vendor": "Example"}
    served.answer(command)
    page.goto("/households/site-1/devices/dev-1")
    expect(page.get_by_text("television or television box (an officer said so)")).to_be_visible()
    expect(page.locator("#live").get_by_text("An officer said what it is")).to_be_visible()


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
    expect(page.get_by_text("1 was decided and is still open.")).to_be_visible()
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
    expect(page.locator(".gh-summary")).to_have_text(
        "3 of 60 households need a decision, 2 of them today. 1 box needs attention."
    )
    cards = page.locator(".gh-card")
    expect(cards).to_have_count(4)
    first = cards.first.inner_text()
    assert "Act now" in first
    assert "NM-2026-0009" in first
    # All four are seen without scrolling on an ordinary screen of 1280 by 1024.
    last = cards.last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= 1024
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
    page.locator("#reason").fill("Half a sen")
    page.locator("#summary-evidence").click()
    expect(page.get_by_text("Clause", exact=True)).to_be_visible()
    page.locator("#summary-evidence").focus()
    served.seed.rename_device("dev-1", "a new label")
    expect(page.locator("#live")).to_contain_text("a new label")
    expect(page.get_by_text("Clause", exact=True)).to_be_visible()
    expect(page.locator("#summary-evidence")).to_be_focused()
    expect(page.locator("#reason")).to_have_value("Half a sen")
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
    _caseload(served.seed, first=2)
    _two_that_may_be_one(served.seed)
    served.seed.finding("f-0", site="site-9", state="closed", closed_because="An officer registered the device")
    served.signs()
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
            "/households/site-1/findings/find-1",
            "/households/site-1",
            "/households/site-1/devices/dev-1",
            "/households/site-1/proposals/prop-1",
            "/households/site-9/findings/f-3",
            "/households/site-9/devices/dev-2",
            "/households/site-9/devices/dev-2/agent",
            "/households/site-9/arrangements",
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


@pytest.mark.req("N8", "N9")
def test_a_question_and_a_passphrase_are_found_from_today(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], artefacts: Path
) -> None:
    _two_that_may_be_one(served.seed)
    with served.engine.begin() as connection:
        connection.execute(update(schema.finding).values(state="closed"))
    served.seed.device("dev-3", looks_like=None)
    served.seed.finding("find-3", kind="passphrase-shared", device_id="dev-3", key_id="k-7")
    page = open_page(viewport=SIZES["1280"])
    sign_in(page)
    expect(page.locator(".gh-card")).to_have_count(2)
    expect(page.locator(".gh-card").last).to_contain_text("Two devices may be one. Highly likely (about 85%)")
    _shoot(page, artefacts, "today-question")
    page.get_by_role("link", name="Look and compare").click()
    expect(page.get_by_role("heading", name="One device or two?")).to_be_visible()

    page.goto("/")
    page.get_by_role("link", name="Look and decide").click()
    page.get_by_role("link", name="Say what the passphrase is for").click()
    expect(page.get_by_label("Reference of the passphrase")).to_have_value("k-7")
    page.get_by_label("Everybody's in the home").check()
    page.locator("#key-reason").fill("It stands on the board in the kitchen")
    _shoot(page, artefacts, "finding-passphrase")
    page.get_by_role("button", name="Send to the box").first.click()
    command = served.wait_for_command()
    assert command["body"] == {"action": "bind-passphrase", "key_id": "k-7", "purpose": "household"}
    served.answer(command)
    page.get_by_role("heading", name="Done: the box has applied it").wait_for()
