"""Neighbour discovery (RFC 4861 section 4) and what its options say of a network and who is there.

Enters: the ICMPv6 message. Leaves: a `Message` for solicitations and advertisements of neighbours
and routers, None for all else (`SHOWN` among them: that one was sent is all they show here). Bounded: `MAX_OPTIONS` options and `MAX_RESOLVERS` addresses; what is over is left out, and
`complete` says so.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet import names
from appliance.sensor.packet.cursor import Cursor, ParseError

ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = 133, 134, 135, 136
SHOWN = frozenset({131, 132, 137, 143})
"""Multicast listener reports and done of MLD (RFC 2710) and MLDv2 (RFC 3810), redirects: all they show is a sender."""

MAX_OPTIONS = 32
"""Options of one message that are read."""
MAX_RESOLVERS = 16
"""Resolver addresses of one message that are kept."""

_SOURCE_LINK, _TARGET_LINK, _PREFIX, _MTU, _RDNSS, _PORTAL = 1, 2, 3, 5, 25, 37
_ROUTER = Struct("!BBHII")
_PREFIX_FIELDS = Struct("!BBII4x16s")
_MAC_OPTION = 6
_MANAGED, _OTHER = 0x80, 0x40
_FROM_ROUTER, _SOLICITED, _OVERRIDE = 0x80, 0x40, 0x20
_ON_LINK, _AUTONOMOUS = 0x80, 0x40


class Prefix(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix information option (RFC 4861 section 4.6.2)."""

    address: bytes
    """Sixteen octets."""
    length: int
    """Leading bits that count, at most 128."""
    on_link: bool
    autonomous: bool
    """Hosts make themselves addresses under it."""
    valid: int
    """Seconds."""
    preferred: int
    """Seconds."""


class Router(msgspec.Struct, frozen=True, kw_only=True):
    """What a router advertisement says besides its options (RFC 4861 section 4.2)."""

    hop_limit: int
    managed: bool
    """Addresses come by DHCPv6."""
    other: bool
    """Other settings come by DHCPv6."""
    lifetime: int
    """Seconds as default router; 0: it is none."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One neighbour-discovery message."""

    kind: int
    """ICMPv6 type, 133 to 136."""
    target: bytes | None
    """Sixteen octets: whose address is asked for or announced; None for router messages."""
    router: Router | None = None
    """Of a router advertisement; None also where it is cut before."""
    from_router: bool = False
    """Flag R of a neighbour advertisement (RFC 4861 section 4.4)."""
    solicited: bool = False
    override: bool = False
    source_link: bytes | None = None
    """Option 1, six octets: the sender's hardware address."""
    target_link: bytes | None = None
    """Option 2, six octets: the target's hardware address."""
    prefixes: tuple[Prefix, ...] = ()
    resolvers: tuple[bytes, ...] = ()
    """Addresses of option 25 (RFC 8106), sixteen octets each."""
    mtu: int | None = None
    captive_portal: str | None = None
    """Option 37 (RFC 8910 section 2.3): a URI."""
    complete: bool = True
    """False if an option is damaged, or options are over a bound; those before are read."""


class _Options:
    """What options say, while they are read."""

    __slots__ = ("complete", "mtu", "portal", "prefixes", "resolvers", "source_link", "target_link")

    def __init__(self) -> None:
        self.source_link: bytes | None = None
        self.target_link: bytes | None = None
        self.prefixes: list[Prefix] = []
        self.resolvers: list[bytes] = []
        self.mtu: int | None = None
        self.portal: str | None = None
        self.complete = True


def parse(cursor: Cursor) -> Message | None:
    """Read an ICMPv6 message; damage in its options leaves what stands before it.

    Raises:
        ParseError: it is cut short before its options.
    """
    kind = cursor.u8()
    cursor.skip(3)
    target = router = None
    flags = 0
    if kind == ROUTER_ADVERTISEMENT:
        router = _router(cursor)
    elif kind == ROUTER_SOLICITATION:
        cursor.skip(min(4, cursor.remaining))
    elif kind in {NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT}:
        word = cursor.u32()
        flags = word >> 24 if kind == NEIGHBOUR_ADVERTISEMENT else 0
        target = cursor.take(16)
    else:
        return None
    options = _Options()
    try:
        _read(cursor, options)
    except ParseError:
        options.complete = False
    return Message(
        kind=kind,
        target=target,
        router=router,
        from_router=flags & _FROM_ROUTER != 0,
        solicited=flags & _SOLICITED != 0,
        override=flags & _OVERRIDE != 0,
        source_link=options.source_link,
        target_link=options.target_link,
        prefixes=tuple(options.prefixes),
        resolvers=tuple(options.resolvers),
        mtu=options.mtu,
        captive_portal=options.portal,
        complete=options.complete,
    )


def _router(cursor: Cursor) -> Router | None:
    if cursor.remaining < _ROUTER.size:
        cursor.rest()
        return None
    hop_limit, flags, lifetime, _, _ = cursor.unpack(_ROUTER)
    return Router(hop_limit=hop_limit, managed=flags & _MANAGED != 0, other=flags & _OTHER != 0, lifetime=lifetime)


def _read(cursor: Cursor, options: _Options) -> None:
    for _ in range(MAX_OPTIONS):
        if not cursor.remaining:
            return
        kind, length = cursor.u8(), cursor.u8()
        if length == 0:  # RFC 4861 section 4.6: such a packet is to be thrown away whole
            raise ParseError("a neighbour discovery option of length 0")
        _option(kind, cursor.sub(length * 8 - 2), options)
    if cursor.remaining:
        options.complete = False


def _option(kind: int, body: Cursor, options: _Options) -> None:
    if kind == _SOURCE_LINK and body.remaining == _MAC_OPTION:
        options.source_link = body.rest()
    elif kind == _TARGET_LINK and body.remaining == _MAC_OPTION:
        options.target_link = body.rest()
    elif kind == _PREFIX:
        length, flags, valid, preferred, address = body.unpack(_PREFIX_FIELDS)
        options.prefixes.append(
            Prefix(
                address=address,
                length=min(length, 128),
                on_link=flags & _ON_LINK != 0,
                autonomous=flags & _AUTONOMOUS != 0,
                valid=valid,
                preferred=preferred,
            )
        )
    elif kind == _MTU:
        body.skip(2)
        options.mtu = body.u32()
    elif kind == _RDNSS:
        body.skip(6)
        while body.remaining:
            address = body.take(16)
            if len(options.resolvers) == MAX_RESOLVERS:
                options.complete = False
                return
            options.resolvers.append(address)
    elif kind == _PORTAL:
        options.portal = names.announced(body.rest()) or None
