from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from dashboard.enrol.issuing import DAYS, Issuer, Known, RenewalRefusedError, check, issue, read
from wire.codec import payload_json
from wire.keys import public_text
from wire.renewal import MAX_REQUEST, RenewalRequest, renewal_bytes

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOX = ed25519.Ed25519PrivateKey.generate()
KNOWN = Known(verify_key=public_text(BOX), revoked_at=None)


def _csr(name: str = "site-1", key: object = None) -> str:
    private = key or ec.generate_private_key(ec.SECP256R1())
    algorithm = None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    signed = builder.sign(private, algorithm)  # type: ignore[arg-type] # also keys that are refused
    return signed.public_bytes(Encoding.PEM).decode()


def _request(csr: str | None = None, *, at: datetime = NOW, by: ed25519.Ed25519PrivateKey = BOX) -> RenewalRequest:
    text = _csr() if csr is None else csr
    signature = by.sign(renewal_bytes(tenant="example", site="site-1", csr=text, at=at))
    return RenewalRequest(
        tenant="example", site="site-1", csr=text, at=at, signature=base64.b64encode(signature).decode()
    )


def _issuer(days: float = 3650) -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return Issuer(certificate=certificate, key=key)


@pytest.mark.req("N3")
@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()])
def test_a_genuine_request_becomes_a_weeks_certificate_over_its_key(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
) -> None:
    issuer = _issuer()
    csr = check(_request(_csr(key=key)), KNOWN, now=NOW)
    certificate = x509.load_pem_x509_certificate(issue(csr, site="site-1", issuer=issuer, now=NOW))
    certificate.verify_directly_issued_by(issuer.certificate)
    assert certificate.public_key() == key.public_key()
    assert certificate.subject.rfc4514_string() == "CN=site-1"
    assert certificate.not_valid_after_utc == NOW + timedelta(days=DAYS)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_no_certificate_outlives_its_authority() -> None:
    issuer = _issuer(days=2)
    made = issue(check(_request(), KNOWN, now=NOW), site="site-1", issuer=issuer, now=NOW)
    assert x509.load_pem_x509_certificate(made).not_valid_after_utc == NOW + timedelta(days=2)


def _altered() -> RenewalRequest:
    return _request().model_copy(update={"csr": _csr()})


@pytest.mark.req("N3", "S6")
@pytest.mark.parametrize(
    ("request_", "known", "why"),
    [
        (_request(), None, "no such box"),
        (_request(), Known(verify_key=public_text(BOX), revoked_at=1.0), "revoked"),
        (_request(by=ed25519.Ed25519PrivateKey.generate()), KNOWN, "not signed with the key"),
        (_altered(), KNOWN, "not signed with the key"),
        (_request().model_copy(update={"site": "site-2"}), KNOWN, "not signed with the key"),
        (_request(), Known(verify_key="none", revoked_at=None), "not signed with the key"),
        (_request(at=NOW - timedelta(days=2)), KNOWN, "another time"),
        (_request(at=NOW + timedelta(days=2)), KNOWN, "another time"),
        (_request(_csr("site-2")), KNOWN, "another name"),
        (_request("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"), KNOWN, "holds no"),
        (_request("nothing"), KNOWN, "holds no"),
        (_request(_csr(key=rsa.generate_private_key(65537, 2048))), KNOWN, "of a kind"),
        (_request(_csr(key=ec.generate_private_key(ec.SECP384R1()))), KNOWN, "of a kind"),
    ],
)
def test_anything_else_is_refused(request_: RenewalRequest, known: Known | None, why: str) -> None:
    with pytest.raises(RenewalRefusedError, match=why):
        check(request_, known, now=NOW)


def test_a_request_over_a_key_that_did_not_sign_it_is_refused() -> None:
    der = bytearray(x509.load_pem_x509_csr(_csr().encode()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    text = base64.encodebytes(bytes(der)).decode()
    csr = f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"
    with pytest.raises(RenewalRefusedError, match=r"its own key|holds no"):
        check(_request(csr), KNOWN, now=NOW)


@given(st.binary(max_size=300))
def test_noise_is_refused_in_a_sentence(raw: bytes) -> None:
    with pytest.raises(RenewalRefusedError):
        read(raw, tenant="example")


def test_what_is_too_large_or_for_another_operator_is_refused() -> None:
    with pytest.raises(RenewalRefusedError, match="too large"):
        read(b" " * (MAX_REQUEST + 1), tenant="example")
    with pytest.raises(RenewalRefusedError, match="another operator"):
        read(payload_json(_request()), tenant="other")
    assert read(payload_json(_request()), tenant="example").site == "site-1"
