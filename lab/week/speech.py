"""A device under one address: what it says when it joins, when it is used, and when it dozes.

A persona, an address and moments in, `Spoken` frames out, each with its time. No clock is read and
nothing is drawn by chance but from the dice given. Bounded by the persona.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import NamedTuple

from lab.personas import Persona, Syn
from lab.week import answers, frames, hellos
from lab.week import datagrams as say
from lab.week.frames import Address

ROUTER_MAC = "00:00:5e:00:53:fe"
ROUTER, ROUTER6 = IPv4Address("192.0.2.1"), IPv6Address("fe80::1")
_EVERYBODY = IPv4Address("255.255.255.255")
_ALL_ROUTERS, _DHCP6 = IPv6Address("ff02::2"), IPv6Address("ff02::1:2")
_MDNS, _SSDP, _LLMNR = IPv4Address("224.0.0.251"), IPv4Address("239.255.255.250"), IPv4Address("224.0.0.252")
_SUBNET = IPv4Address("192.0.2.255")
_SYN_FLAG, _PUSH_ACK = 0x02, 0x18
_OPTION_CODES = {"nop": b"\x01", "eol": b"\0", "sok": b"\x04\x02"}


class Spoken(NamedTuple):
    """A frame and when it was sent."""

    ts: float
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A device under one hardware address."""

    persona: Persona
    device: str
    """Which device it is: what an identifier that outlives a change of address is made of."""
    mac: str
    ip4: IPv4Address
    dice: Random

    @property
    def link_local(self) -> IPv6Address:
        """Its IPv6 address on the link (RFC 4291 appendix A, RFC 7217)."""
        own = frames.octets(self.mac)
        match self.persona.interface_id:
            case "eui64":
                interface = bytes([own[0] ^ 2]) + own[1:3] + b"\xff\xfe" + own[3:]
            case "stable":
                interface = say.stable_id(self.device)[:8]
            case "per-address":
                interface = say.stable_id(f"{self.device}/{self.mac}")[:8]
        return IPv6Address(b"\xfe\x80" + bytes(6) + interface)

    def join(self, ts: float) -> Iterator[Spoken]:
        """From the first frame under this address to the last announcement, some seconds."""
        yield from self._address6(ts)
        yield from self._lease(ts + 0.1)
        yield Spoken(ts + 0.5, frames.arp(sender=self.mac, sender_ip=self.ip4, target_ip=self.ip4, probe=True))
        yield Spoken(ts + 0.7, self.keep_alive())
        if self.persona.dhcp6 is not None:
            asked = say.dhcp6(self.persona, self.device, transaction=self.dice.randrange(1 << 24))
            yield Spoken(ts + 0.8, self._udp(self.link_local, _DHCP6, 546, 547, asked))
        if self.persona.captive is not None:
            yield from self._captive(ts + 1.0, self.persona.captive)
        yield from self.announce(ts + 1.5)
        for number, name in enumerate(self.persona.reports_to[:3]):
            yield from self.connect(ts + 2.5 + number * 0.4, name)

    def announce(self, ts: float) -> Iterator[Spoken]:
        """What it offers and looks for on the network."""
        persona, moment = self.persona, ts
        for packet in (
            *say.mdns_questions(persona),
            *say.mdns_announcements(persona, ip4=self.ip4, ip6=self.link_local),
        ):
            yield Spoken(moment, self._udp(self.ip4, _MDNS, 5353, 5353, packet))
            moment += 0.02
        for packet in say.ssdp(persona, ip4=self.ip4):
            yield Spoken(moment, self._udp(self.ip4, _SSDP, 1900, 1900, packet))
            moment += 0.02
        if persona.netbios:
            number = self.dice.randrange(1 << 16)
            name = say.netbios(persona, transaction=number, ip4=self.ip4)
            yield Spoken(moment, self._udp(self.ip4, _SUBNET, 137, 137, name))
            port = self._port()
            own = self._udp(self.ip4, _LLMNR, port, 5355, say.llmnr(persona, transaction=number))
            yield Spoken(moment + 0.02, own)

    def renew(self, ts: float) -> Iterator[Spoken]:
        """Its lease, at half time (RFC 2131 section 4.4.5)."""
        asked = self._dhcp(say.REQUEST, self.dice.randrange(1 << 32))
        yield Spoken(ts, self._udp(self.ip4, ROUTER, 68, 67, asked))

    def keep_alive(self) -> bytes:
        """Where is the router? All that is heard of a device that dozes."""
        return frames.arp(sender=self.mac, sender_ip=self.ip4, target_ip=ROUTER)

    def connect(self, ts: float, name: str) -> Iterator[Spoken]:
        """Look a name up and open a TLS connection to where the answer says that it lives."""
        yield from self.ask(ts, name)
        yield from self.greet(ts + 0.05, name)

    def ask(
        self, ts: float, name: str, *, kinds: Sequence[str] = ("A", "AAAA"), of: IPv4Address = ROUTER
    ) -> Iterator[Spoken]:
        """Questions for a name, each with its answer; the box answers for any resolver (`of`) that is asked."""
        for number, kind in enumerate(kinds):
            moment, transaction = ts + number * 0.001, self.dice.randrange(1 << 16)
            asked, port = say.dns_question(name, kind, transaction=transaction), self._port()
            yield Spoken(moment, self._udp(self.ip4, of, port, 53, asked))
            told = frames.udp(of, self.ip4, 53, port, answers.answer(name, kind, transaction=transaction))
            back = frames.packet(of, self.ip4, frames.UDP, told, source=ROUTER_MAC, destination=self.mac, ttl=64)
            yield Spoken(moment + 0.02, back)

    def greet(
        self, ts: float, name: str, *, to: IPv4Address | None = None, port: int = 443, shape: hellos.Shape | None = None
    ) -> Iterator[Spoken]:
        """A TLS connection that shows a name, where the name lives or elsewhere; nothing of who speaks no TLS."""
        if shape is None and self.persona.hello is not None:
            shape = hellos.shapes()[self.persona.hello]
        if shape is not None:
            hello = hellos.hello(shape, name, self.dice)
            yield from self._tcp(ts, to or answers.place(name).ip4, port, hello)

    def send(self, ts: float, to: IPv4Address, port: int, data: bytes, *, own: int | None = None) -> Iterator[Spoken]:
        """A datagram, from the port `own` or any."""
        yield Spoken(ts, self._udp(self.ip4, to, self._port() if own is None else own, port, data))

    def knock(self, ts: float, to: IPv4Address, port: int) -> Spoken:
        """A SYN that nobody answers."""
        return next(self._tcp(ts, to, port, b""))

    def _captive(self, ts: float, name: str) -> Iterator[Spoken]:
        yield from self.ask(ts, name, kinds=("A",))
        agent = f"User-Agent: {self.persona.user_agent}\r\n" if self.persona.user_agent else ""
        head = f"GET / HTTP/1.1\r\nHost: {name}\r\n{agent}Connection: close\r\n\r\n"
        yield from self._tcp(ts + 0.05, answers.place(name).ip4, 80, head.encode("ascii"))

    def _address6(self, ts: float) -> Iterator[Spoken]:
        """Is the address free? Where is a router? (RFC 4862 section 5.4, RFC 4861 section 6.3.7)."""
        own, nobody = self.link_local, IPv6Address(0)
        asked = IPv6Address(IPv6Address("ff02::1:ff00:0").packed[:13] + own.packed[13:])
        yield Spoken(ts, self._icmp6(nobody, asked, 135, bytes(4) + own.packed))
        link = b"\x01\x01" + frames.octets(self.mac)
        yield Spoken(ts + 0.05, self._icmp6(own, _ALL_ROUTERS, 133, bytes(4) + link))

    def _lease(self, ts: float) -> Iterator[Spoken]:
        transaction = self.dice.randrange(1 << 32)
        for kind, answer in ((say.DISCOVER, say.OFFER), (say.REQUEST, say.ACK)):
            asked = frames.udp(IPv4Address(0), _EVERYBODY, 68, 67, self._dhcp(kind, transaction))
            yield Spoken(
                ts,
                frames.packet(
                    IPv4Address(0), _EVERYBODY, frames.UDP, asked,
                    source=self.mac, destination=frames.BROADCAST, ttl=self._ttl,
                ),
            )  # fmt: skip
            told = say.dhcp_answer(answer, mac=self.mac, transaction=transaction, address=self.ip4, server=ROUTER)
            back = frames.udp(ROUTER, self.ip4, 67, 68, told)
            yield Spoken(
                ts + 0.05,
                frames.packet(ROUTER, self.ip4, frames.UDP, back, source=ROUTER_MAC, destination=self.mac, ttl=64),
            )
            ts += 0.1

    def _dhcp(self, kind: int, transaction: int) -> bytes:
        return say.dhcp(self.persona, kind, mac=self.mac, transaction=transaction, address=self.ip4, server=ROUTER)

    @property
    def _ttl(self) -> int:
        return self.persona.syn.ttl if self.persona.syn else 64

    def _port(self) -> int:
        return self.dice.randrange(49152, 65536)

    def _udp(self, src: Address, dst: Address, sport: int, dport: int, data: bytes) -> bytes:
        return frames.packet(
            src,
            dst,
            frames.UDP,
            frames.udp(src, dst, sport, dport, data),
            source=self.mac,
            destination=frames.BROADCAST if dst == _SUBNET else ROUTER_MAC,
            ttl=255 if dst == _MDNS else self._ttl,
        )

    def _icmp6(self, src: IPv6Address, dst: IPv6Address, kind: int, body: bytes) -> bytes:
        message = frames.icmp6(src, dst, kind, body)
        return frames.packet(src, dst, frames.ICMP6, message, source=self.mac, destination=ROUTER_MAC, ttl=255)

    def _tcp(self, ts: float, dst: IPv4Address, dport: int, data: bytes) -> Iterator[Spoken]:
        """A SYN, and the first words; between them the other end has answered, which is not told."""
        syn = self.persona.syn or Syn(ttl=64, window=64240, options=("mss",))
        sport, sequence = self._port(), self.dice.randrange(1 << 32)
        opening = frames.tcp(
            self.ip4, dst, sport=sport, dport=dport, sequence=sequence,
            flags=_SYN_FLAG, window=syn.window, options=self._options(syn),
        )  # fmt: skip
        speech = frames.tcp(
            self.ip4, dst, sport=sport, dport=dport, sequence=(sequence + 1) % (1 << 32),
            acknowledged=self.dice.randrange(1 << 32), flags=_PUSH_ACK, window=syn.window, data=data,
        )  # fmt: skip
        for number, segment in enumerate((opening, speech)):
            whole = frames.packet(
                self.ip4, dst, frames.TCP, segment,
                source=self.mac, destination=ROUTER_MAC, ttl=syn.ttl, ident=self.dice.randrange(1 << 16),
            )  # fmt: skip
            yield Spoken(ts + number * 0.03, whole)

    def _options(self, syn: Syn) -> bytes:
        values = _OPTION_CODES | {
            "mss": struct.pack("!BBH", 2, 4, syn.mss),
            "ws": bytes([3, 3, syn.scale]),
            "ts": struct.pack("!BBII", 8, 10, self.dice.randrange(1 << 32), 0),
        }
        joined = b"".join(values[option] for option in syn.options)
        return joined + bytes(-len(joined) % 4)
