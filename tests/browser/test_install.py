"""A box is fitted on a telephone, from its code to the certificate, with and without JavaScript."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from dashboard.store import schema, stock
from wire.authority import parse_document, sign
from wire.claim import CODE_ALPHABET, CODE_LENGTH, LINK, BoxCard, code_digest, label_of, sign_card
from wire.enrolment import EnrolmentRequest, request_bytes
from wire.keys import public_text

pytestmark = pytest.mark.browser
PHONE: Any = {"width": 390, "height": 844}
SMALL: Any = {"width": 320, "height": 640}
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

    page.goto(f"{at}/wifi")
    look("wifi")
    page.get_by_label("Wi-Fi name").fill("Home")
    page.get_by_label("Wi-Fi passphrase").fill("the words of this home")
    press("Save the Wi-Fi")
    expect(page.get_by_text("Waits for the box").first).to_be_visible()
    expect(page.get_by_text("the words of this home")).to_have_count(0)

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


@pytest.mark.req("R3", "R5")
@pytest.mark.timeout(240)
def test_a_telephone_carries_what_a_box_without_internet_asks(  # noqa: PLR0917 - fixtures
    served: Any,
    open_page: Callable[..., Page],
    sign_in: Callable[..., None],
    accessible: Callable[..., None],
    scripted: bool,
    tmp_path: Path,
) -> None:
    page = open_page(java_script_enabled=scripted, viewport=SMALL)
    sign_in(page)
    page.goto("/install")
    page.get_by_label("Reference of the case").fill("NM-0042")
    page.get_by_role("button", name="Begin").click()
    at = page.url
    box, label = _new_box(served)
    page.goto(f"{at}/box")
    page.get_by_label("Code on the box").fill(label)
    page.get_by_role("button", name="Claim this box").click()
    page.goto(f"{at}/connect")
    page.get_by_role("link", name="The home has no internet").click()
    asked = tmp_path / "asked.txt"
    asked.write_bytes(box)
    page.get_by_label("File from the box").set_input_files(asked)
    page.get_by_role("button", name="Hand it in").click()
    expect(page.locator('[data-check="answer"]')).to_contain_text("Working on it")
    with served.engine.begin() as connection:
        waiting = connection.execute(select(schema.relay.c.request)).scalar_one()
        assert waiting.encode() == box
        values = {"state": "done", "answer": "c2VhbGVk", "answered_at": served.seed.clock.at}
        connection.execute(update(schema.relay).values(**values))
    link = page.get_by_role("link", name="Save the answer for the box")
    expect(link).to_be_visible()  # with a script or without, the page looks again by itself
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_text() == "c2VhbGVk\n"
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    if scripted:
        accessible(page, "install-relay")


def _new_box(served: Any) -> tuple[bytes, str]:
    """A box in stock: what it asks, and the text of its label."""
    signing, sealing, key = Ed25519PrivateKey.generate(), X25519PrivateKey.generate(), generate_private_key(SECP256R1())
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    now = datetime.now(UTC)
    card = BoxCard(
        tenant="northmoor",
        site="box-8",
        verify_key=public_text(signing),
        seal_key=public_text(sealing),
        code_sha256=code_digest("box-8", code),
        made_at=now,
    )
    with served.engine.begin() as connection:
        stock.stock_box(connection, card, by=None, now=served.seed.clock.at)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box-8")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
    text, signed = csr.public_bytes(Encoding.PEM).decode(), sign_card(card, signing)
    signature = base64.b64encode(signing.sign(request_bytes(signed, text, now))).decode()
    request = EnrolmentRequest(card=signed, csr=text, at=now, signature=signature)
    return request.model_dump_json().encode(), label_of(card, code).text()


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
