"""How a claimed box gets all it needs from the dashboard, over the network or carried by a telephone.

The box was given an `OperatorCard` when its memory card was written: where the dashboard is and which keys to believe.
It asks with an `EnrolmentRequest`, signed with its own key: nothing in it is secret. What it gets is one `Enrolment`,
signed by the server, sealed (HPKE, RFC 9180) to the box; so the same octets may come over HTTPS, or by a telephone over
the box's set-up Wi-Fi where the home has no internet. An answer is bound to the request's key and cannot be used for
another. Pure. Bounded: `MAX_REQUEST` and `MAX_ANSWER` octets.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import AfterValidator, Field, ValidationError, model_validator

from wire.base import Id, Payload, Time
from wire.claim import SignedCard
from wire.documents import Part
from wire.ledger import Signature, canonical
from wire.lists import Url
from wire.wifi import MOST_PASSPHRASES, Country, SealedPassphrase, Security, Ssid

PATH = "/v1/enrol"
MAX_REQUEST = 16 * 1024
MAX_ANSWER = 256 * 1024
_REQUEST = b"gatehouse/enrolment-request/v1\n"
_ANSWER = b"gatehouse/enrolment/v1\n"
LINE_USER = r"^[!#-\[\]-~]{1,128}$"
"""What a provider calls a line: what can be printed, without what a configuration of pppd could be left with."""
_SIGNATURE = 64
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def _unscoped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError("has an interface behind a %; give an address that needs none")
    return address


Pinned = Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
"""Ed25519 public keys, raw base64."""


class OperatorCard(Part):
    """`operator.toml`, written on the memory card at the station: nothing in it is secret, and all boxes have the same."""

    tenant: Id
    operator: str = Field(min_length=1, max_length=120)
    """As the household reads it."""
    contact: str = Field(min_length=1, max_length=300)
    enrol_url: str = Field(pattern=r"^https://[^\s/?#]+$", max_length=300)
    """`https://host:port` of the enrolment desk."""
    dashboard_url: str = Field(pattern=r"^https://[^\s/?#]+$", max_length=300)
    """Where the officer's telephone opens the box's code."""
    ca: str = Field(max_length=4096)
    """PEM of the only authority that desk and broker are trusted by."""
    server_verify: Pinned
    """Keys that may sign an enrolment and, later, receipts and commands."""
    issuers: Pinned
    """Keys that may sign authority documents."""
    release_keys: Pinned
    """Keys that may sign releases of the box's software."""
    country: Country
    engineer_keys: tuple[Annotated[str, Field(pattern=r"^ssh-ed25519 [A-Za-z0-9+/=]{68}( [!-~]{1,60})?$")], ...] = (
        Field(default=(), max_length=4)
    )
    """Who may open a shell on the box from the household's side; nobody where there is none."""
    time_servers: tuple[Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")], ...] = Field(
        default=(), max_length=4
    )
    """Servers that speak NTS (RFC 8915); well-known ones where there are none."""
    resolvers: tuple[Annotated[IPv4Address | IPv6Address, AfterValidator(_unscoped)], ...] = Field(
        default=(), max_length=4
    )
    """Whom the box asks for names, such as the provider's or the operator's own; well-known ones where there are none."""


class EnrolmentRequest(Payload):
    """A box asks for all it needs."""

    card: SignedCard
    csr: str = Field(max_length=4096)
    """PKCS #10 in PEM, signed with the key of the certificate to be."""
    at: Time
    signature: Signature
    """Of the box's Ed25519 key over `request_bytes`."""


class BrokerAt(Payload):
    """Where the courier connects."""

    host: str = Field(max_length=253)
    port: int = Field(ge=1, le=65535)
    renew_url: str | None = Field(default=None, max_length=300)


class ListAt(Payload):
    """A list that is fetched and kept up to date; see `wire.lists`."""

    list_id: Id
    manifest: Url
    publishers: Pinned
    ca: str | None = Field(default=None, max_length=4096)
    """PEM; None trusts the system's authorities."""


