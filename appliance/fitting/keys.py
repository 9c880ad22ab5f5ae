"""The box's own keys, born here and never anywhere else.

In: nothing but the kernel's randomness (`getrandom` waits until there is enough of it; a new board has little). Out:
three files that only their owner reads: the keeper signs and opens, the courier proves itself to the broker.
A cut leaves a key whole or none. Bounded: three files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from appliance.fitting.places import Places, folder, keep
from firmware import layout
from wire.keys import KeyFileError, read_sealing, read_signing

OWNERS = {layout.SIGNING_KEY: "keeper", layout.SEALING_KEY: "keeper", layout.TLS_KEY: "courier"}
"""Whose each key is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The three private keys; their text is never shown."""

    signing: Ed25519PrivateKey
    sealing: X25519PrivateKey
    tls: ec.EllipticCurvePrivateKey


def ensure(places: Places) -> Keys:
    """The keys of this box; those that are not there yet are made.

    Raises:
        KeyFileError: one that is there cannot be used. It is not replaced: the service knows the box by it.
    """
    folder(places.at(layout.KEYS))
    os.getrandom(32)  # blocks until the kernel's pool is filled, which `os.urandom` may be asked for too early
    for path, make in (
        (layout.SIGNING_KEY, Ed25519PrivateKey.generate),
        (layout.SEALING_KEY, X25519PrivateKey.generate),
        (layout.TLS_KEY, lambda: ec.generate_private_key(ec.SECP256R1())),
    ):
        if not places.at(path).exists():
            pem = make().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            keep(places.at(path), pem, owner=OWNERS[path])
    return load(places)


def load(places: Places) -> Keys:
    """The keys of this box.

    Raises:
        KeyFileError: missing or of another kind; the text says which.
    """
    path = places.at(layout.TLS_KEY)
    try:
        tls = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path}: not an unencrypted PEM private key") from error
    if not isinstance(tls, ec.EllipticCurvePrivateKey):
        raise KeyFileError(f"{path}: not a key of an elliptic curve")
    return Keys(
        signing=read_signing(places.at(layout.SIGNING_KEY)),
        sealing=read_sealing(places.at(layout.SEALING_KEY)),
        tls=tls,
    )
