"""A home visit on a phone: with and without scripts, and without a connection; the pages of visits and shares look well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard.store import schema

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}


def _home(served: Any) -> None:
    now = served.seed.clock.at
    served.seed.site(title="NM-2026-0001")
    here = {"state": "here", "since": "2026-01-14T20:00:00+00:00"}
    served.seed.device("dev-1", standing="registered", label="grey laptop", presence=here, first_seen=now - 9e6)
    served.seed.device("dev-2", standing="registered", label="black phone", first_seen=now - 9e6)
    served.seed.finding("find-1", kind="silent-device", device_id="dev-2")


def _begin(page: Page) -> None:
    page.goto("/households/site-1/visits")
    page.get_by_label("The person on the order").check()
    page.get_by_role("button", name="Start a visit").click()
    page.get_by_role("heading", name="Home visit").wait_for()


def _ready(page: Page) -> None:
    # Not wait_for_function: what it asks again and again it evaluates in the page, whose policy allows no eval.
    page.locator("#sheet[data-ready='1']").wait_for()


def _call(page: Page) -> None:
    page.get_by_role("group", name="grey laptop").get_by_label("Not shown").check()
    page.get_by_role("group", name="black phone").get_by_label("Not at home").check()
    page.get_by_label("How many devices do you use").fill("3")


@pytest.mark.req("N14", "S1", "R44", "R45")
def test_a_visit_from_the_page_before_to_the_line_for_the_case_system(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], *, scripted: bool
) -> None:
    _home(served)
    page = open_page(viewport=PHONE, java_script_enabled=scripted)
    sign_in(page)
    page.goto("/households/site-1/visits/before")
    expect(page.get_by_text("How has the device been used lately")).to_be_visible()
    _begin(page)
    _call(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(page.get_by_text("Said: 3 devices.")).to_be_visible()
    page.get_by_role("group", name="grey laptop").get_by_label("Seen at the visit").check()
    page.get_by_role("button", name="Save, then check and sign").click()
    page.get_by_role("heading", name="Check and sign").wait_for()
    page.get_by_label("Follow-up agreed").check()
    page.get_by_label("Sign: type your name").fill("officer-1")
    page.get_by_role("button", name="Sign the visit").click()
    line = page.locator("#case-line")
    expect(line).to_have_value(re.compile(r"^Home visit .*1 seen, 0 not shown, 1 not at home.*Follow-up agreed\. Ref"))
    assert served.seed.rows(schema.visit)[0]["state"] == "signed"


@pytest.fixture
def phone(chromium: Browser, served: Any) -> Iterator[BrowserContext]:
    """A phone whose connection goes: what its console says of that is no fault of the page."""
    context = chromium.new_context(base_url=served.address, viewport=PHONE)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.mark.req("N14")
def test_a_sheet_is_filled_in_without_a_connection_and_saved_later(
    served: Any, phone: BrowserContext, sign_in: Callable[..., None]
) -> None:
    _home(served)
    page = phone.new_page()
    sign_in(page)
    _begin(page)
    _ready(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    # Saved once with a connection, as one does: the page that says so is the one that is typed into then.
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    _ready(page)
    phone.set_offline(True)
    _call(page)
    page.get_by_label("Note (optional): black phone").fill("with a friend")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("There is no connection.")).to_be_visible()
    expect(page.get_by_text("Saved.", exact=True)).to_be_hidden()
    kept = page.evaluate("JSON.stringify(Object.assign({}, localStorage))")
    for readable in ("friend", "dev-1", "laptop", "not-shown"):
        assert readable not in kept
    # The phone drops the page: without a connection there is one that says nothing about anybody.
    page.reload()
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    assert "NM-2026" not in page.content()
    phone.set_offline(False)
    page.reload()
    expect(page.get_by_text("What you typed and had not saved is here again.")).to_be_visible()
    expect(page.get_by_text("Saved.", exact=True)).to_be_hidden()
    expect(page.get_by_label("Note (optional): black phone")).to_have_value("with a friend")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    _ready(page)
    assert page.evaluate("Object.keys(localStorage).length") == 0
    states = {row["device_id"]: (row["state"], row["note"]) for row in served.seed.rows(schema.visit_line)}
    assert states == {"dev-1": ("not-shown", ""), "dev-2": ("not-home", "with a friend")}


@pytest.mark.req("N14")
def test_the_pages_of_a_visit_can_be_used_by_everyone(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], accessible: Callable[..., None]
) -> None:
    _home(served)
    page = open_page()
    sign_in(page)
    _begin(page)
    sheet = page.url
    accessible(page, "visit")
    page.goto(f"{sheet}/paper")
    accessible(page, "visit-sheet")
    page.goto(f"{sheet}/sign")
    page.get_by_role("button", name="Sign the visit").click()
    page.get_by_role("heading", name="There is a problem").wait_for()
    accessible(page, "visit-sign")
    page.get_by_label("Advice given").check()
    page.get_by_label("Sign: type your name").fill("officer-1")
    page.get_by_role("button", name="Sign the visit").click()
    page.locator("#case-line").wait_for()
    accessible(page, "visit-signed")


LISTS = {
    "visits": ("visits", "visits/before"),
    "papers": ("summary", "summary/others"),
    "shares": ("shares", "transfer", "history"),
}


@pytest.mark.req("S2", "R44", "R76")
@pytest.mark.parametrize("group", LISTS)
def test_lists_and_papers_can_be_used_by_everyone(
    served: Any,
    open_page: Callable[..., Page],
    sign_in: Callable[..., None],
    accessible: Callable[..., None],
    *,
    group: str,
) -> None:
    _home(served)
    page = open_page()
    sign_in(page)
    for path in LISTS[group]:
        page.goto(f"/households/site-1/{path}")
        assert page.url.endswith(path), "it was shown, and led to no other page"
        accessible(page, f"household-{path.replace('/', '-')}")


@pytest.mark.req("S2")
def test_a_reader_of_another_agency_opens_a_share(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], accessible: Callable[..., None]
) -> None:
    _home(served)
    page = open_page()
    sign_in(page)
    page.goto("/households/site-1/shares")
    for label, text in (("Agency", "Eastdale care"), ("Post", "social worker"), ("Purpose", "Review")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Visits: dates").check()
    page.get_by_label("Findings: what").check()
    page.get_by_label("For how many days").fill("7")
    page.get_by_role("button", name="Share", exact=True).click()
    code = page.locator(".gh-alert--done .gh-mono").inner_text()
    link = page.locator(".gh-alert--done bdi").nth(1).inner_text()
    reader = open_page()
    reader.goto(link)
    reader.get_by_label("Code", exact=True).fill(code)
    reader.get_by_role("button", name="Open").click()
    expect(reader.get_by_text("quieter than in its own usual weeks")).to_be_visible()
    accessible(reader, "shared")
    watcher = open_page()
    watcher.goto(link)
    accessible(watcher, "shared-enter")
