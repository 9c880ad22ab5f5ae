"""Time stamps of a third party over the heads of all ledgers, once a day (RFC 3161), where the operator has a service.

What is stamped is one line a log, `site epoch size root`, in order of site and epoch; the digest in the stamp is the
RFC 9162 root over these lines. So one stamp a day vouches for every log, and tells the service nothing: only the root
travels. A stamp shows that these heads existed at its time, whoever may hold the server's own keys later.

In: the counter-signed heads, the service's address and certificates. Out: a row of `stamp` a day. The answer is kept
only when it verifies: the digest, the nonce, and the signature up to one of the roots given.
The library takes an answer only with its certificates in the order that DER asks for; Debian 12's `openssl ts` sends
several in the order of its file, so a service made with it sends its own certificate alone.

Bounded: an answer is at most `MAX_ANSWER` octets and `TIMEOUT` seconds; one row a day.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from sqlalchemy import Connection, select

from dashboard.ingest.heads import latest_roots
from dashboard.store import schema
from wire import merkle

MAX_ANSWER = 64 * 1024
TIMEOUT = 30.0


class StampError(Exception):
    """No stamp was taken; the text says why and what to do."""


def lines(connection: Connection) -> list[str]:
    """What is stamped: one line a log."""
    return [f"{row.site} {row.epoch} {row.size} {row.root}" for row in latest_roots(connection)]


def fleet_root(heads: Sequence[str]) -> bytes:
    """RFC 9162 root over the lines."""
    return merkle.root([merkle.leaf_hash(line.encode()) for line in heads])


def take(connection: Connection, *, url: str, roots: Sequence[x509.Certificate], now: float) -> str | None:
    """Have today's heads stamped and keep the stamp; the day, None where it has one or there is nothing to stamp.

    Raises:
        StampError: the service cannot be reached, or its answer does not verify.
    """
    day = datetime.fromtimestamp(now, UTC).date().isoformat()
    if connection.execute(select(schema.stamp.c.day).where(schema.stamp.c.day == day)).scalar() is not None:
        return None
    heads = lines(connection)
    if not heads:
        return None
    root = fleet_root(heads)
    token = _ask(url, root, roots)
    connection.execute(
        schema.stamp.insert().values(
            day=day, at=now, root=root.hex(), heads="\n".join(heads) + "\n", authority=url, token=token
        )
    )
    return day


def check(token: bytes, heads: str, roots: Sequence[x509.Certificate]) -> datetime:
    """When these lines were stamped.

    Raises:
        StampError: the token is none, is over something else, or was not signed under one of the roots.
    """
    try:
        answer = decode_timestamp_response(token)
    except ValueError as error:
        raise StampError("this is no RFC 3161 answer") from error
    _verify(answer, fleet_root(heads.splitlines()), roots, nonce=None)
    return answer.tst_info.gen_time


def read_roots(path: Path) -> list[x509.Certificate]:
    """Certificates (PEM) of the authorities under which the service's own is accepted.

    Raises:
        StampError: there are none in the file.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StampError(f"{path}: no certificates can be read from it ({error})") from error


def _ask(url: str, root: bytes, roots: Sequence[x509.Certificate]) -> bytes:
    if urlsplit(url).scheme not in ("http", "https"):
        raise StampError(f"{url}: the service's address begins with http:// or https://")
    asked = (
        TimestampRequestBuilder()
        .data(root)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
    ).build()
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at above
        url, data=asked.as_bytes(), headers={"Content-Type": "application/timestamp-query"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - as above
            raw = bytes(response.read(MAX_ANSWER + 1))
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise StampError(f"{url}: the service does not answer ({error})") from error
    if len(raw) > MAX_ANSWER:
        raise StampError(f"{url}: its answer is longer than {MAX_ANSWER} octets")
    try:
        answer = decode_timestamp_response(raw)
    except ValueError as error:
        raise StampError(f"{url}: what it answers is no RFC 3161 answer") from error
    _verify(answer, root, roots, nonce=asked.nonce)
    return raw


def _verify(answer: TimeStampResponse, root: bytes, roots: Sequence[x509.Certificate], *, nonce: int | None) -> None:
    builder = VerifierBuilder()
    for certificate in roots:
        builder = builder.add_root_certificate(certificate)
    if nonce is not None:
        builder = builder.nonce(nonce)
    try:
        builder.build().verify_message(answer, root)
    except (VerificationError, ValueError) as error:
        raise StampError(f"the stamp does not verify: {error}") from error
