"""A desk on a database with one box, and that box's requests; and a desk that enrols boxes which were never there."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine, select

from dashboard.broker.control import ControlError
from dashboard.enrol.asking import Answer
from dashboard.enrol.desk import Desk
from dashboard.enrol.enrolling import Enroller, Hands, Offer
from dashboard.enrol.issuing import Issuer
from dashboard.store import installs, schema, stock
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from dashboard.store.stock import Claimed
from lab.pki import CertificateAuthority
from wire.claim import BoxCard, code_digest, label_of, sign_card
from wire.codec import payload_json
from wire.enrolment import BrokerAt, Enrolment, EnrolmentRequest, NoticeTexts, open_, request_bytes
from wire.keys import public_text
from wire.renewal import RenewalRequest, renewal_bytes

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A desk, its database and its authority, and the key of the box that it knows."""

    desk: Desk
    engine: Engine
    authority: CertificateAuthority
    box: ed25519.Ed25519PrivateKey

    def request(self, *, site: str = "site-1", at: float = NOW) -> bytes:
        """A genuine request, over a key of its own."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, site)])
        key = ec.generate_private_key(ec.SECP256R1())
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        text, moment = csr.public_bytes(Encoding.PEM).decode(), datetime.fromtimestamp(at, UTC)
        signature = self.box.sign(renewal_bytes(tenant="example", site=site, csr=text, at=moment))
        return payload_json(
            RenewalRequest(
                tenant="example", site=site, csr=text, at=moment, signature=base64.b64encode(signature).decode()
            )
        )

    def audited(self) -> list[tuple[str, str, str]]:
        """Action, subject and outcome of every line."""
        with self.engine.begin() as connection:
            rows = connection.execute(select(schema.audit).order_by(schema.audit.c.audit_id)).all()
        return [(row.action, row.subject, row.outcome) for row in rows]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    authority, box = CertificateAuthority(tmp_path / "pki"), ed25519.Ed25519PrivateKey.generate()
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(
            schema.site.insert().values(
                site="site-1", tenant="example", title="1", verify_key=public_text(box), seal_key=public_text(box)
            )
        )
    key = load_pem_private_key(authority.write_key().read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate(authority.certificate_path.read_bytes())
    desk = Desk(engine, Issuer(certificate=certificate, key=key), tenant="example")
    yield Office(desk=desk, engine=engine, authority=authority, box=box)
    engine.dispose()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBox:
    """A box that was never enrolled."""

    site: str
    signing: ed25519.Ed25519PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)
    sealing: x25519.X25519PrivateKey = field(default_factory=x25519.X25519PrivateKey.generate)
    tls: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    code: str = "ABCDEFGHJKMNPQRS"
    tenant: str = "example"

    @property
    def card(self) -> BoxCard:
        return BoxCard(
            tenant=self.tenant,
            site=self.site,
            verify_key=public_text(self.signing),
            seal_key=public_text(self.sealing),
            code_sha256=code_digest(self.site, self.code),
            made_at=datetime.fromtimestamp(NOW, UTC),
        )

    def request(self, *, at: float = NOW, name: str | None = None) -> bytes:
        """As the box asks."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name or self.site)])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self.tls, hashes.SHA256())
        text, moment = csr.public_bytes(Encoding.PEM).decode(), datetime.fromtimestamp(at, UTC)
        card = sign_card(self.card, self.signing)
        signature = base64.b64encode(self.signing.sign(request_bytes(card, text, moment))).decode()
        return payload_json(EnrolmentRequest(card=card, csr=text, at=moment, signature=signature))


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """An enrolment desk whose broker notes whom it let in, and an officer who claims boxes."""

    enroller: Enroller
    engine: Engine
    authority: CertificateAuthority
    signer: ed25519.Ed25519PrivateKey
    opener: x25519.X25519PrivateKey
    let_in: list[str]
    closed: list[str]
    """Not empty: the broker does not answer."""

    def stock(self, box: NewBox) -> None:
        with self.engine.begin() as connection:
            stock.stock_box(connection, box.card, by=None, now=NOW)

    def claim(self, box: NewBox) -> str:
        """Claim it for an installation of its own; that one's id."""
        install_id = f"install-{box.site}"
        with self.engine.begin() as connection:
            installs.start(
                connection,
                install_id,
                tenant="example",
                kind="install",
                reference=f"EX-{box.site}",
                site=None,
                by="officer-1",
                now=NOW,
            )
            label = label_of(box.card, box.code)
            done = stock.claim_box(connection, install_id, label, tenant="example", title="EX", by="officer-1", now=NOW)
        assert done is Claimed.DONE
        return install_id

    def open(self, answer: Answer, box: NewBox) -> Enrolment:
        """As the box reads it."""
        return open_(answer.sealed, recipient=box.sealing, pinned=[self.signer.public_key()])

    def audited(self) -> list[tuple[str, str, str]]:
        """Action, subject and outcome of every line."""
        with self.engine.begin() as connection:
            rows = connection.execute(select(schema.audit).order_by(schema.audit.c.audit_id)).all()
        return [(row.action, row.subject, row.outcome) for row in rows]


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    authority = CertificateAuthority(tmp_path / "pki")
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    upgrade(engine)
    with engine.begin() as connection:
        for name in ("officer-1", "officer-2"):
            connection.execute(schema.account.insert().values(account_id=name, name=name, role="officer", failures=0))
    key = load_pem_private_key(authority.write_key().read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate(authority.certificate_path.read_bytes())
    let_in: list[str] = []
    closed: list[str] = []
    signer, opener = ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()

    def admit(site: str) -> None:
        if closed:
            raise ControlError("no broker")
        let_in.append(site)

    offer = Offer(
        tenant="example",
        broker=BrokerAt(host="broker.example.org", port=8883, renew_url="https://desk.example.org:8884"),
        server_seal=public_text(opener),
        notice=NoticeTexts(operator="the Example Service", contact="Ask.", complaints="Write."),
        country="GB",
    )
    hands = Hands(issuer=Issuer(certificate=certificate, key=key), signer=signer, opener=opener, admit=admit)
    yield Station(
        enroller=Enroller(engine, offer, hands),
        engine=engine,
        authority=authority,
        signer=signer,
        opener=opener,
        let_in=let_in,
        closed=closed,
    )
    engine.dispose()


@pytest.fixture
def new_box() -> Callable[..., NewBox]:
    """Makes boxes with keys of their own."""
    return NewBox
