"""Seals what must not be read out of a copy of the database: authenticator secrets, and forms that are kept.

In: the secret of the secret file, what it is for, text. Out: sealed text (AES-256-GCM under a key of its own for each
purpose, HKDF-SHA256, RFC 5869), that opens only under the same secret, purpose and owner. Another secret opens nothing:
who loses the secret file sets their authenticators up anew.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Seals for one purpose."""

    key: bytes

    def seal(self, text: str, owner: str) -> str:
        """Sealed text of base64 letters; `owner` must be given again to open it."""
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self.key).encrypt(nonce, text.encode(), owner.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, owner: str) -> str | None:
        """The text; None where it was sealed under another secret or for another owner, or was changed."""
        try:
            whole = base64.b64decode(sealed, validate=True)
            return AESGCM(self.key).decrypt(whole[:_NONCE], whole[_NONCE:], owner.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            return None


def sealer(secret: bytes, purpose: str) -> Sealer:
    """The sealer of a purpose under the secret of the secret file."""
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"gatehouse pages/{purpose}".encode())
    return Sealer(key=made.derive(secret))
