"""JA3 and JA4: how a client says hello, as a short text.

Enters: the lists of a ClientHello. Leaves: texts. Bounded: `CACHED` lists of each kind remembered, each of
at most `MAX_CACHED` entries: households say few different hellos, each many times.
Written from the published descriptions: JA3 (Salesforce) and JA4 (FoxIO, technical details of JA4 for TLS
clients, BSD-3). GREASE (RFC 8701) is left out everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

CACHED = 512
"""Lists whose text is remembered."""
MAX_CACHED = 128
"""Entries of the longest list that is remembered; real ones have fewer."""

GREASE = frozenset(0x0A0A + 0x1010 * step for step in range(16))
"""RFC 8701 section 2."""
_SERVER_NAME, _ALPN = 0, 16
_VERSIONS = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0002: "s2",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}
_DTLS = 0xFE
_NOTHING = "000000000000"


def ja3_text(
    version: int,
    ciphers: tuple[int, ...],
    extensions: tuple[int, ...],
    groups: tuple[int, ...],
    point_formats: tuple[int, ...],
) -> str:
    """Five fields with commas between: `version` as in the hello, lists in the client's order, in decimal."""
    return (
        f"{version},{_decimal(ciphers)},{_decimal(extensions)},{_decimal(groups)},{'-'.join(map(str, point_formats))}"
    )


def ja3_digest(text: str) -> str:
    """MD5 in hexadecimal: a name of the text, nothing is protected by it."""
    return hashlib.md5(text.encode("ascii"), usedforsecurity=False).hexdigest()


def ja4(
    carrier: str,
    *,
    version: int,
    ciphers: tuple[int, ...],
    extensions: tuple[int, ...],
    alpn: bytes | None,
    signature_algorithms: tuple[int, ...],
) -> str:
    """JA4.

    Args:
        carrier: `t` TCP, `q` QUIC, `d` DTLS.
        version: The highest of supported_versions (see `highest`), or else the hello's own.
        ciphers: As sent.
        extensions: Types as sent.
        alpn: The first protocol offered, None without any.
        signature_algorithms: As sent.
    """
    suites, suites_hash = _sorted_ciphers(ciphers)
    count, extensions_hash = _sorted_extensions(tuple(sorted(extensions)), signature_algorithms)
    named = "d" if _SERVER_NAME in extensions else "i"
    return f"{carrier}{_VERSIONS.get(version, '00')}{named}{suites}{count}{alpn_ends(alpn)}_{suites_hash}_{extensions_hash}"


def highest(versions: tuple[int, ...], legacy: int) -> int:
    """The version JA4 speaks of: the highest offered, GREASE left out; `legacy` where none is."""
    if 0x0304 in versions and max(versions) == 0x0304:
        return 0x0304
    offered = [version for version in versions if version not in GREASE]
    # Versions of DTLS count downward: 1.2 is FEFD, 1.3 is FEFC (RFC 9147 section 5.3).
    datagram = [version for version in offered if version >> 8 == _DTLS]
    return min(datagram) if datagram else max(offered, default=legacy)


@lru_cache(maxsize=64)
def alpn_ends(alpn: bytes | None) -> str:
    """First and last character of a protocol's name; of its hexadecimal form if either is not alphanumeric."""
    if not alpn:
        return "00"
    ends = alpn[:1] + alpn[-1:]
    if ends.isalnum():  # of bytes: ASCII only
        return ends.decode("ascii")
    written = alpn.hex()
    return written[0] + written[-1]


def _decimal(values: tuple[int, ...]) -> str:
    return _cached_decimal(values) if len(values) <= MAX_CACHED else _join_decimal(values)


def _join_decimal(values: tuple[int, ...]) -> str:
    return "-".join([str(value) for value in values if value not in GREASE])


def _sorted_ciphers(ciphers: tuple[int, ...]) -> tuple[str, str]:
    return _cached_ciphers(ciphers) if len(ciphers) <= MAX_CACHED else _hash_ciphers(ciphers)


def _hash_ciphers(ciphers: tuple[int, ...]) -> tuple[str, str]:
    """Number of ciphers and hash of their sorted list."""
    kept = sorted(cipher for cipher in ciphers if cipher not in GREASE)
    return _count(len(kept)), _digest(_hexadecimal(kept)) if kept else _NOTHING


def _sorted_extensions(ordered: tuple[int, ...], algorithms: tuple[int, ...]) -> tuple[str, str]:
    if len(ordered) + len(algorithms) <= MAX_CACHED:
        return _cached_extensions(ordered, algorithms)
    return _hash_extensions(ordered, algorithms)


def _hash_extensions(ordered: tuple[int, ...], algorithms: tuple[int, ...]) -> tuple[str, str]:
    """Number of extensions, and hash of their sorted list with the signature algorithms as sent."""
    kept = [kind for kind in ordered if kind not in GREASE]
    count = _count(len(kept))
    named = [kind for kind in kept if kind not in {_SERVER_NAME, _ALPN}]
    if not named:
        return count, _NOTHING
    written = _hexadecimal(named)
    if signed := [algorithm for algorithm in algorithms if algorithm not in GREASE]:
        written += "_" + _hexadecimal(signed)
    return count, _digest(written)


def _count(number: int) -> str:
    return f"{min(number, 99):02d}"


def _hexadecimal(values: list[int]) -> str:
    return ",".join([f"{value:04x}" for value in values])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:12]


_cached_decimal: Callable[[tuple[int, ...]], str] = lru_cache(maxsize=CACHED)(_join_decimal)
_cached_ciphers: Callable[[tuple[int, ...]], tuple[str, str]] = lru_cache(maxsize=CACHED)(_hash_ciphers)
_cached_extensions: Callable[[tuple[int, ...], tuple[int, ...]], tuple[str, str]] = lru_cache(maxsize=CACHED)(
    _hash_extensions
)
