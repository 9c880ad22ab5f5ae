"""May this box have its next certificate, and which: pure, without sockets, files and clocks.

In: a request's octets, what the dashboard knows of the site, the moment. Out: a certificate of at most `DAYS` days
for exactly this box, or a refusal in a plain sentence. The request is not a bearer token: it only ever yields a
certificate over the key in it, which the box alone has; so one that is repeated yields nothing new.
Bounded: `MAX_REQUEST` octets; keys of two kinds.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import ValidationError

from wire.keys import KeyFileError, verify_key
from wire.renewal import MAX_REQUEST, RenewalRequest, renewal_bytes

DAYS = 7
SKEW = timedelta(days=1)
"""A box's clock may be off by so much: it has no authenticated time before it has a connection."""
_BEFORE = timedelta(hours=1)


class RenewalRefusedError(ValueError):
    """No certificate; the text says why and quotes nothing of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the dashboard has of a site."""

    verify_key: str
    """Ed25519 public key it was enrolled with, raw base64."""
    revoked_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The certificate authority of the broker's clients."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def read(raw: bytes, *, tenant: str) -> RenewalRequest:
    """Read a request; nothing of it is proved yet.

    Raises:
        RenewalRefusedError: too large, not a request, or of another tenant.
    """
    if len(raw) > MAX_REQUEST:
        raise RenewalRefusedError("the request is too large")
    try:
        request = RenewalRequest.model_validate_json(raw)
    except ValidationError:
        raise RenewalRefusedError("it is no request for a certificate") from None
    if request.tenant != tenant:
        raise RenewalRefusedError("it is for another operator")
    return request


def genuine(request: RenewalRequest, known: Known) -> bool:
    """Whether the box's enrolled key signed it; anybody who knows the name of a site may send what is not."""
    try:
        verify_key(known.verify_key).verify(
            _signature(request),
            renewal_bytes(tenant=request.tenant, site=request.site, csr=request.csr, at=request.at),
        )
    except (InvalidSignature, KeyFileError):
        return False
    return True


def check(request: RenewalRequest, known: Known | None, *, now: datetime) -> x509.CertificateSigningRequest:
    """The certificate request, if this box may have it.

    Raises:
        RenewalRefusedError: unknown or revoked, signed by another key, too old, or not over a key of its own.
    """
    if known is None:
        raise RenewalRefusedError("no such box")
    if not genuine(request, known):
        raise RenewalRefusedError("it is not signed with the key that the box was enrolled with")
    if known.revoked_at is not None:
        raise RenewalRefusedError("the box was revoked")
    if abs(request.at - now) > SKEW:
        raise RenewalRefusedError("it was made at another time")
    return readable(request.csr, site=request.site)


def readable(text: str, *, site: str) -> x509.CertificateSigningRequest:
    """A certificate request of a site (PEM).

    Raises:
        RenewalRefusedError: it is none, is over a key that whoever asks does not hold, or is for another name.
    """
    try:
        csr = x509.load_pem_x509_csr(text.encode())
        holds, key = csr.is_signature_valid, csr.public_key()
        names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except (ValueError, TypeError, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        raise RenewalRefusedError("it holds no certificate request") from None
    except Exception:  # noqa: BLE001 - octets of the network: the library knows more ways to fail than it documents
        raise RenewalRefusedError("it holds no certificate request that can be read") from None
    if not holds:
        raise RenewalRefusedError("the certificate request is not signed with its own key")
    if not (
        isinstance(key, ed25519.Ed25519PublicKey)
        or (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1))
    ):
        raise RenewalRefusedError("the new key is of a kind that is not taken")
    if len(names) != 1 or names[0].value != site:
        raise RenewalRefusedError("the certificate request is for another name")
    return csr


def issue(csr: x509.CertificateSigningRequest, *, site: str, issuer: Issuer, now: datetime) -> bytes:
    """A client certificate (PEM) for a site over the key of a request that was checked; of the request only that key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, site)])
    until = min(now.astimezone(UTC) + timedelta(days=DAYS), issuer.certificate.not_valid_after_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - _BEFORE)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.certificate.public_key()),  # type: ignore[arg-type] # an issuer's key is one of these
            critical=False,
        )
    )
    algorithm = None if isinstance(issuer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(issuer.key, algorithm).public_bytes(serialization.Encoding.PEM)


def _signature(request: RenewalRequest) -> bytes:
    return base64.b64decode(request.signature)
