"""TLS for a client that shows a certificate: three PEM paths in, one `ssl.SSLContext` out.

Box and ingest worker reach the broker the same way; which file is at fault is said plainly.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from wire.files import FileError


def client_context(*, ca: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Context for mutual TLS 1.2 or newer that trusts only `ca` and checks the server's name.

    Raises:
        FileError: a file is missing or holds something else; the text names it.
    """
    for path in (ca, certificate, key):
        _readable(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=str(ca))
    except ssl.SSLError as error:
        raise FileError(f"{ca}: not a PEM certificate of a certificate authority") from error
    try:
        context.load_cert_chain(str(certificate), str(key), password=_no_password)
    except ssl.SSLError as error:
        raise FileError(
            f"{certificate} and {key}: not a PEM certificate with its own unencrypted private key"
        ) from error
    return context


def _readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror})") from error


def _no_password() -> str:
    """Keep OpenSSL from asking at a terminal nobody watches: an encrypted key is a fault."""
    return ""


def plain(error: Exception) -> str:
    """Why a connection did not come about, in words for a log line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate does not hold: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    return str(error) or type(error).__name__
