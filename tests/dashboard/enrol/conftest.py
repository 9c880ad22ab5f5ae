"""A desk on a database with one box, and that box's requests."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine, select

from dashboard.enrol.desk import Desk
from dashboard.enrol.issuing import Issuer
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab.pki import CertificateAuthority
from wire.codec import payload_json
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
