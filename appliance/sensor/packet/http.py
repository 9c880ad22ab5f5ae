"""The head of an HTTP/1 request (RFC 9112 sections 2 and 3).

Enters: the prefix of a TCP stream. Leaves: a `Request`. The path is not kept: it is content.
Bounded: `MAX_HEAD` octets, `MAX_FIELDS` fields, `MAX_TEXT` characters of each value that is kept.
"""

from __future__ import annotations

import re

import msgspec

from appliance.sensor.packet import names
from appliance.sensor.packet.cursor import ParseError

MAX_HEAD = 8 * 1024
"""Octets of request line and fields; RFC 9112 section 3 asks servers for 8,000 of the line alone."""
MAX_FIELDS = 64
MAX_TEXT = 512

METHODS = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"CONNECT ", b"OPTIONS ", b"TRACE ", b"PATCH ")
"""With the blank behind them: the methods of RFC 9110 section 9 and RFC 5789, and no other."""

_LINE = re.compile(rb"([A-Z]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])")
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)")
_END = re.compile(rb"\r?\n\r?\n")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a request's head says, without its path and its other fields."""

    method: str
    host: str | None
    """Host, or the authority of an absolute or CONNECT target; lower case, port removed."""
    user_agent: str | None
    version: str
    """`1.0` or `1.1`."""


def may_begin(prefix: bytes) -> bool:
    """Whether these octets, as far as they go, may begin a request."""
    return prefix.startswith(METHODS) or (len(prefix) < 8 and any(method.startswith(prefix) for method in METHODS))


def read_stream(prefix: bytes) -> tuple[Request, int] | None:
    """Read a request's head at the beginning of a TCP stream's prefix.

    Returns:
        The request and how many octets its head took; None while more are needed.

    Raises:
        ParseError: what stands there is no request, or is over a bound.
    """
    line_end = prefix.find(b"\n", 0, MAX_HEAD)
    if line_end < 0:
        if len(prefix) >= MAX_HEAD:
            raise ParseError("HTTP request line over the bound")
        return None
    line = _LINE.fullmatch(prefix[:line_end].removesuffix(b"\r"))
    if line is None or line[1] + b" " not in METHODS:
        raise ParseError("not an HTTP request line")
    end = _END.search(prefix, max(0, line_end - 1), MAX_HEAD)
    if end is None:
        if len(prefix) >= MAX_HEAD:
            raise ParseError("HTTP request head over the bound")
        return None
    fields = _fields(prefix[line_end + 1 : end.start()])
    # RFC 9112 section 3.2.2: an absolute target's authority stands over Host.
    authority = _authority(line[1], line[2]) or fields.get(b"host")
    agent = fields.get(b"user-agent")
    request = Request(
        method=line[1].decode("ascii"),
        host=_host(authority) if authority else None,
        user_agent=names.printable(agent, MAX_TEXT) if agent is not None else None,
        version=f"1.{line[3].decode('ascii')}",
    )
    return request, end.end()


def _fields(head: bytes) -> dict[bytes, bytes]:
    """The fields that are kept; the first of a repeated one counts."""
    lines = head.split(b"\n", MAX_FIELDS + 1)
    if len(lines) > MAX_FIELDS:
        raise ParseError(f"more than {MAX_FIELDS} HTTP fields")
    found: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        key = name.lower()
        if colon and key in {b"host", b"user-agent"}:
            found.setdefault(key, value.strip(b" \t\r"))
    return found


def _authority(method: bytes, target: bytes) -> bytes | None:
    if method == b"CONNECT":
        return target
    absolute = _ABSOLUTE.match(target)
    return absolute[1] if absolute else None


def _host(authority: bytes) -> str | None:
    # RFC 3986 section 3.2.2: an IPv6 address stands in brackets.
    name = authority[1:].partition(b"]")[0] if authority[:1] == b"[" else authority.partition(b":")[0]
    return names.from_bytes(name) if name else None
