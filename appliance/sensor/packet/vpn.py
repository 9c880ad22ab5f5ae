"""First messages of VPNs: WireGuard, OpenVPN, IKE. Told by shape, whatever the port.

Enters: a datagram, or one OpenVPN packet of a stream. Leaves: fields that say more, or None.
Bounded: fixed offsets. Each shape is narrow enough that other traffic has it by chance less than once
in 2^40 datagrams; what disguises itself has another shape and is not seen here.
"""

from __future__ import annotations

from struct import Struct

from appliance.sensor.packet.cursor import ParseError

Detail = tuple[tuple[str, str], ...]

# --- WireGuard (the protocol's paper, section 5.4) ---
_INITIATION, _RESPONSE, _COOKIE, _TRANSPORT = 1, 2, 3, 4
_WIREGUARD = {_INITIATION: (148, "initiation"), _RESPONSE: (92, "response"), _COOKIE: (64, "cookie")}


def may_be_initiation(data: bytes) -> bool:
    """Whether a datagram has the length and the first octets of a handshake initiation."""
    return len(data) == _WIREGUARD[_INITIATION][0] and data[:4] == b"\x01\0\0\0"


def wireguard(data: bytes) -> Detail | None:
    """A handshake message: its type, three reserved zeros, its one length."""
    if len(data) < 64 or data[1:4] != b"\0\0\0":
        return None
    length, name = _WIREGUARD.get(data[0], (0, ""))
    if len(data) != length:
        return None
    if data[0] == _COOKIE:
        sealed = data[8:]
    else:
        key = data[8:40] if data[0] == _INITIATION else data[12:44]
        if key[-1] >= 0x80:  # a Curve25519 point (RFC 7748 section 5)
            return None
        sealed = data[8 : length - 16]  # the last field, mac2, is zero unless the peer is under load
    # Keys and sealed fields look random: of 56 random octets fewer than 32 different ones are out of the question.
    return (("type", name),) if len(set(sealed)) >= 32 else None


def is_transport(first: bytes, length: int) -> bool:
    """Whether a datagram of `length` octets that begins so is one of data: type, zeros, receiver, counter (little end first).

    Seen as a first datagram where a tunnel stood before the router did: its counter is below 2^40.
    """
    return (
        length >= 32
        and length % 16 == 0
        and first[:4] == bytes((_TRANSPORT, 0, 0, 0))
        and any(first[4:8])
        and first[13:16] == bytes(3)
    )


# --- OpenVPN (the OpenVPN wire protocol, "Structure of OpenVPN control channel packets") ---
_CLIENT_V2, _SERVER_V2, _CLIENT_V3 = 7, 8, 10
_OPENVPN = {_CLIENT_V2 << 3: "client", _SERVER_V2 << 3: "server", _CLIENT_V3 << 3: "client"}
OPENVPN_BEGINS = frozenset(_OPENVPN)
"""First octets of a hard reset."""
_MACS = (16, 20, 28, 32, 48, 64)
"""Octets of the digests that tls-auth may use."""
_REPLAY = Struct("!II")
_FIRST_IDS = frozenset({1, 0x0F000001})
"""Packet id of a sender's first packet; the second asks for early negotiation."""


def openvpn(data: bytes) -> Detail | None:
    """A hard reset, the first packet of either side, with key id 0: bare, or with tls-auth, tls-crypt, tls-crypt-v2."""
    side = _OPENVPN.get(data[0]) if len(data) >= 14 else None
    if side is None or not any(data[1:9]):
        return None
    # What a reset says: acknowledgements (and whose), then its message id 0.
    said = 5 if side == "client" else 17
    bare = 9 + said
    if data[0] >> 3 == _CLIENT_V3:
        # tls-crypt-v2 only: replay id, tag, the sealed reset, the wrapped key with its length at the end.
        wrapped = len(data) - (9 + 8 + 32 + said)
        found = wrapped > 32 and _is_first(data, 9) and int.from_bytes(data[-2:], "big") == wrapped
        return (("side", side), ("protection", "tls-crypt-v2")) if found else None
    if len(data) == bare and _is_reset(data[9:], said):
        return (("side", side), ("protection", "none"))
    mac = len(data) - bare - 8
    if mac in _MACS and _is_reset(data[-said:], said) and _is_first(data, 9 + mac):
        return (("side", side), ("protection", "tls-auth"))
    if mac == 32 and _is_first(data, 9):
        return (("side", side), ("protection", "tls-crypt"))
    return None


def _is_reset(end: bytes, said: int) -> bool:
    if said == 5:
        return end == bytes(5)
    return end[:1] == b"\x01" and end[1:5] == bytes(4) and any(end[5:13]) and end[13:] == bytes(4)


def _is_first(data: bytes, at: int) -> bool:
    """Replay protection of a first packet: id and time of day since 2001."""
    number, seconds = _REPLAY.unpack_from(data, at)
    return number in _FIRST_IDS and seconds > 1_000_000_000


def openvpn_stream(prefix: bytes) -> tuple[Detail, int] | None:
    """The first packet of OpenVPN over TCP, behind its length of two octets; None while more is needed.

    Raises:
        ParseError: another packet.
    """
    if len(prefix) < 2:
        return None
    end = 2 + int.from_bytes(prefix[:2], "big")
    if len(prefix) < end:
        return None
    found = openvpn(prefix[2:end])
    if found is None:
        raise ParseError("not an OpenVPN reset")
    return (*found, ("transport", "tcp")), end


MAX_OPENVPN = 1500
"""Octets of a first packet: a tls-crypt-v2 key is the most of it."""


def may_begin_openvpn(prefix: bytes) -> bool:
    """Whether these octets, as far as they go, may be a first packet of OpenVPN over TCP, alone in its segment."""
    if len(prefix) < 3:
        return False
    length = prefix[0] << 8 | prefix[1]
    return prefix[2] in _OPENVPN and 14 <= length <= MAX_OPENVPN and len(prefix) <= 2 + length


# --- IKE (RFC 2408 section 3.1, RFC 7296 section 3.1) ---
_IKE = Struct("!8s8sBBBBII")
_PAYLOAD = Struct("!BBH")
_EXCHANGES = {
    (0x10, 2): ("1", "main"),
    (0x10, 4): ("1", "aggressive"),
    (0x20, 34): ("2", "initial"),
}
_FIRST_PAYLOADS = {0x10: frozenset({1}), 0x20: frozenset({33, 41})}
"""Security association; in version 2 a notification (a cookie) may stand before it."""


def ike(data: bytes) -> Detail | None:
    """The first message of either side, with or without the marker of port 4500 (RFC 3948 section 2.2)."""
    marked = data[:4] == bytes(4)
    at = 4 if marked else 0
    if len(data) - at < _IKE.size + _PAYLOAD.size:
        return None
    initiator, responder, payload, version, exchange, _, message, length = _IKE.unpack_from(data, at)
    found = _EXCHANGES.get((version, exchange))
    if (
        found is None
        or not any(initiator)
        or message
        or length != len(data) - at
        or payload not in _FIRST_PAYLOADS[version]
    ):
        return None
    _, reserved, first = _PAYLOAD.unpack_from(data, at + _IKE.size)
    if reserved & 0x7F or not _PAYLOAD.size < first <= length - _IKE.size:
        return None
    side = "responder" if any(responder) else "initiator"
    return (("version", found[0]), ("exchange", found[1]), ("side", side))
