"""Two officers and the law of a household: a document, a hold, an emergency, a request, records handed out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import select

from dashboard.store import schema
from wire.authority import Authority, sign

pytestmark = pytest.mark.browser
LAW = "/households/site-1/law"
DEVICE = "/households/site-1/devices/dev-1/law"
HANDED = "/households/site-1/handed"
REQUESTS = "/households/site-1/requests"
SIZES = {"1280": {"width": 1280, "height": 900}, "390": {"width": 390, "height": 844}}
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def _shoot(page: Page, folder: Path, name: str) -> None:
    for width, size in SIZES.items():
        page.set_viewport_size(size)
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)


def _home(served: Any) -> None:
    """A household with a device, two requests, records that are ready and some that are on their way."""
    seed, now = served.seed, served.seed.clock.at
    seed.site(title="NM-2026-0001")
    seed.device(standing="household", label="black phone, kitchen")
    about = {"site": "site-1", "proved": True, "stored_at": now, "note": "", "device_id": "dev-1"}
    seed._insert(
        schema.request,
        about | {"request_id": "r-1", "kind": "complaint", "text": "It is slow.", "at": now - 900, "state": "open"},
    )
    answered = {"state": "answered", "note": "Explained at a visit", "answered_at": now - 60}
    seed._insert(
        schema.request,
        about | {"request_id": "r-2", "kind": "guest", "text": "Mine", "at": now - 9000} | answered,
    )
    for name, state in (("b-ready", "complete"), ("b-coming", "fetching"), ("b-gone", "gone")):
        seed._insert(
            schema.bundle,
            {
                "site": "site-1",
                "bundle_id": name,
                "state": state,
                "problem": "",
                "by": "nobody",
                "parts": 4,
                "data_octets": 9000,
                "data_sha256": "ab" * 32,
                "records": 1200,
                "built_at": now - 600,
                "expires": now + 86400,
                "progress_at": now,
                "octets": 9000 if state == "complete" else None,
                "sha256": "cd" * 32 if state == "complete" else None,
            },
        )


def _document(served: Any) -> bytes:
    now = datetime.now(UTC)
    document = Authority.model_validate(
        {
            "id": "order-7",
            "number": 2,
            "kind": "order",
            "reference": "REF-7",
            "purpose": "prevent",
            "tenant": "northmoor",
            "site": "site-1",
            "responsible_officer": "OM-12",
            "issued_at": now,
            "not_before": now,
            "not_after": now + timedelta(days=90),
            "review_date": now + timedelta(days=30),
            "consents": [{"id": "adult-1", "role": "adult", "kind": "notice", "given_at": now}],
            "clauses": [
                {"number": "1", "kind": "register"},
                {"number": "2", "kind": "collect", "standings": ["registered"], "classes": ["presence", "list_hits"]},
                {"number": "3", "kind": "lists", "standings": ["registered"], "lists": ["demo-list"]},
            ],
        }
    )
    return sign(document, served.issuer).model_dump_json(exclude_none=True).encode()


def _faults(page: Page) -> list[str]:
    results = Axe().run(page, options=AXE)
    return [
        f"{fault['id']}: {node['html'][:200]}" for fault in results.response["violations"] for node in fault["nodes"]
    ]


def _commands(served: Any) -> list[dict[str, Any]]:
    with served.engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(schema.command)).mappings()]


@pytest.mark.req("R53", "R60")
def test_two_officers_put_a_document_in_force(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], artefacts: Path
) -> None:
    _home(served)
    one = open_page(viewport=SIZES["1280"])
    sign_in(one, "officer-1")
    one.goto(LAW)
    for summary in one.locator("summary").all():
        summary.click()
    _shoot(one, artefacts, "law-forms")
    form = one.locator(f'form[action="{LAW}/document"]')
    order = FilePayload(name="order.json", mimeType="application/json", buffer=_document(served))
    form.get_by_label("Signed document").set_input_files(order)
    form.get_by_label("Reason").fill("Ordered by the court")
    form.get_by_role("button", name="Check, and ask to put in force").click()
    expect(one.locator("main")).to_contain_text("second person")
    _shoot(one, artefacts, "command-second")
    assert one.get_by_role("button", name="Agree and send").count() == 0, "not by who asked"

    two = open_page(viewport=SIZES["390"], java_script_enabled=False)
    sign_in(two, "officer-2")
    _shoot(two, artefacts, "today-second")
    (waits,) = _commands(served)
    two.locator(f'main a[href="/commands/{waits["command_id"]}"]').first.click()
    agree = two.locator(f'form[action="/commands/{waits["command_id"]}/agree"]')
    if not agree.is_visible():
        two.get_by_text("Agree, and send it to the box").first.click()
    agree.get_by_label("Reason").fill("I read it")
    expect(two.locator("main")).to_contain_text("listed names that it asks for")  # what it is that they agree to
    _shoot(two, artefacts, "command-agree")
    agree.get_by_role("button", name="Agree and send").click()
    (sent,) = _commands(served)
    assert (sent["state"], sent["second"] != sent["by"], sent["second_reason"]) == ("waiting", True, "I read it")


@pytest.mark.req("R61")
def test_an_emergency_is_told_to_the_other_officer(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], artefacts: Path
) -> None:
    _home(served)
    two = open_page(viewport=SIZES["1280"])
    sign_in(two, "officer-2")
    one = open_page(viewport=SIZES["390"])
    sign_in(one, "officer-1")
    one.goto(DEVICE)
    form = one.locator(f'form[action="{DEVICE}/unmask"]')
    if not form.is_visible():
        one.get_by_text("Look at this device as at a registered one", exact=True).first.click()
    form.get_by_label("For how many hours?").fill("1")
    form.get_by_label("Reason").fill("A child may be at risk")
    form.get_by_role("checkbox").check()
    _shoot(one, artefacts, "emergency-form")
    form.get_by_role("button", name="Ask to look").click()
    (sent,) = _commands(served)
    assert (sent["state"], sent["break_glass"]) == ("waiting", True)

    # The other's page is open: it is told there without being loaded again.
    expect(two.locator("main")).to_contain_text("emergency", timeout=20_000)
    two.goto("/households")
    expect(two.locator("body")).to_contain_text("in an emergency, what else takes two")
    assert _faults(two) == []
    _shoot(two, artefacts, "told")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_fault_and_no_sideways_scrolling(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], scheme: str, artefacts: Path
) -> None:
    _home(served)
    page = open_page(viewport={"width": 320, "height": 800}, color_scheme=scheme)
    sign_in(page)
    page.goto(LAW)
    form = page.locator(f'form[action="{LAW}/document"]')
    if not form.is_visible():
        page.get_by_text("Hand in a signed document", exact=True).first.click()
    order = FilePayload(name="order.json", mimeType="application/json", buffer=_document(served))
    form.get_by_label("Signed document").set_input_files(order)
    form.get_by_label("Reason").fill("Ordered by the court")
    form.get_by_role("button", name="Check, and ask to put in force").click()
    (waits,) = _commands(served)
    for name, path in (
        ("law", LAW),
        ("device-law", DEVICE),
        ("handed", HANDED),
        ("requests", REQUESTS),
        ("command", f"/commands/{waits['command_id']}"),
        ("today", "/"),
    ):
        page.goto(path)
        for summary in page.locator("summary").all():
            summary.click()
        assert _faults(page) == [], path
        assert page.locator("h1").count() == 1, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.screenshot(path=artefacts / f"law-{name}-{scheme}-320.png", full_page=True)
        if scheme == "light":
            _shoot(page, artefacts, f"law-{name}")
            page.set_viewport_size({"width": 320, "height": 800})


def test_a_form_that_lacks_something_comes_back_with_what_was_typed(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], artefacts: Path
) -> None:
    _home(served)
    page = open_page(viewport=SIZES["390"])
    sign_in(page)
    page.goto(LAW)
    form = page.locator(f'form[action="{LAW}/hold"]')
    if not form.is_visible():
        page.get_by_text("Keep records of a case longer", exact=True).first.click()
    form.get_by_label("Reason").fill("The case of the summer")
    form.get_by_role("button", name="Ask to keep the records").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator(f'form[action="{LAW}/hold"]').get_by_label("Reason")).to_have_value("The case of the summer")
    assert _faults(page) == []
    _shoot(page, artefacts, "hold-errors")
    assert _commands(served) == []
