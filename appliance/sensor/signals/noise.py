"""Flows that look like noise from their first packet: what is made so that it looks like nothing.

Enters: first octets of flows that no parser read. Leaves: RANDOM_FIRST, a weak sign. Keeps nothing.
The opposite is looked for, as the measurements of networks that refuse such flows describe it (Wu and others, "How the
Great Firewall of China detects and blocks fully encrypted traffic", USENIX Security 2023): what has
some order is passed over. So is what goes to an address that the device was told by a name, and what begins as calls,
games, file sharing and streams of voice do.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from appliance.sensor.facts import Fact, FlowOpened
from appliance.sensor.home import Home
from appliance.sensor.packet import ip
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.signals.told import Told
from appliance.signals import Signal

LEAST = 48
"""Octets below which chance gives a short message any look."""
BITS = (3.4, 4.6)
"""One bits per octet, as chance has them: outside there is order."""
PRINTABLE_FIRST = 6
PRINTABLE_SHARE = 0.5
PRINTABLE_RUN = 20
REPEATED = (4, 32)
"""Times that one value may come: at least so often, or once in so many octets. Fields and padding repeat, noise does not."""

_RTP_KINDS = frozenset({*range(35), *range(72, 77), *range(96, 128)})
"""Payload types (RFC 3551 section 6), those of RTCP beside it (RFC 5761 section 4)."""
_UTP_SYN = 0x41
"""uTP (BEP 29): type ST_SYN, version 1."""
_NTP_PORT, _QUIC_PORT = 123, 443


class Noise(Detector):
    """Tells first packets without any order, to addresses without a name."""

    __slots__ = ("_home", "_told")
    hears = (FlowOpened,)

    def __init__(self, home: Home, told: Told) -> None:
        """Pass over what `told` knows a device was told; it must hear each fact first."""
        self._home = home
        self._told = told

    def take(self, fact: Fact) -> Iterable[Noticed]:
        """What the first octets of a flow look like."""
        if fact.mac is None or not isinstance(fact, FlowOpened) or self._home.is_home(fact.dst):
            return ()
        if fact.protocol == ip.UDP and _is_known(fact):
            return ()
        if not is_noise(fact.first) or self._told.knows_address(fact.mac, fact.dst, fact.ts):
            return ()
        return (
            Noticed(
                ts=fact.ts,
                mac=fact.mac,
                signal=Signal.RANDOM_FIRST,
                value=str(fact.length),
                server=fact.dst,
                port=fact.dport,
            ),
        )


def is_noise(data: bytes) -> bool:
    """Whether octets are without order, as far as so few can show."""
    if len(data) < LEAST:
        return False
    bits = int.from_bytes(data, "big").bit_count() / len(data)
    if not BITS[0] < bits < BITS[1]:
        return False
    printable = [0x20 <= octet <= 0x7E for octet in data]
    if all(printable[:PRINTABLE_FIRST]) or sum(printable) > PRINTABLE_SHARE * len(data):
        return False
    if max((len(list(run)) for is_text, run in groupby(printable) if is_text), default=0) > PRINTABLE_RUN:
        return False
    return max(data.count(octet) for octet in set(data)) <= max(REPEATED[0], len(data) // REPEATED[1])


def _is_known(fact: FlowOpened) -> bool:
    """Datagrams of programs that hide nothing, though most of each is sealed or drawn by chance."""
    data = fact.first
    if fact.dport == _NTP_PORT or data[0] == _UTP_SYN:
        return True
    if (
        fact.dport == _QUIC_PORT and data[0] >> 6 == 1
    ):  # a connection from before (RFC 9000 section 17.3), told elsewhere
        return True
    # RTP and SRTP (RFC 3550 section 5.1): version 2, a known payload type. DTLS records: RFC 9147 section 4.
    is_rtp = data[0] >> 6 == 2 and len(data) > 1 and data[1] & 0x7F in _RTP_KINDS
    return is_rtp or (data[0] in range(20, 27) and data[1:2] == b"\xfe") or 0x2C <= data[0] < 0x40
