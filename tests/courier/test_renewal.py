from __future__ import annotations

import random
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance import clock
from appliance.backoff import Backoff
from appliance.courier.renewal import ANSWER_SECONDS, FILE, RETRY_FIRST, Renewal, due, newest
from appliance.messages import RenewalSigned, RenewalWanted
from appliance.settings import Broker
from dashboard.enrol.issuing import Issuer, issue
from lab.pki import CertificateAuthority, CertificateFiles
from wire.codec import payload_json
from wire.renewal import RenewalAnswer
from wire.tls import client_context


class Courier:
    """The part of a courier that renews, with an authority that the test speaks for."""

    def __init__(self, folder: Path, *, ended: timedelta | None, url: str | None = "https://127.0.0.1:1") -> None:
        self.authority = CertificateAuthority(folder / "pki")
        files = self.authority.issue("site-1", ended=ended)
        self.broker = Broker(
            host="127.0.0.1",
            ca=self.authority.certificate_path,
            certificate=files.certificate,
            key=files.key,
            renew_url=url,
        )
        self.folder = folder / "courier"
        self.renewal = Renewal(
            self.broker,
            site="site-1",
            folder=self.folder,
            wait=Backoff(first=RETRY_FIRST, most=60.0, chance=random.Random(1)),  # noqa: S311 - a repeatable wait
        )

    def ask(self, monotonic: float = 0.0, *, linked: bool = True) -> RenewalWanted | None:
        return self.renewal.tick(now=clock.now(), monotonic=monotonic, linked=linked)

    def answer(self, wanted: RenewalWanted, *, site: str = "site-1", by: CertificateAuthority | None = None) -> bytes:
        authority = by or self.authority
        key = load_pem_private_key(authority.write_key().read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        issuer = Issuer(certificate=x509.load_pem_x509_certificate(authority.certificate_path.read_bytes()), key=key)
        csr = x509.load_pem_x509_csr(wanted.csr.encode())
        pem = issue(csr, site=site, issuer=issuer, now=datetime.fromtimestamp(clock.now(), UTC))
        return payload_json(RenewalAnswer(certificate=pem.decode()))

    def hear(self, monkeypatch: pytest.MonkeyPatch, outcome: bytes | str, monotonic: float = 1.0) -> bool:
        """The server answers so."""

        def post(renewal: Renewal, _request: bytes) -> None:
            renewal._outcome = outcome

        monkeypatch.setattr(Renewal, "_post", post)
        self.renewal.signed(RenewalSigned(request=b"{}"))
        return self.finish(monotonic)

    def finish(self, monotonic: float = 1.0) -> bool:
        thread = self.renewal._thread
        assert thread is not None
        thread.join(20)
        return self.renewal.take(now=clock.now(), monotonic=monotonic)


@pytest.fixture
def courier(tmp_path: Path) -> Callable[..., Courier]:
    return lambda **given: Courier(tmp_path, **{"ended": timedelta(days=30), **given})


@pytest.mark.req("R69", "N3")
def test_a_certificate_is_due_at_half_of_its_life(courier: Callable[..., Courier]) -> None:
    path = courier(ended=None).broker.certificate
    read = x509.load_pem_x509_certificate(path.read_bytes())
    starts, ends = read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp()
    assert not due(path, (starts + ends) / 2 - 1)
    assert due(path, (starts + ends) / 2)
    assert due(path, ends + 30 * 86_400)
    assert due(path.with_name("absent"), starts)


def test_nothing_is_asked_without_need_keeper_or_address(courier: Callable[..., Courier]) -> None:
    assert courier(ended=None).ask() is None
    assert courier(url=None).ask() is None
    assert courier().ask(linked=False) is None


@pytest.mark.req("N3")
def test_what_comes_is_kept_whole_and_connected_with(
    courier: Callable[..., Courier], monkeypatch: pytest.MonkeyPatch
) -> None:
    box = courier()
    before = box.renewal.pair(clock.now())
    assert before.certificate == box.broker.certificate
    wanted = box.ask()
    assert wanted is not None
    assert box.ask(ANSWER_SECONDS - 1) is None, "one request at a time"
    assert box.hear(monkeypatch, box.answer(wanted))
    pair = box.renewal.pair(clock.now())
    assert pair.certificate == pair.key == box.folder / FILE
    assert pair.key.stat().st_mode & 0o777 == 0o600
    assert client_context(ca=box.broker.ca, certificate=pair.certificate, key=pair.key)
    assert newest(box.broker, box.folder, clock.now()) == pair, "also after a restart"
    assert box.ask(10_000.0) is None, "it is fresh"


@pytest.mark.req("N3")
def test_what_is_not_ours_is_not_kept(
    courier: Callable[..., Courier], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    box = courier()
    first = box.ask()
    assert first is not None
    other = box.ask(ANSWER_SECONDS + 1)
    assert other is not None, "the keeper did not answer in time"
    at = ANSWER_SECONDS + 2
    stranger = CertificateAuthority(tmp_path / "other")
    outcomes: list[Callable[[RenewalWanted], bytes | str]] = [
        lambda _wanted: box.answer(first),  # over a key that is gone
        lambda wanted: box.answer(wanted, site="site-2"),
        lambda wanted: box.answer(wanted, by=stranger),
        lambda _wanted: b"{}",
        lambda _wanted: b"\xff" * 99,
        lambda _wanted: "refused (403): the box was revoked",
    ]
    for outcome in outcomes:
        assert not box.hear(monkeypatch, outcome(other), at)
        assert box.ask(at + 1) is None, "not at once again"
        at += 100_000
        again = box.ask(at)
        assert again is not None
        other = again
    assert not (box.folder / FILE).exists()


def test_a_server_that_is_not_there_costs_a_sentence(
    courier: Callable[..., Courier], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    box = courier(url=f"https://127.0.0.1:{port}")
    assert box.ask() is not None
    box.renewal.signed(RenewalSigned(request=b"{}"))
    assert not box.finish()
    assert "the certificate is not renewed" in caplog.text


def test_a_signature_that_nobody_asked_for_starts_nothing(courier: Callable[..., Courier]) -> None:
    box = courier()
    box.renewal.signed(RenewalSigned(request=b"{}"))
    assert box.renewal._thread is None


@pytest.mark.req("N3")
def test_which_certificate_serves_better(courier: Callable[..., Courier]) -> None:
    box = courier(ended=None)
    box.folder.mkdir()

    def choose(renewed: CertificateFiles, *, days: float) -> bool:
        (box.folder / FILE).write_bytes(renewed.certificate.read_bytes() + renewed.key.read_bytes())
        return newest(box.broker, box.folder, clock.now() + days * 86_400).certificate != box.broker.certificate

    past, week = box.authority.issue("past", ended=timedelta(days=1)), timedelta(days=7)
    later, sooner = box.authority.issue("later", lasts=2 * week), box.authority.issue("sooner", lasts=week / 1.2)
    assert not choose(past, days=0), "it is past"
    assert choose(later, days=0)
    assert choose(later, days=30), "both are past: the later one"
    assert not choose(sooner, days=0), "the box was provisioned anew"
    assert choose(sooner, days=5), "the provisioned one is due, and this is what it was renewed with"
    assert not choose(sooner, days=6.5), "the renewed one is past, the provisioned one is not"