class NoticeTexts(Payload):
    """What the household reads."""

    operator: str = Field(max_length=120)
    contact: str = Field(max_length=300)
    complaints: str = Field(max_length=300)
    help_lines: tuple[str, ...] = Field(default=(), max_length=8)


class Uplink(Payload):
    """How the box reaches the internet (R5)."""

    kind: Literal["dhcp", "pppoe", "modem"] = "dhcp"
    user: str | None = Field(default=None, pattern=LINE_USER)
    """For `pppoe`, which cannot be without; a mobile stick dials by itself."""
    password: str | None = Field(default=None, pattern=r"^[\x21-\x7e]{1,128}$")
    """For `pppoe`. What carries it is sealed as a whole."""

    @model_validator(mode="after")
    def _can_be_dialled(self) -> Uplink:
        if self.kind == "pppoe" and self.user is None:
            raise ValueError("pppoe needs the user name that the provider gave")
        return self


class Network(Payload):
    """The household's Wi-Fi and way out, as they were before the box came."""

    ssid: Ssid
    country: Country
    security: Security = "wpa2"
    isolation: bool = False
    """Devices on the Wi-Fi do not reach each other."""
    uplink: Uplink = Uplink()
    passphrases: tuple[SealedPassphrase, ...] = Field(default=(), max_length=MOST_PASSPHRASES)


class Enrolment(Payload):
    """All that a claimed box needs."""

    tenant: Id
    site: Id
    request_key: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the certificate request (PEM) that it answers."""
    certificate: str = Field(max_length=16 * 1024)
    """PEM: the box's, over the key of its request."""
    broker: BrokerAt
    server_seal: str = Field(max_length=64)
    notice: NoticeTexts
    network: Network | None = None
    """None: not said yet; the box keeps what it has."""
    authority: str | None = Field(default=None, max_length=64 * 1024)
    """The signed authority document (JSON), where there is one."""
    lists: tuple[ListAt, ...] = Field(default=(), max_length=32)
    at: Time


class EnrolmentError(ValueError):
    """A request or an answer that does not count; the text says why and quotes nothing of it."""


def request_bytes(card: SignedCard, csr: str, at: Time) -> bytes:
    """What a box signs of its request; the moment in milliseconds since 1970."""
    return _REQUEST + canonical({"site": card.card.site, "csr": csr, "at_ms": round(at.timestamp() * 1000)})


def seal(enrolment: Enrolment, *, signer: Ed25519PrivateKey, recipient: X25519PublicKey) -> bytes:
    """Sign and seal an enrolment for its box: printable octets (base64), so that a telephone carries them as text.

    Raises:
        EnrolmentError: larger than `MAX_ANSWER`.
    """
    body = enrolment.model_dump_json(exclude_none=True).encode()
    whole = base64.b64encode(_SUITE.encrypt(signer.sign(_ANSWER + body) + body, recipient, info=_ANSWER))
    if len(whole) > MAX_ANSWER:
        raise EnrolmentError(f"the enrolment has {len(whole)} octets, the most is {MAX_ANSWER}")
    return whole


def open_(raw: bytes, *, recipient: X25519PrivateKey, pinned: Sequence[Ed25519PublicKey]) -> Enrolment:
    """The enrolment, if a pinned key signed it for this box.

    Raises:
        EnrolmentError: too large, not sealed to this box, signed by no pinned key, or not of the schema.
    """
    if len(raw) > MAX_ANSWER:
        raise EnrolmentError("it is too large to be an enrolment")
    try:
        plain = _SUITE.decrypt(base64.b64decode(b"".join(raw.split()), validate=True), recipient, info=_ANSWER)
    except (binascii.Error, InvalidTag, ValueError):
        raise EnrolmentError("it is not sealed for this box") from None
    signature, body = plain[:_SIGNATURE], plain[_SIGNATURE:]
    if not any(_holds(key, signature, _ANSWER + body) for key in pinned):
        raise EnrolmentError("no key that this box knows signed it")
    try:
        return Enrolment.model_validate_json(body)
    except ValidationError:
        raise EnrolmentError("it is not of this version's form") from None


def _holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
