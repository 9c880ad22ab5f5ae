"""The ways of the wizard that pictures are taken of: a box is fitted, and another is taken away, on a telephone.

In: a signed-in page of a made-up operator, its database, and what takes a picture. Out: pictures by name. The box is played:
rows are written as ingest writes them. Bounded: one installation and one removal.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from playwright.sync_api import Page
from sqlalchemy import Engine, update

from appliance import clock
from dashboard.store import schema, stock
from wire.authority import parse_document, sign
from wire.claim import CODE_ALPHABET, CODE_LENGTH, BoxCard, code_digest, label_of
from wire.keys import public_text

NAMES = (
    "install-tasks-phone", "install-wifi-phone", "install-cards-phone", "install-connect-phone", "install-relay-phone",
    "install-test-phone", "install-sign-phone", "removal-phone", "removal-wipe-phone", "removal-collect-phone",
)  # fmt: skip
SITE, OFFLINE = "box-7k2m4q9x1c", "box-3f8w5n2r6d"
Shoot = Callable[[Page, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wizard:
    """The wizard with what plays the box."""

    page: Page
    engine: Engine
    tenant: str
    issuer: Ed25519PrivateKey
    """May issue authority documents here."""
    shoot: Shoot

    def fit(self) -> None:
        """Fit a box, from the empty list to the signature."""
        page = self.page
        at = self._begin("NM-0061", SITE)
        self._order(at)
        page.goto(f"{at}/people")
        page.get_by_label("I explained it").check()
        page.get_by_label("Signature, typed by them").fill("X. Y.")
        self._press("Add")
        page.get_by_label("Every adult who is at the address").check()
        self._press("Save and go on")
        page.goto(f"{at}/never")
        page.get_by_label("None of these").check()
        self._press("Save")
        page.goto(at)
        self.shoot(page, "install-tasks-phone")
        page.goto(f"{at}/wifi")
        self.shoot(page, "install-wifi-phone")
        page.get_by_label("Wi-Fi name").fill("Home-5G")
        page.get_by_label("Wi-Fi passphrase").fill("made up for a picture")
        self._press("Save the Wi-Fi")
        page.goto(f"{at}/connect")
        self.shoot(page, "install-connect-phone")
        document = parse_document(page.request.get(f"{at}/order/document.json").body())
        self._says(SITE, authority_id=document.id, wifi={"up": True, "stations": 2, "passphrases": 3})
        page.reload()
        page.get_by_label("It is off").check()
        self._press("Save and go on")
        page.goto(f"{at}/wifi")
        page.get_by_label("Devices, one a line").fill("black phone\nlaptop")
        self._press("Make the cards")
        self.shoot(page, "install-cards-phone")
        page.goto(f"{at}/test")
        page.get_by_label("I saw a telephone join").check()
        self._press("Start the test")
        self._says(SITE, authority_id=document.id, wifi={"up": True, "stations": 2, "passphrases": 3})
        self._answers("run-probe")
        self._joined(SITE)
        page.reload()
        self.shoot(page, "install-test-phone")
        page.goto(f"{at}/sign")
        self.shoot(page, "install-sign-phone")

    def carry(self) -> None:
        """The telephone carries what a box without internet asks."""
        page = self.page
        at = self._begin("NM-0062", OFFLINE)
        page.goto(f"{at}/relay")
        self.shoot(page, "install-relay-phone")

    def take_away(self, reference: str) -> None:
        """Take the box of a household away."""
        page = self.page
        page.goto("/install")
        page.locator("summary").filter(has_text="Take a box away").click()
        page.get_by_label("Household").select_option(label=reference)
        self._press("Begin taking it away")
        at = page.url
        self.shoot(page, "removal-phone")
        page.goto(f"{at}/end")
        page.get_by_label("Reason").fill("The order has ended")
        self._press("End the recording")
        self._answers("withdraw-consent")
        page.goto(f"{at}/wipe")
        self.shoot(page, "removal-wipe-phone")
        page.get_by_label("What a court or the person is to have was downloaded").check()
        self._press("Empty the box")
        site = self._answers("wipe-box")
        gone = {"removal_id": at.rpartition("/")[2], "at": _iso(clock.now()), "keys_destroyed": 31, "files_removed": 57}
        self._says(site, removed=gone)
        page.goto(f"{at}/wipe")
        page.goto(f"{at}/collect")
        self.shoot(page, "removal-collect-phone")

    # --- inside -------------------------------------------------------------------------------

    def _begin(self, reference: str, site: str) -> str:
        page = self.page
        page.goto("/install")
        page.get_by_label("Reference of the case").fill(reference)
        self.page.get_by_role("button", name="Begin", exact=True).click()
        at = page.url
        page.goto(f"{at}/box")
        page.get_by_label("Code on the box").fill(self._label(site))
        self._press("Claim this box")
        return at

    def _order(self, at: str) -> None:
        page, today = self.page, datetime.fromtimestamp(clock.now(), UTC).date()
        page.goto(f"{at}/order")
        page.get_by_label("A court order").check()
        page.get_by_label("Reference of the order").fill("EX-1")
        page.get_by_label("To prevent").check()
        page.get_by_label("Responsible: ").fill("duty officer")
        for label, days in (("First day", 0), ("Last day", 180), ("To be reviewed by", 90)):
            page.get_by_label(label).fill((today + timedelta(days=days)).isoformat())
        page.get_by_label("Devices must be registered").check()
        self._press("Prepare the document")
        document = parse_document(page.request.get(f"{at}/order/document.json").body())
        page.get_by_label("Or paste it here").fill(sign(document, self.issuer).model_dump_json())
        self._press("Check it, and ask to confirm")

    def _press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def _label(self, site: str) -> str:
        """A box in stock; the text of its label."""
        code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        card = BoxCard(
            tenant=self.tenant,
            site=site,
            verify_key=public_text(Ed25519PrivateKey.generate()),
            seal_key=public_text(X25519PrivateKey.generate()),
            code_sha256=code_digest(site, code),
            made_at=datetime.fromtimestamp(clock.now(), UTC),
        )
        with self.engine.begin() as connection:
            stock.stock_box(connection, card, by=None, now=clock.now())
        return label_of(card, code).text()

    def _says(self, site: str, **values: object) -> None:
        now = clock.now()
        said = {"online": True, "at": _iso(now), "recording": True, "clock": "authenticated", "outbox": 0} | values
        said |= {"uplink": {"kind": "dhcp", "cable": True, "address": True, "names": True, "upstream_wifi": False}}
        with self.engine.begin() as connection:
            of = update(schema.site).where(schema.site.c.site == site)
            connection.execute(of.values(status=said, status_at=now, heard_at=now))

    def _joined(self, site: str) -> None:
        """A device is there."""
        now = clock.now()
        row = {"site": site, "device_id": "dev-01", "revision": 1, "standing": "unknown", "label": "black phone"}
        with self.engine.begin() as connection:
            values = row | {"first_seen": now - 60, "last_seen": now, "addresses": []}
            connection.execute(schema.device.insert().values(**values))

    def _answers(self, action: str) -> str:
        """The box follows; its id."""
        of = schema.command.c.body["action"].as_string() == action
        with self.engine.begin() as connection:
            connection.execute(update(schema.command).where(of).values(state="applied", answered_at=clock.now()))
            return str(connection.execute(schema.command.select().where(of)).one().site)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
