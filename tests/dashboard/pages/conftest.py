"""What tests of pages share beside `tests/dashboard/conftest.py`: an order that was put in force, an installation."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from flask.testing import FlaskClient
from sqlalchemy import Engine, insert, update
from werkzeug.test import TestResponse

from dashboard import auth
from dashboard.access import Role
from dashboard.store import schema, stock
from wire.authority import Authority, parse_document, sign
from wire.claim import CODE_ALPHABET, CODE_LENGTH, BoxCard, Label, code_digest, label_of, sign_card
from wire.enrolment import EnrolmentRequest, request_bytes
from wire.keys import public_text

DAY = 86400.0
COLLECT = {"number": "2", "kind": "collect", "standings": ["registered"], "classes": ["presence", "volumes"]}


@pytest.fixture
def put_in_force(engine: Engine, clock: Any) -> Callable[..., None]:
    """Put a document in force at a household, as two people and the box did."""

    def put(site: str = "site-1", *, starts: float = -100 * DAY, ends: float = 77 * DAY, **values: Any) -> None:
        def at(seconds: float) -> datetime:
            return datetime.fromtimestamp(clock.at + seconds, UTC)

        row: dict[str, Any] = {
            "id": f"order-{site}",
            "number": 1,
            "kind": "order",
            "reference": "REF-7",
            "purpose": "prevent",
            "tenant": "northmoor",
            "site": site,
            "responsible_officer": "OM-12",
            "issued_at": at(starts),
            "not_before": at(starts),
            "not_after": at(ends),
            "review_date": at(ends),
            "clauses": [COLLECT],
        }
        signed = sign(Authority.model_validate(row | values), Ed25519PrivateKey.generate())
        by = auth.add_account(engine, name=f"issuer-{site}-{starts}", role=Role.SUPERVISOR, now=0.0)
        with engine.begin() as connection:
            connection.execute(
                insert(schema.command).values(
                    command_id=f"force-{site}-{starts}",
                    site=site,
                    body={"action": "set-authority", "document": signed.model_dump_json(exclude_none=True)},
                    reason="Order",
                    by=by,
                    created_at=clock.at + starts,
                    expires_at=clock.at,
                    state="applied",
                    detail="",
                    answered_at=clock.at + starts,
                    second="another",
                )
            )

    return put


@dataclass
class Fitting:
    """Fits boxes through the pages, and plays the box."""

    seed: Any
    clock: Any
    issuer: Ed25519PrivateKey
    install: str = ""
    site: str = "box-7"
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    code: str = ""

    def stock(self, site: str = "box-7") -> Label:
        """A box in stock; its label."""
        self.code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        card = self.card(site)
        with self.seed.engine.begin() as connection:
            stock.stock_box(connection, card, by=None, now=self.clock.at)
        return label_of(card, self.code)

    def card(self, site: str = "box-7", **values: Any) -> BoxCard:
        """What is said of the box."""
        return BoxCard.model_validate(
            {
                "tenant": "northmoor",
                "site": site,
                "verify_key": public_text(self.signing),
                "seal_key": public_text(self.sealing),
                "code_sha256": code_digest(site, self.code),
                "made_at": datetime.fromtimestamp(self.clock.at, UTC),
            }
            | values
        )

    def request(self, site: str = "box-7") -> str:
        """What the box asks when it enrols."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, site)])
        key = ec.generate_private_key(ec.SECP256R1())
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        text, at = csr.public_bytes(Encoding.PEM).decode(), datetime.fromtimestamp(self.clock.at, UTC)
        card = sign_card(self.card(site), self.signing)
        signature = base64.b64encode(self.signing.sign(request_bytes(card, text, at))).decode()
        return EnrolmentRequest(card=card, csr=text, at=at, signature=signature).model_dump_json()

    def home(self, browser: FlaskClient, **values: str) -> TestResponse:
        """Enter the Wi-Fi that the home has."""
        at = f"{self.install}/wifi"
        whole = {"name": "Home", "passphrase": "the words of this home"} | values
        return self.post(browser, at, f"{at}/home", **whole)

    def start(self, browser: FlaskClient, **values: str) -> str:
        """Begin an installation; its address."""
        answer = self.post(browser, "/install", "/install", kind="install", **({"reference": "NM-0042"} | values))
        assert answer.status_code == 303, answer.text
        self.install = answer.location
        return self.install

    def claim(self, browser: FlaskClient) -> None:
        """Begin one, and claim a box."""
        self.start(browser)
        code = self.stock(self.site).text()
        answer = self.post(browser, f"{self.install}/box", f"{self.install}/box", code=code)
        assert answer.status_code == 303, answer.text

    def order(self, browser: FlaskClient, **values: Any) -> TestResponse:
        """Enter the order."""
        at = f"{self.install}/order"
        whole = {
            "kind": "order",
            "reference": "EX-1",
            "purpose": "prevent",
            "responsible": "duty officer",
            "first": "2026-01-10",
            "last": "2026-07-14",
            "review": "14/4/2026",
            "clauses": ["register", "lists"],
            "lists": "gambling",
        } | values
        return self.post(browser, at, at, **whole)

    def hand_in(self, browser: FlaskClient, key: Ed25519PrivateKey | None = None) -> TestResponse:
        """Have the document signed and hand it in."""
        at = f"{self.install}/order"
        document = parse_document(browser.get(f"{at}/document.json").data)
        signed = sign(document, key or self.issuer).model_dump_json()
        return self.post(browser, at, f"{at}/signed", pasted=signed)

    def tell(self, browser: FlaskClient, **values: str) -> TestResponse:
        """Somebody is told."""
        at = f"{self.install}/people"
        whole = {"role": "subject", "language": "pl", "explained": "yes", "given": "notice", "signature": "X. Y."}
        return self.post(browser, at, at, **(whole | values))

    def speak(self, **values: Any) -> None:
        """The box says how it is, now."""
        now = datetime.fromtimestamp(self.clock.at, UTC).isoformat()
        said = {"online": True, "at": now, "recording": True, "clock": "authenticated", "outbox": 0} | values
        with self.seed.engine.begin() as connection:
            connection.execute(
                update(schema.site)
                .where(schema.site.c.site == self.site)
                .values(status=said, status_at=self.clock.at, heard_at=self.clock.at)
            )

    def answer(self, action: str, state: str = "applied", detail: str = "") -> None:
        """The box answers all of these commands."""
        with self.seed.engine.begin() as connection:
            of = schema.command.c.body["action"].as_string() == action
            values = {"state": state, "detail": detail, "answered_at": self.clock.at}
            connection.execute(update(schema.command).where(of).values(**values))

    def authority_id(self, browser: FlaskClient) -> str:
        """Of the document that was prepared."""
        return parse_document(browser.get(f"{self.install}/order/document.json").data).id

    def post(self, browser: FlaskClient, page: str, target: str, **fields: Any) -> TestResponse:
        """Send a page's form as a browser does."""
        text = browser.get(page).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', text)
        assert token is not None, text[:600]
        own = {"csrf_token": token.group(1), "token": secrets.token_hex(16)}
        return browser.post(target, data=own | fields)

    def all_but_signing(self, browser: FlaskClient) -> None:
        """Everything is done, and the test has its answer."""
        self.claim(browser)
        at = self.install
        assert self.order(browser).status_code == 303
        assert self.hand_in(browser).status_code == 303
        assert self.tell(browser).status_code == 303
        assert self.post(browser, f"{at}/people", f"{at}/people/all", everybody="yes").status_code == 303
        assert self.post(browser, f"{at}/never", f"{at}/never", there="none").status_code == 303
        self.speak(authority_id=self.authority_id(browser))
        assert self.post(browser, f"{at}/connect", f"{at}/connect", upstream="yes").status_code == 303
        self.seed.device("dev-1", site=self.site)
        assert self.post(browser, f"{at}/test", f"{at}/test", wifi="yes").status_code == 303
        self.clock.at += 1.5
        self.speak(authority_id=self.authority_id(browser))
        self.answer("run-probe")


@pytest.fixture
def issuer() -> Ed25519PrivateKey:
    """May issue authority documents, where a test's settings say so."""
    return Ed25519PrivateKey.generate()


@pytest.fixture
def fitting(seed: Any, clock: Any, issuer: Ed25519PrivateKey) -> Fitting:
    return Fitting(seed, clock, issuer)
