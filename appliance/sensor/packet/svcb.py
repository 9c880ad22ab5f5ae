"""Parameters of SVCB and HTTPS records (RFC 9460): how a service wants to be reached.

Enters: a record's fields before the parameters, and a cursor on the parameters. Leaves: a `Svcb`.
Bounded: `MAX_PARAMETERS` parameters of a record, `MAX_ENTRIES` kept of a list inside one.
"""

from __future__ import annotations

import msgspec

from appliance.sensor.packet import ip, names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_PARAMETERS = 32
"""Parameters of one record; RFC 9460 section 14.3.2 names seven, later RFCs a few more."""
MAX_ENTRIES = 16
"""Protocols, keys or addresses kept of one parameter; `cut` says that there were more."""

MANDATORY, ALPN, NO_DEFAULT_ALPN, PORT, IPV4HINT, ECH, IPV6HINT, DOHPATH = range(8)
"""Keys: section 14.3.2, and `dohpath` of RFC 9461 section 5."""


_LISTS = (MANDATORY, ALPN, IPV4HINT, IPV6HINT)


class Svcb(msgspec.Struct, frozen=True, kw_only=True):
    """What a record says of one way to the service."""

    priority: int
    """0: an alias, the target is asked instead (section 2.4.2)."""
    target: str
    """Name as text; empty for the root, which stands for the record's own name (section 2.5)."""
    keys: tuple[int, ...] = ()
    """All parameter keys, ascending, known or not."""
    mandatory: tuple[int, ...] = ()
    alpn: tuple[str, ...] = ()
    default_alpn: bool = True
    """False when the record says `no-default-alpn`."""
    port: int | None = None
    ipv4hint: tuple[str, ...] = ()
    ipv6hint: tuple[str, ...] = ()
    ech: bytes | None = None
    """The ECHConfigList as sent (RFC 9849); None without one: then the server name goes in the clear."""
    dohpath: str | None = None
    """Where DNS over HTTPS is asked (RFC 9461); says that the target is a resolver."""
    cut: bool = False
    """Whether a list has more than `MAX_ENTRIES`; those were left out."""


def parse(priority: int, target: str, cursor: Cursor) -> Svcb:
    """Read the parameters up to the end of the cursor.

    Raises:
        ParseError: cut short, keys not strictly ascending (section 2.2), a value of the wrong form, or over
            `MAX_PARAMETERS`.
    """
    values: dict[int, Cursor] = {}
    latest = -1
    while cursor.remaining:
        key = cursor.u16()
        if key <= latest:
            raise ParseError(f"SVCB key {key} after {latest}")
        if len(values) == MAX_PARAMETERS:
            raise ParseError(f"more than {MAX_PARAMETERS} SVCB parameters")
        latest = key
        values[key] = cursor.sub(cursor.u16())
    if not values:
        return Svcb(priority=priority, target=target)
    if NO_DEFAULT_ALPN in values and values[NO_DEFAULT_ALPN].remaining:
        raise ParseError("SVCB no-default-alpn with a value")
    return Svcb(
        priority=priority,
        target=target,
        keys=tuple(values),
        mandatory=_numbers(values.get(MANDATORY)),
        alpn=_protocols(values.get(ALPN)),
        default_alpn=NO_DEFAULT_ALPN not in values,
        port=_port(values.get(PORT)),
        ipv4hint=_addresses(values.get(IPV4HINT), 4),
        ipv6hint=_addresses(values.get(IPV6HINT), 16),
        ech=values[ECH].rest() if ECH in values else None,
        dohpath=names.announced(values[DOHPATH].rest()) if DOHPATH in values else None,
        cut=any(values[key].remaining for key in _LISTS if key in values),
    )


def _numbers(value: Cursor | None) -> tuple[int, ...]:
    if value is None:
        return ()
    if not value.remaining or value.remaining % 2:
        raise ParseError(f"SVCB list of keys of {value.remaining} octets")
    return value.u16s(min(value.remaining // 2, MAX_ENTRIES))


def _protocols(value: Cursor | None) -> tuple[str, ...]:
    if value is None:
        return ()
    found: list[str] = []
    while (value.remaining and len(found) < MAX_ENTRIES) or not found:  # section 7.1.1: at least one, none empty
        length = value.u8()
        if not length:
            raise ParseError("empty SVCB alpn")
        found.append(names.announced(value.take(length)))
    return tuple(found)


def _port(value: Cursor | None) -> int | None:
    if value is None:
        return None
    if value.remaining != 2:
        raise ParseError(f"SVCB port of {value.remaining} octets")
    return value.u16()


def _addresses(value: Cursor | None, size: int) -> tuple[str, ...]:
    if value is None:
        return ()
    if not value.remaining or value.remaining % size:
        raise ParseError(f"SVCB address hint of {value.remaining} octets")
    return tuple(ip.text(value.take(size)) for _ in range(min(value.remaining // size, MAX_ENTRIES)))
