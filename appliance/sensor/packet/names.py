r"""Names as text: one spelling, whatever the bytes.

Enters: labels of DNS, bytes of SNI or DHCP. Leaves: printable text of bounded length. Bytes that
no host name has are escaped as in zone files (RFC 1035 section 5.1: `\DDD`, `\.`).
"""

from __future__ import annotations

from collections.abc import Iterable

MAX_NAME = 253
"""Characters of a name's text (RFC 1035 section 2.3.4 without the root)."""

MAX_ANNOUNCED = 255
"""Characters of what a device calls itself; a DHCP option's longest value."""

_SPECIAL = frozenset(b'"().;\\@$')


def _spell(octet: int) -> str:
    if octet in _SPECIAL:
        return "\\" + chr(octet)
    if 0x21 <= octet <= 0x7E:
        return chr(octet).lower()
    return f"\\{octet:03d}"


_SPELLING = tuple(_spell(octet) for octet in range(256))
_PLAIN = bytes(octet for octet in range(256) if len(_SPELLING[octet]) == 1)
_PLAIN_OR_DOT = _PLAIN + b"."


def from_labels(labels: Iterable[bytes]) -> str:
    """Text of a name in wire labels: lower case, no final dot, at most `MAX_NAME` characters.

    A name whose escapes make it longer loses labels at its left end, so that what it lies under stays.
    """
    given = labels if isinstance(labels, list) else list(labels)
    joined = b".".join(given)
    # Nearly all names: nothing to escape, and no dot but those that were put between the labels.
    if len(joined) <= MAX_NAME and not joined.translate(None, _PLAIN_OR_DOT) and joined.count(b".") == len(given) - 1:
        return joined.decode("ascii").lower()
    spelled = [_spelled(label) for label in given]
    length = sum(map(len, spelled)) + len(spelled) - 1
    first = 0
    while length > MAX_NAME and first < len(spelled) - 1:
        length -= len(spelled[first]) + 1
        first += 1
    # A single label too long for any host name (SNI only: DNS ends at 63 octets) is kept by its end.
    return ".".join(spelled[first:])[-MAX_NAME:]


def from_bytes(name: bytes) -> str:
    """Text of a name written with dots, as in SNI (RFC 6066 section 3); one final dot is dropped."""
    return from_labels(name.removesuffix(b".").split(b"."))


def announced(value: bytes) -> str:
    """Text of what a device calls itself: UTF-8 kept, what cannot be printed escaped, bounded."""
    return printable(value.rstrip(b"\0"), MAX_ANNOUNCED)


def printable(value: bytes, bound: int) -> str:
    """At most `bound` characters of text: UTF-8 kept, what is not UTF-8 or cannot be printed escaped."""
    # No character takes more than four octets: what is cut here would be cut below too.
    decoded = value[: 4 * bound].decode("utf-8", "backslashreplace")[:bound]
    if decoded.isprintable():
        return decoded
    escaped = (c if c.isprintable() else f"\\{ord(c):03d}" for c in decoded)
    return "".join(escaped)[:bound]


def _spelled(label: bytes) -> str:
    return label.decode("latin-1").translate(_SPELLING)
