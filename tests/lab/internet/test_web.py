"""Certificates for any name, and no more of them than the bound."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from lab.internet import web
from lab.pki import CertificateAuthority


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


def shake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """A whole TLS handshake in memory; the client's end."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (ours, theirs):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    ours.getpeercert()
    return ours


@pytest.mark.parametrize("name", ["mail.example", f"{'a' * 60}.{'b' * 60}.test", "under_score.example"])
def test_any_name_gets_a_certificate_of_its_own(authority: CertificateAuthority, name: str) -> None:
    client = ssl.create_default_context(cafile=str(authority.certificate_path))
    certificate = shake(web.Certificates(authority).unnamed(), client, name).getpeercert()
    assert certificate is not None
    assert certificate["subjectAltName"] == (("DNS", name),)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a..b", ""])
def test_a_name_that_is_none_gets_nothing(authority: CertificateAuthority, name: str) -> None:
    certificates = web.Certificates(authority)
    context = certificates.unnamed()
    choose: Any = context.sni_callback
    assert choose(object(), name, context) == ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    assert choose(object(), None, context) is None


def test_certificates_kept_are_bounded_and_those_given_up_counted(
    authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MAX_CERTIFICATES", 2)
    certificates = web.Certificates(authority)
    first = certificates.named("a.test")
    certificates.named("b.test")
    assert certificates.named("a.test") is first, "used again: not the oldest any more"
    certificates.named("c.test")
    assert certificates.given_up == 1
    assert certificates.named("a.test") is first
    assert set(certificates._kept) == {"c.test", "a.test"}
