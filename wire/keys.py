"""Keys that cross module seams: raw base64 public keys, PEM private keys.

Ed25519 signs (RFC 8032), X25519 is what messages are sealed to (RFC 7748, RFC 9180).
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


class KeyFileError(ValueError):
    """A key that cannot be used; the text says which file and why."""


def public_text(key: Ed25519PrivateKey | X25519PrivateKey | Ed25519PublicKey | X25519PublicKey) -> str:
    """Raw public key in base64, 44 characters."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey | X25519PrivateKey) else key
    return base64.b64encode(public.public_bytes_raw()).decode()


def key_id(public: str) -> str:
    """Short name of a public key: first 16 hex digits of SHA-256 over its raw bytes."""
    return hashlib.sha256(base64.b64decode(public)).hexdigest()[:16]


def verify_key(text: str) -> Ed25519PublicKey:
    """Ed25519 public key from its text.

    Raises:
        KeyFileError: not 32 bytes of base64.
    """
    return Ed25519PublicKey.from_public_bytes(_raw(text))


def seal_key(text: str) -> X25519PublicKey:
    """X25519 public key from its text.

    Raises:
        KeyFileError: not 32 bytes of base64.
    """
    return X25519PublicKey.from_public_bytes(_raw(text))


def _raw(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise KeyFileError(f"{text!r} is not base64") from error
    if len(raw) != 32:
        raise KeyFileError(f"{text!r} holds {len(raw)} bytes, a public key has 32")
    return raw


def write_private(path: Path, key: Ed25519PrivateKey | X25519PrivateKey) -> None:
    """Write a private key as PKCS #8 PEM, mode 0600; refuses to replace a file."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(pem)


def read_signing(path: Path) -> Ed25519PrivateKey:
    """Ed25519 private key from a PEM file.

    Raises:
        KeyFileError: missing, not PEM, or of another kind.
    """
    key = _read(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: not an Ed25519 private key")
    return key


def read_sealing(path: Path) -> X25519PrivateKey:
    """X25519 private key from a PEM file.

    Raises:
        KeyFileError: missing, not PEM, or of another kind.
    """
    key = _read(path)
    if not isinstance(key, X25519PrivateKey):
        raise KeyFileError(f"{path}: not an X25519 private key")
    return key


def _read(path: Path) -> object:
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path}: not an unencrypted PEM private key") from error
