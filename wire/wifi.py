"""The household's Wi-Fi as it travels: its name, and passphrases that only the box can read.

A passphrase is sealed (HPKE, RFC 9180) to the box's own key where it is made: no database between here and the box
holds one that can be read. Pure. Bounded: a passphrase has 8 to 63 characters (IEEE 802.11, annex J.4).
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import AfterValidator, Field

from wire.base import Payload, Time

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_CONTEXT = b"gatehouse/passphrase/v1\n"
HOUSEHOLD_KEY = "household"
"""Id of the passphrase that everybody in the home has: the one they had before, so that nobody types it anew."""
MOST_PASSPHRASES = 64


def _plain(name: str) -> str:
    if len(name.encode()) > 32:
        raise ValueError("has more than 32 octets")
    if not name.isprintable():
        raise ValueError("has characters that cannot be shown")
    return name


Ssid = Annotated[str, Field(min_length=1, max_length=32), AfterValidator(_plain)]
"""Name of a Wi-Fi."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1: which channels and how much power are allowed."""
KeyId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,31}$")]
"""The access point (hostapd) reads no longer one: with a line that it cannot read, nobody could join at all."""
Passphrase = Annotated[str, Field(pattern=r"^[\x20-\x7e]{8,63}$")]
Sealed = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{64,256}={0,2}$")]
"""Base64 of the sealed passphrase."""
Purpose = Literal["device", "guest", "household"]
Security = Literal["wpa2", "wpa2-wpa3"]
"""WPA3 has no passphrase of a device's own that the box hears of: a device that uses it is known by its address only."""


class SealedPassphrase(Payload):
    """A passphrase, and what it is for."""

    key_id: KeyId
    sealed: Sealed
    purpose: Purpose
    until: Time | None = None
    """For `guest`: when it lets nobody in any more."""


class SealError(ValueError):
    """Not a passphrase that was sealed for this box under this id."""


def seal_passphrase(passphrase: str, *, site: str, key_id: str, recipient: X25519PublicKey) -> str:
    """Seal a passphrase so that only this box opens it, and only under this id."""
    return base64.b64encode(_SUITE.encrypt(passphrase.encode("ascii"), recipient, info=_info(site, key_id))).decode()


def open_passphrase(sealed: str, *, site: str, key_id: str, recipient: X25519PrivateKey) -> str:
    """The passphrase.

    Raises:
        SealError: sealed for another box or under another id, or not a passphrase.
    """
    try:
        plain = _SUITE.decrypt(base64.b64decode(sealed, validate=True), recipient, info=_info(site, key_id))
        text = plain.decode("ascii")
    except (binascii.Error, InvalidTag, ValueError):
        raise SealError("the passphrase was not sealed for this box under this id") from None
    if not (8 <= len(text) <= 63 and text.isprintable()):
        raise SealError("what was sealed is no passphrase of a Wi-Fi")
    return text


def _info(site: str, key_id: str) -> bytes:
    return _CONTEXT + f"{site}:{key_id}".encode()
