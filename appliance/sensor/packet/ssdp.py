"""SSDP (UPnP Device Architecture 2.0, section 1): announcements, searches and their answers.

Enters: the UDP data. Leaves: a `Message` with its header fields as printable text.
Bounded: `MAX_HEADERS` fields, a name of `MAX_NAME` and a value of `MAX_VALUE` characters; `MAX_OCTETS` are looked at.
"""

from __future__ import annotations

import msgspec

from appliance.sensor.packet import names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_HEADERS = 32
"""Fields kept; UPnP defines fewer than twenty."""
MAX_NAME = 64
MAX_VALUE = 512
MAX_OCTETS = 8192
"""Octets of a datagram looked at; what stands behind is left."""

NOTIFY, SEARCH, RESPONSE = "NOTIFY", "M-SEARCH", "RESPONSE"
_STARTS = ((b"NOTIFY * HTTP/1.", NOTIFY), (b"M-SEARCH * HTTP/1.", SEARCH))
_STATUS = b"HTTP/1."
_OK = b"200"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One NOTIFY, M-SEARCH or response."""

    method: str
    """`NOTIFY`, `M-SEARCH` or `RESPONSE`."""
    headers: tuple[tuple[str, str], ...]
    """Name in upper case and value, in the sender's order."""
    complete: bool = True
    """False when fields over a bound were left out."""

    @property
    def response(self) -> bool:
        """Whether it answers a search."""
        return self.method == RESPONSE

    def header(self, name: str) -> str | None:
        """The first field of this name (upper case); None if it is absent."""
        return next((value for found, value in self.headers if found == name), None)


def parse(payload: Cursor) -> Message:
    """Read a message. Lines may end in LF alone; a line that is no field is passed over.

    Raises:
        ParseError: it begins neither with one of the two requests nor with the status line of a good answer.
    """
    complete = payload.remaining <= MAX_OCTETS
    lines = payload.take(min(payload.remaining, MAX_OCTETS)).split(b"\n", MAX_HEADERS * 2)
    method = _method(lines[0])
    headers: list[tuple[str, str]] = []
    for line in lines[1 : MAX_HEADERS * 2]:
        field = line.strip()
        if not field:
            break
        if len(headers) == MAX_HEADERS:
            complete = False
            break
        name, colon, value = field.partition(b":")
        name = name.rstrip()
        if colon and name and len(name) <= MAX_NAME:
            headers.append((names.printable(name, MAX_NAME).upper(), names.printable(value.strip(), MAX_VALUE)))
    else:
        complete = complete and len(lines) <= MAX_HEADERS * 2
    return Message(method=method, headers=tuple(headers), complete=complete)


def _method(line: bytes) -> str:
    upper = line[:64].upper()
    for start, method in _STARTS:
        if upper.startswith(start):
            return method
    if upper.startswith(_STATUS) and upper[8:].split()[:1] == [_OK]:
        return RESPONSE
    raise ParseError("not an SSDP message")
