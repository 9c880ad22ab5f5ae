"""Facts made by hand for the tests of signals: what a device asks, is told, and connects to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_network
from typing import Any

import pytest

from appliance.messages import CollectionMask, Via
from appliance.sensor.facts import AnswerHeard, Fact, FlowBegan, FlowOpened, Kind, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.home import Home
from appliance.sensor.packet import dhcp4, dns, ech, http, tls
from appliance.sensor.signals.detector import Detector, Noticed

LAPTOP, PHONE = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
BOX = "192.0.2.1"


class Facts:
    """Builders of facts; addresses and names are of the documentation ranges."""

    laptop, phone, box = LAPTOP, PHONE, BOX

    @staticmethod
    def ask(
        name: str, *, ts: float = 1000.0, mac: str = LAPTOP, qtype: int = dns.A, to: str = BOX, sport: int = 4000
    ) -> MessageHeard:
        message = dns.Message(
            id=1,
            response=False,
            opcode=0,
            rcode=0,
            questions=(dns.Question(name=name, qtype=qtype),),
            answers=(),
            complete=True,
        )
        return MessageHeard(
            ts=ts,
            tap=Tap.DNS,
            mac=mac,
            via=Via.DNS,
            src="192.0.2.7",
            sport=sport,
            dst=to,
            dport=53,
            kind=Kind.DNS,
            message=message,
        )

    @staticmethod
    def told(name: str, *records: dns.Answer, ts: float = 1000.0, mac: str = LAPTOP, qtype: int = dns.A) -> AnswerHeard:
        asked = (dns.Question(name=name, qtype=qtype),)
        message = dns.Message(id=1, response=True, opcode=0, rcode=0, questions=asked, answers=records, complete=True)
        return AnswerHeard(
            ts=ts,
            tap=Tap.DNS,
            mac=mac,
            via=Via.DNS,
            src="192.0.2.7",
            sport=4000,
            dst=BOX,
            dport=53,
            asked=asked,
            message=message,
        )

    @staticmethod
    def address(name: str, value: str, *, ttl: int = 60) -> dns.Answer:
        return dns.Answer(name=name, rtype=dns.AAAA if ":" in value else dns.A, ttl=ttl, value=value)

    @staticmethod
    def alias(name: str, target: str) -> dns.Answer:
        return dns.Answer(name=name, rtype=dns.CNAME, ttl=60, value=target)

    @staticmethod
    def began(
        dst: str = "198.51.100.9",
        dport: int = 443,
        *,
        ts: float = 1000.0,
        mac: str = LAPTOP,
        protocol: int = 6,
        sport: int = 4000,
    ) -> FlowBegan:
        return FlowBegan(
            ts=ts,
            tap=Tap.FLOW,
            mac=mac,
            via=Via.FLOW,
            src="192.0.2.7",
            sport=sport,
            dst=dst,
            dport=dport,
            protocol=protocol,
            hops=64,
        )

    @staticmethod
    def opened(
        first: bytes, *, dst: str = "198.51.100.9", dport: int = 443, protocol: int = 17, ts: float = 1000.0
    ) -> FlowOpened:
        return FlowOpened(
            ts=ts,
            tap=Tap.FLOW,
            mac=LAPTOP,
            via=Via.FLOW,
            src="192.0.2.7",
            sport=4000,
            dst=dst,
            dport=dport,
            protocol=protocol,
            first=first,
            length=len(first),
        )

    @staticmethod
    def hello(
        name: str | None,
        *,
        ts: float = 1000.0,
        mac: str = LAPTOP,
        dst: str = "198.51.100.9",
        dport: int = 443,
        sport: int = 4000,
        kind: Kind = Kind.TLS_CLIENT_HELLO,
        alpn: tuple[bytes, ...] = (b"h2",),
        hidden: ech.Ech = ech.Ech.NONE,
    ) -> MessageHeard:
        message = tls.ClientHello(
            legacy_version=771,
            ciphers=(),
            extensions=(0,),
            server_name=name.encode() if name else None,
            alpn=alpn,
            ech=hidden,
        )
        return MessageHeard(
            ts=ts,
            tap=Tap.FLOW,
            mac=mac,
            via=Via.FLOW,
            src="192.0.2.7",
            sport=sport,
            dst=dst,
            dport=dport,
            kind=kind,
            message=message,
        )

    @staticmethod
    def request(host: str, *, ts: float = 1000.0, dst: str = "198.51.100.9", sport: int = 4000) -> MessageHeard:
        return MessageHeard(
            ts=ts,
            tap=Tap.FLOW,
            mac=LAPTOP,
            via=Via.FLOW,
            src="192.0.2.7",
            sport=sport,
            dst=dst,
            dport=80,
            kind=Kind.HTTP_REQUEST,
            message=http.Request(method="GET", host=host, user_agent=None, version="1.1"),
        )

    @staticmethod
    def lease(*, ts: float = 1000.0, mac: str = LAPTOP, message: dhcp4.Message | None = None) -> MessageHeard:
        """A DHCP message; what it says is of no matter to those who only hear that the device joins."""
        from appliance.sensor.packet.cursor import Cursor

        fixed = bytes((1, 1, 6, 0)) + bytes(24) + bytes.fromhex(mac.replace(":", "")).ljust(16, b"\0") + bytes(192)
        parsed = message or dhcp4.parse(Cursor(fixed + b"\x63\x82\x53\x63\x35\x01\x01\xff"))
        return MessageHeard(
            ts=ts,
            tap=Tap.CHATTER,
            mac=mac,
            via=Via.DHCP,
            src=None,
            sport=68,
            dst="255.255.255.255",
            dport=67,
            kind=Kind.DHCP4,
            message=parsed,
        )


@pytest.fixture
def facts() -> Facts:
    return Facts()


@pytest.fixture
def home() -> Home:
    return Home((ip_network("192.0.2.0/24"), ip_network("2001:db8:1::/64")))


@pytest.fixture
def hear() -> Callable[[Detector, Iterable[Fact]], list[Noticed]]:
    """Shows facts to a detector; all that it noticed."""

    def listen(detector: Detector, said: Iterable[Fact]) -> list[Noticed]:
        return [noticed for fact in said for noticed in detector.take(fact)]

    return listen


@pytest.fixture
def mask() -> Callable[..., CollectionMask]:
    def make(*signs: str, generation: int = 3, lease: float = 30.0, **more: Any) -> CollectionMask:
        return CollectionMask(generation=generation, names=(), signs=signs, lease=lease, **more)

    return make
