from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from lab.pki import CertificateAuthority
from wire.files import FileError
from wire.tls import client_context, plain


def test_a_good_set_makes_a_context_that_checks_the_server(tmp_path: Path) -> None:
    ca = CertificateAuthority(tmp_path)
    files = ca.issue("box")
    context = client_context(ca=ca.certificate_path, certificate=files.certificate, key=files.key)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


def test_the_file_at_fault_is_named(tmp_path: Path) -> None:
    ca = CertificateAuthority(tmp_path)
    box, other = ca.issue("box"), ca.issue("other")
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    locked = tmp_path / "locked.pem"
    key = load_pem_private_key(box.key.read_bytes(), password=None)
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")))
    good = {"ca": ca.certificate_path, "certificate": box.certificate, "key": box.key}
    for name, path in (
        ("ca", text),
        ("ca", tmp_path / "absent.pem"),
        ("certificate", text),
        ("key", other.key),
        ("key", locked),
        ("key", tmp_path / "absent.pem"),
    ):
        with pytest.raises(FileError, match=path.name):
            client_context(**{**good, name: path})


def test_why_a_connection_did_not_come_about_is_said_plainly() -> None:
    unsure = ssl.SSLCertVerificationError()
    unsure.verify_message = "unable to get local issuer certificate"
    assert plain(unsure) == "the broker's certificate does not hold: unable to get local issuer certificate"
    broken = ssl.SSLError()
    broken.reason = "WRONG_VERSION_NUMBER"
    assert plain(broken) == "TLS: WRONG_VERSION_NUMBER"
    assert plain(ConnectionRefusedError(111, "Connection refused")) == "[Errno 111] Connection refused"
    assert plain(TimeoutError()) == "TimeoutError"
