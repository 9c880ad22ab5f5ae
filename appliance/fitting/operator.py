"""The operator's card on the boot medium: `operator.toml` in, one checked `OperatorCard` out.

It was written at the station and is public. Bounded: `MAX_FILE` octets.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from wire.documents import DocumentError, from_toml
from wire.enrolment import OperatorCard
from wire.files import FileError
from wire.keys import KeyFileError, verify_key

MAX_FILE = 32 * 1024
_FIX = "write it on the card at the station"


def load(path: Path) -> OperatorCard:
    """Read the card.

    Raises:
        FileError: missing, too large, not of the form, or with keys that are none; the text says which.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); {_FIX}") from error
    if len(raw) > MAX_FILE:
        raise FileError(f"{path}: larger than {MAX_FILE} octets; {_FIX} anew")
    if b"PRIVATE KEY" in raw:
        raise FileError(f"{path}: holds a private key, which nobody may carry to a home; {_FIX} anew without it")
    try:
        card = from_toml(OperatorCard, raw, within="operator")
        for key in (*card.server_verify, *card.issuers, *card.release_keys):
            verify_key(key)
        x509.load_pem_x509_certificate(card.ca.encode())
    except (DocumentError, KeyFileError) as error:
        raise FileError(f"{path}: {error}; {_FIX} anew") from None
    except ValueError:
        raise FileError(f"{path}: ca: is no certificate (PEM); {_FIX} anew") from None
    return card
