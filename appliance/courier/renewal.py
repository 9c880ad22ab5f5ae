"""The box's certificate: when it is due for renewal, and how the next one comes.

In: the moment, the keeper's signature. Out: a request for that signature; a file with certificate and key, replaced
whole, that the courier connects with from then on. Due after half of its life, and at the start when it is past: a
box that was away for a month comes back by itself. The new key is born here, one a request; only its request leaves.
What comes is checked against the broker's authority before it is kept. Bounded: one request at a time, the next
after `RETRY_FIRST` to `RETRY_MOST` seconds; `MAX_ANSWER` octets; `TIMEOUT` seconds of silence.
"""

from __future__ import annotations

import http.client
import logging
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.backoff import Backoff
from appliance.messages import RenewalSigned, RenewalWanted
from appliance.settings import Broker
from wire import tls
from wire.files import replace
from wire.renewal import MAX_ANSWER, PATH, RenewalAnswer

RETRY_FIRST, RETRY_MOST = 30.0, 3600.0
ANSWER_SECONDS = 20.0
"""The keeper signs in far less; after this the request is made anew."""
TIMEOUT = 20.0
FILE = "tls.pem"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Which files to connect with."""

    certificate: Path
    key: Path


def newest(broker: Broker, folder: Path, now: float) -> Pair:
    """The renewed certificate, unless the one that the box was provisioned with serves better. `now` is Unix seconds.

    That is: it is good for longer, and either not due for renewal itself (the box was provisioned anew) or the
    renewed one is past. One provisioned for a year is renewed by one for a week, and must not be renewed again at once.
    """
    path, given = folder / FILE, Pair(certificate=broker.certificate, key=broker.key)
    renewed, provisioned = _read(path), _read(broker.certificate)
    if renewed is None:
        return given
    if provisioned is not None and provisioned.not_valid_after_utc >= renewed.not_valid_after_utc:
        past = renewed.not_valid_after_utc.timestamp() <= now
        if past or not due(broker.certificate, now):
            return given
    return Pair(certificate=path, key=path)


class Renewal:
    """One box's certificate."""

    def __init__(self, broker: Broker, *, site: str, folder: Path, wait: Backoff) -> None:
        """`folder` is the courier's own; `wait` counts from `RETRY_FIRST` to `RETRY_MOST`."""
        self._broker = broker
        self._site = site
        self._folder = folder
        self._wait = wait
        self._key: ec.EllipticCurvePrivateKey | None = None
        self._asked_at = 0.0
        self._next_at = 0.0
        self._thread: threading.Thread | None = None
        self._outcome: bytes | str | None = None

    def pair(self, now: float) -> Pair:
        """What to connect with now."""
        return newest(self._broker, self._folder, now)

    def tick(self, *, now: float, monotonic: float, linked: bool) -> RenewalWanted | None:
        """Ask the keeper for a signature when one is due. `now` is Unix seconds; `linked`: the keeper is there."""
        if self._broker.renew_url is None or self._thread is not None or not linked or monotonic < self._next_at:
            return None
        if self._key is not None and monotonic - self._asked_at < ANSWER_SECONDS:
            return None
        if not due(self.pair(now).certificate, now):
            self._next_at = monotonic + RETRY_FIRST
            return None
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._asked_at = monotonic
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._site)])
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self._key, hashes.SHA256())
        return RenewalWanted(csr=csr.public_bytes(Encoding.PEM).decode())

    def signed(self, message: RenewalSigned) -> None:
        """The keeper signed: send it, in a thread of its own, for a dead network may take its time."""
        if self._key is not None and self._thread is None:
            self._outcome = None
            self._thread = threading.Thread(target=self._post, args=(message.request,), name="renewal", daemon=True)
            self._thread.start()

    def take(self, *, now: float, monotonic: float) -> bool:
        """Whether a new certificate is there since the last call."""
        if self._thread is None or self._thread.is_alive():
            return False
        key, outcome, self._thread, self._key = self._key, self._outcome, None, None
        self._next_at = monotonic + self._wait.delay()
        if isinstance(outcome, bytes) and key is not None:
            outcome = self._keep(outcome, key, now)
        if outcome is not None:
            _log.warning("the certificate is not renewed: %s", outcome if isinstance(outcome, str) else "no answer")
            return False
        self._wait.reset()
        self._next_at = monotonic + RETRY_FIRST
        _log.info("the certificate is renewed")
        return True

    def _post(self, request: bytes) -> None:
        url = urlsplit(self._broker.renew_url or "")
        try:
            context = ssl.create_default_context(cafile=str(self._broker.ca))
            connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=TIMEOUT, context=context)
            try:
                connection.request("POST", PATH, request, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = answer.read(MAX_ANSWER)
            finally:
                connection.close()
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._outcome = tls.plain(error)[:200]
            return
        if answer.status == http.HTTPStatus.OK:
            self._outcome = body
        else:
            self._outcome = f"refused ({answer.status}): {_plain(body)}"

    def _keep(self, body: bytes, key: ec.EllipticCurvePrivateKey, now: float) -> str | None:
        """Check what came and write it; why not, if not."""
        try:
            pem = RenewalAnswer.model_validate_json(body).certificate.encode()
            certificate = x509.load_pem_x509_certificate(pem)
            authority = x509.load_pem_x509_certificate(self._broker.ca.read_bytes())
            certificate.verify_directly_issued_by(authority)
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            ours = certificate.public_key() == key.public_key()
        except (ValueError, TypeError, InvalidSignature):
            return "what came is no certificate of the broker's authority"
        except OSError as error:
            return f"{self._broker.ca}: cannot be read ({error.strerror})"
        if not ours or [item.value for item in names] != [self._site]:
            return "what came is another's certificate"
        if certificate.not_valid_after_utc <= datetime.fromtimestamp(now, UTC):
            return "what came is past already"
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace(self._folder / FILE, certificate.public_bytes(Encoding.PEM) + plain, mode=0o600)
        except OSError as error:
            return f"it cannot be kept ({error.strerror})"
        return None


def due(path: Path, now: float) -> bool:
    """Whether half of a certificate's life is over; also when there is none that can be read."""
    certificate = _read(path)
    if certificate is None:
        return True
    starts, ends = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    return now >= (starts + ends) / 2


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _plain(body: bytes) -> str:
    """The server's sentence, as far as it can be shown."""
    text = body[:200].decode("ascii", errors="replace").strip()
    return "".join(character for character in text if character.isprintable())
