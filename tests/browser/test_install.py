"""A box is fitted on a telephone, from its code to the certificate, with and without JavaScript."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from playwright.sync_api import Page, expect
from sqlalchemy import update

from dashboard.store import schema, stock
from wire.authority import parse_document, sign
from wire.claim import CODE_ALPHABET, CODE_LENGTH, LINK, BoxCard, code_digest, label_of
from wire.keys import public_text

pytestmark = pytest.mark.browser
PHONE: Any = {"width": 390, "height": 844}
SITE = "box-7"


def _stock(served: Any) -> str:
    """A box in stock; the text of its label."""
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    card = BoxCard(
        tenant="northmoor",
        site=SITE,
        verify_key=public_text(Ed25519PrivateKey.generate()),
        seal_key=public_text(X25519PrivateKey.generate()),
        code_sha256=code_digest(SITE, code),
        made_at=datetime.now(UTC),
    )
    with served.engine.begin() as connection:
        stock.stock_box(connection, card, by=None, now=served.seed.clock.at)
    return label_of(card, code).text()


def _speak(served: Any, **values: Any) -> None:
    """The box says how it is."""
    now = served.seed.clock.at
    said = {
        "online": True,
        "at": datetime.fromtimestamp(now, UTC).isoformat(),
        "recording": True,
        "clock": "authenticated",
        "outbox": 0,
    }
    with served.engine.begin() as connection:
        connection.execute(
            update(schema.site)
            .where(schema.site.c.site == SITE)
            .values(status=said | values, status_at=now, heard_at=now)
        )


def _answer(served: Any, action: str) -> None:
    now = served.seed.clock.at
    with served.engine.begin() as connection:
        of = schema.command.c.body["action"].as_string() == action
        connection.execute(update(schema.command).where(of).values(state="applied", answered_at=now))


@pytest.mark.req("R1", "R2", "R3", "R59", "R60")
@pytest.mark.timeout(240)
def test_a_box_is_fitted_on_a_telephone(  # noqa: PLR0915 - one journey, told in its order
    served: Any,
    open_page: Callable[..., Page],
    sign_in: Callable[..., None],
    accessible: Callable[..., None],
    scripted: bool,
) -> None:
    page = open_page(java_script_enabled=scripted, viewport=PHONE)
    sign_in(page)

    def look(name: str) -> None:
        if scripted:
            accessible(page, f"install-{name}")
            page.set_viewport_size(PHONE)

    def press(name: str) -> None:
        page.get_by_role("button", name=name).click()

    page.goto("/install")
    look("list")
    page.get_by_label("Reference of the case").fill("NM-0042")
    press("Begin")
    at = page.url
    look("tasks")

    label = _stock(served)
    if scripted:
        page.goto(f"{LINK}{label}")
        expect(page.get_by_label("Code on the box")).to_have_value(label)
        assert "#" not in page.url
        page.get_by_label("NM-0042").check()
    else:
        page.goto(f"{at}/box")
        page.get_by_label("Code on the box").fill(label)
    press("Claim this box")
    expect(page.get_by_text(SITE).first).to_be_visible()

    _order(page, at)
    look("order")
    document = parse_document(page.request.get(f"{at}/order/document.json").body())
    signed = sign(document, served.issuer).model_dump_json()
    page.get_by_label("Or paste it here").fill(signed)
    press("Check it, and ask to confirm")
    expect(page.get_by_role("link", name="Confirm order")).to_be_visible()

    page.goto(f"{at}/notice?language=ar")
    expect(page.locator('article[lang="ar"]')).to_have_attribute("dir", "rtl")
    look("notice")
    _people(page, at, scripted=scripted, look=look)

    page.goto(f"{at}/never")
    look("never")
    page.get_by_label("None of these").check()
    press("Save")

    page.goto(f"{at}/connect")
    expect(page.locator("#live").get_by_text("Waiting for the box to be heard.")).to_be_visible()
    _speak(served, authority_id=document.id)
    if scripted:
        expect(page.locator("#live").get_by_text("The box has been heard.")).to_be_visible()
    else:
        page.reload()
    look("connect")
    page.get_by_label("It is off").check()
    press("Save and go on")

    page.goto(f"{at}/wifi")
    page.get_by_label("Wi-Fi name").fill("Home")
    page.get_by_label("Devices, one a line").fill("black phone\nlaptop")
    press("Make the cards")
    expect(page.get_by_role("img", name="Code for a camera: laptop")).to_be_visible()
    look("cards")

    for number in range(3):
        served.seed.device(f"dev-{number}", site=SITE)
    page.goto(f"{at}/devices")
    look("devices")
    for number in range(3):
        page.locator(f"#standing-dev-{number}").select_option("household")
    press("Confirm these devices")
    expect(page.get_by_text("Waiting", exact=False).first).to_be_visible()

    page.goto(f"{at}/test")
    page.get_by_label("I saw a telephone join").check()
    press("Start the test")
    expect(page.locator('[data-check="delivery"]')).to_contain_text("Checking")
    _speak(served, authority_id=document.id)
    _answer(served, "run-probe")
    expect(page.locator("#live").get_by_text("Everything works.")).to_be_visible()
    look("test")
    page.goto(f"{at}/sign")
    look("sign")
    page.get_by_label("Your name or number").fill("Officer 12")
    press("Sign and close the visit")
    page.get_by_role("link", name="Certificate").click()
    expect(page.get_by_role("heading", name="Certificate of installation").first).to_be_visible()
    look("certificate")
    made = page.request.get(f"{at}/certificate.pdf")
    assert made.body().startswith(b"%PDF")


def _order(page: Page, at: str) -> None:
    today = datetime.now(UTC).date()
    page.goto(f"{at}/order")
    page.get_by_label("A court order").check()
    page.get_by_label("Reference of the order").fill("EX-1")
    page.get_by_label("To prevent").check()
    page.get_by_label("Responsible: ").fill("duty officer")
    page.get_by_label("First day").fill(today.isoformat())
    page.get_by_label("Last day").fill((today + timedelta(days=180)).isoformat())
    page.get_by_label("To be reviewed by").fill((today + timedelta(days=90)).isoformat())
    page.get_by_label("Devices must be registered").check()
    page.get_by_role("button", name="Prepare the document").click()
    expect(page.get_by_role("heading", name="The document as prepared")).to_be_visible()


def _people(page: Page, at: str, *, scripted: bool, look: Callable[[str], None]) -> None:
    page.goto(f"{at}/people")
    look("people")
    page.get_by_label("Language of the notice").select_option("ar")
    page.get_by_label("I explained it").check()
    if scripted:
        area = page.locator("[data-draw-area]")
        area.scroll_into_view_if_needed()
        place = area.bounding_box()
        assert place is not None
        page.mouse.move(place["x"] + 20, place["y"] + 20)
        page.mouse.down()
        page.mouse.move(place["x"] + 90, place["y"] + 60, steps=4)
        page.mouse.up()
    else:
        expect(page.locator("[data-draw]")).to_be_hidden()
        page.get_by_label("Signature, typed by them").fill("X. Y.")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("signed by hand" if scripted else "Was told, signed,")).to_be_visible()
    page.get_by_label("Every adult who is at the address").check()
    page.get_by_role("button", name="Save and go on").click()
