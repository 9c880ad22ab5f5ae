"""A household's tabs in a browser: ten devices named in one form, notes put right, and every tab looked over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select

from dashboard import auth
from dashboard.access import Role
from dashboard.store import cases, schema
from dashboard.store.cases import Risk
from dashboard.store.engine import reading
from dashboard.store.law import keep_document
from wire.authority import Authority, sign

pytestmark = pytest.mark.browser
DAY = 86400.0
TABS = ("", "/devices", "/timeline", "/activity", "/coverage", "/box", "/law", "/person")


def _order(served: Any) -> None:
    """A document in force that allows a pattern of use, as two people and the box put it there."""
    now = datetime.fromtimestamp(served.seed.clock.at, UTC)
    collected = {"standings": ["registered"], "classes": ["presence", "list_hits", "volumes"]}
    document = Authority.model_validate(
        {
            "id": "order-7",
            "number": 1,
            "kind": "order",
            "reference": "REF-7",
            "purpose": "prevent",
            "tenant": "northmoor",
            "site": "site-1",
            "responsible_officer": "OM-12",
            "issued_at": now - timedelta(days=70),
            "not_before": now - timedelta(days=70),
            "not_after": now + timedelta(days=90),
            "review_date": now + timedelta(days=30),
            "consents": [{"id": "adult-1", "role": "adult", "kind": "notice", "given_at": now - timedelta(days=70)}],
            "clauses": [{"number": "1", "kind": "register"}, {"number": "2", "kind": "collect", **collected}],
        }
    )
    by = auth.add_account(served.engine, name="supervisor", role=Role.SUPERVISOR, now=0.0)
    signed = sign(document, served.issuer).model_dump_json(exclude_none=True)
    body = {"action": "set-authority", "document": signed}
    at = document.not_before.timestamp()
    row = {"command_id": "force-1", "site": "site-1", "body": body, "reason": "Order", "by": by, "created_at": at}
    with served.engine.begin() as connection:
        keep_document(connection, site_id="site-1", authority_id="order-7", number=1, document=signed, by=by, now=at)
    served.seed._insert(
        schema.command, row | {"expires_at": at, "state": "applied", "detail": "", "answered_at": at, "second": by}
    )


def _rich(served: Any) -> None:
    """A household with something on each tab."""
    seed, now = served.seed, served.seed.clock.at
    seed.site()
    here = {"state": "here", "since": "2026-01-14T20:00:00Z"}
    seed.device("dev-1", standing="registered", label="grey laptop", presence=here, first_seen=now - 70 * DAY)
    seed.device("dev-2", standing="guest", label="a visitor's phone")
    for number in range(3, 13):
        seed.device(f"dev-{number}")
    seed.proposal(device_id="dev-2", other_id="dev-3")
    seed.finding(severity="act_now", device_id="dev-1")
    seed.finding("find-2", kind="trend", severity="information", device_id="dev-1")
    seed.finding("find-3", device_id="dev-4", state="closed", closed_because="An officer registered it")
    for back in range(60):
        seed.stay(f"s-{back}", started=now - back * DAY - 7200, ended=now - back * DAY - 60)
    seed.stay("s-x", device_id="dev-2", started=now - 5000)
    _order(served)
    told = {"source": "s", "id": "e-1", "site": "site-1", "type": "gatehouse.device.v1", "digest": "0", "payload": {}}
    seed._insert(schema.event, told | {"received_at": now - 69 * DAY})
    with served.engine.begin() as connection:
        connection.execute(
            insert(schema.gap),
            [
                {"site": "site-1", "started": now - at, "ended": now - at + 900, "cause": "keeper-away"}
                for at in (9e4, 4e3)
            ],
        )
        cases.keep_person(
            connection,
            tenant="northmoor",
            site_id="site-1",
            reference="NM/7",
            name=None,
            risk=Risk.VERY_HIGH,
            review_days=None,
            revision=0,
            by="nobody",
            now=now - DAY,
        )


def _commands(served: Any) -> list[dict[str, Any]]:
    about = schema.command.c.device_id.is_not(None)
    with reading(served.engine).connect() as connection:
        return [dict(row) for row in connection.execute(select(schema.command).where(about)).mappings()]


@pytest.mark.req("R7", "R13")
def test_ten_devices_are_given_to_the_household_in_one_form(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], scripted: bool
) -> None:
    _rich(served)
    page = open_page(viewport={"width": 390, "height": 844}, java_script_enabled=scripted)
    sign_in(page)
    page.goto("/households/site-1")
    page.get_by_role("link", name="Devices", exact=True).click()
    expect(page.get_by_role("heading", name="Devices", level=1)).to_be_visible()
    for number in range(3, 13):
        page.locator(f"#tick-dev-{number}").check()
    page.get_by_role("button", name="Continue").click()
    # Nothing that was ticked is lost when something is left out.
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(page.locator("input[name=device]:checked")).to_have_count(10)
    page.get_by_label("Household member").check()
    page.get_by_label("Reason").fill("Shown at the visit")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Confirm whose these devices are").wait_for()
    assert _commands(served) == []
    page.locator("#label-dev-3").fill("kitchen tablet")
    page.get_by_role("button", name="Yes, send to the box").click()
    page.get_by_role("heading", name="Asked of the box").wait_for()
    sent = {row["device_id"]: row["body"].get("label") for row in _commands(served)}
    assert len(sent) == 10
    assert sent["dev-3"] == "kitchen tablet"
    page.get_by_role("button", name="Look once").click()
    page.get_by_role("heading", name="In use now").wait_for()
    expect(page.get_by_text("Here since")).to_have_count(1)


@pytest.mark.req("S3")
def test_a_note_is_written_and_put_right(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], accessible: Callable[..., None]
) -> None:
    _rich(served)
    page = open_page()
    sign_in(page)
    page.goto("/households/site-1/notes")
    page.get_by_label("Note", exact=True).fill("Spoke at the door on Tuesday.")
    page.get_by_label("Agency").fill("Probation")
    page.get_by_label("Heading of the risk review (optional)").select_option("Social influences")
    page.get_by_role("button", name="Keep the note").click()
    page.get_by_role("link", name="Put it right").click()
    page.get_by_label("Note", exact=True).fill("It was on Wednesday.")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("A later note puts this right")).to_be_visible()
    expect(page.get_by_text("It was on Wednesday.")).to_be_visible()
    accessible(page, "household-notes")


@pytest.mark.req("R20", "R41")
@pytest.mark.parametrize("tabs", [TABS[:3], TABS[3:6], TABS[6:]], ids=["first", "second", "third"])
def test_every_tab_is_accessible_and_prints_without_what_is_only_for_the_screen(
    served: Any,
    open_page: Callable[..., Page],
    sign_in: Callable[..., None],
    accessible: Callable[..., None],
    *,
    tabs: tuple[str, ...],
) -> None:
    _rich(served)
    page = open_page()
    sign_in(page)
    for tab in tabs:
        page.goto(f"/households/site-1{tab}")
        expect(page.locator(".gh-badge")).to_have_text("Very high risk")
        expect(page.get_by_text("Order from")).to_be_visible()
        if tab == "/activity":
            expect(page.get_by_text("Clause 2 of REF-7 allows it.")).to_be_visible()
        accessible(page, "household" + tab.replace("/", "-"))
        page.emulate_media(media="print")
        for gone in (".gh-tabs", ".gh-form", ".gh-filter"):
            assert page.locator(f"{gone}:visible").count() == 0, (tab, gone)
        page.emulate_media(media="screen")
