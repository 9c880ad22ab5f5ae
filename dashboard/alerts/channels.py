"""Addresses that messages go to: checked when they are entered, sealed while they are kept, fenced in when they are used.

In: an Apprise URL that somebody typed. Out: a `Checked` one, or a sentence that says what is wrong with it. A URL holds
passwords: it is sealed with a key from a file (ChaCha20-Poly1305, RFC 8439, bound to its channel) and shown to nobody.
Only kinds of the settings are taken, and parameters of `PARAMETERS` alone: Apprise has others that read files, or that
look at no certificate. Where it leads is checked again at every connection: `dashboard.alerts.sending`.
Bounded: `MOST_URL` characters.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import apprise
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dashboard.i18n import N_
from dashboard.settings import Alerts

MOST_URL = 500
PARAMETERS = frozenset({"from", "mode", "name", "pass", "priority", "smtp", "to", "user"})
PLAIN = frozenset({"json", "mailto", "ntfy"})
"""Kinds without encryption: only within the operator's own network."""
KINDS = {
    "mailtos": N_("E-mail"),
    "mailto": N_("E-mail, not encrypted"),
    "ntfys": N_("ntfy"),
    "ntfy": N_("ntfy, not encrypted"),
    "jsons": N_("Webhook"),
    "json": N_("Webhook, not encrypted"),
    "workflows": N_("Microsoft Teams"),
    "twilio": N_("Text message (Twilio)"),
    "vonage": N_("Text message (Vonage)"),
    "clicksend": N_("Text message (ClickSend)"),
    "bulksms": N_("Text message (BulkSMS)"),
    "messagebird": N_("Text message (MessageBird)"),
}
"""Kinds that can be allowed, in words."""
CONNECT_SECONDS, READ_SECONDS = 10.0, 15.0

NOT_TAKEN = N_("Enter an address of one of the kinds that are allowed here")
TOO_LONG = N_("The address must be 500 characters or fewer")
UNREADABLE = N_("The address is not complete, or not written as its kind asks for")
PARAMETER = N_("The address has an option that is not allowed here")
PRIVATE = N_("The address leads into a network that messages may not go to")
NOT_ENCRYPTED = N_("The address is of a kind that is not encrypted")


class ChannelError(ValueError):
    """An address that is not taken; the text is a sentence for whoever typed it."""


class SealError(ValueError):
    """A sealed address that this key does not open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An address that is taken."""

    url: str
    kind: str


def check(url: str, settings: Alerts) -> Checked:
    """Take an address, or say why not; asks no network.

    Raises:
        ChannelError: it is of no kind that is allowed, has an option that is not, or leads inwards.
    """
    url = url.strip()
    if len(url) > MOST_URL:
        raise ChannelError(TOO_LONG)
    if not url.isprintable() or " " in url:
        raise ChannelError(UNREADABLE)
    try:
        parts = urlsplit(url)
        options = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=16)
    except ValueError:
        raise ChannelError(UNREADABLE) from None
    kind = parts.scheme.lower()
    if kind not in settings.kinds or kind not in KINDS:
        raise ChannelError(NOT_TAKEN)
    if kind in PLAIN and not settings.allow_private:
        raise ChannelError(NOT_ENCRYPTED)
    if any(name.lower() not in PARAMETERS for name, _ in options):
        raise ChannelError(PARAMETER)
    if not settings.allow_private and any(value.lower() == "insecure" for _, value in options):
        raise ChannelError(NOT_ENCRYPTED)
    _instance(url)
    # A host that is an address is told now; a name is looked up by nobody but the connection itself.
    for host in _hosts(parts.hostname, options):
        if not _may_be_named(host, settings):
            raise ChannelError(PRIVATE)
    return Checked(url=url, kind=kind)


def open_service(url: str) -> apprise.NotifyBase:
    """Apprise's own object for an address, with limits on how long it may take.

    Raises:
        ChannelError: Apprise does not understand it.
    """
    found = _instance(url)
    found.socket_connect_timeout = CONNECT_SECONDS
    found.socket_read_timeout = READ_SECONDS
    found.request_rate_per_sec = 0.0  # one message a call: waiting before it would only delay an alert
    return found


def may_connect(host: str, settings: Alerts) -> bool:
    """Whether a message may go to a network address: public ones, others where the settings say so."""
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return settings.allow_private or (address.is_global and not address.is_multicast)


def channel_key(path: Path) -> bytes:
    """The key that seals addresses, from a file with at least 32 random bytes.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds fewer bytes.
    """
    secret = path.read_bytes()
    if len(secret) < 32:
        raise ValueError(f"{path}: fewer than 32 bytes; make it with: head -c 32 /dev/urandom > {path}")
    # Of its own purpose, so that the same file may sign cookies (RFC 5869).
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gatehouse alert channels 1").derive(secret)


def seal(url: str, *, key: bytes, channel_id: str) -> str:
    """An address as it is kept."""
    nonce = os.urandom(12)
    sealed = ChaCha20Poly1305(key).encrypt(nonce, url.encode(), channel_id.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, *, key: bytes, channel_id: str) -> str:
    """The address again.

    Raises:
        SealError: another key, another channel, or it was changed.
    """
    try:
        raw = base64.b64decode(sealed, validate=True)
        return ChaCha20Poly1305(key).decrypt(raw[:12], raw[12:], channel_id.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise SealError("the address cannot be opened with this key") from error


@cache
def _load_plugins() -> None:
    # One of Apprise's imports of the standard library warns that it goes away in Python 3.13.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise.Apprise.instantiate("json://localhost", suppress_exceptions=True)


def _instance(url: str) -> apprise.NotifyBase:
    _load_plugins()
    try:
        found = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    except Exception:  # noqa: BLE001 - a hundred plug-ins read what somebody typed
        found = None
    if not isinstance(found, apprise.NotifyBase):
        raise ChannelError(UNREADABLE)
    return found


def _hosts(host: str | None, options: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    named = [host or "", *(value for name, value in options if name.lower() == "smtp")]
    return tuple(item for item in named if item)


def _may_be_named(host: str, settings: Alerts) -> bool:
    if settings.allow_private:
        return True
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # Also 127.1 or 2130706433: what a resolver would take for an address and `ipaddress` does not.
        return not host.replace(".", "").replace("0x", "").isdecimal()
    return may_connect(host, settings)
