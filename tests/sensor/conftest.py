"""Packets made by hand for the tests of the sensor: every builder gives plain bytes."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack

import pytest
from hypothesis import settings

from appliance.sensor.frame import Frame, LinkType, Tap

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("sensor", deadline=None)
settings.load_profile("sensor")

PHONE = bytes.fromhex("00005e005301")
ROUTER = bytes.fromhex("00005e0053fe")


class Build:
    """Builders of packets; addresses and names are of the documentation ranges."""

    phone = PHONE
    router = ROUTER

    @staticmethod
    def address(text: str) -> bytes:
        if ":" in text:
            from ipaddress import IPv6Address

            return IPv6Address(text).packed
        return bytes(int(part) for part in text.split("."))

    def ipv4(
        self,
        payload: bytes,
        *,
        protocol: int,
        src: str = "192.0.2.7",
        dst: str = "198.51.100.9",
        offset: int = 0,
        total: int | None = None,
    ) -> bytes:
        total = 20 + len(payload) if total is None else total
        header = pack("!BBHHHBBH", 0x45, 0, total, 1, offset, 64, protocol, 0)
        return header + self.address(src) + self.address(dst) + payload

    def ipv6(self, payload: bytes, *, protocol: int, src: str = "2001:db8::7", dst: str = "2001:db8:1::9") -> bytes:
        return pack("!IHBB", 6 << 28, len(payload), protocol, 255) + self.address(src) + self.address(dst) + payload

    @staticmethod
    def udp(payload: bytes, *, sport: int = 40000, dport: int = 53) -> bytes:
        return pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload

    @staticmethod
    def tcp(
        payload: bytes = b"", *, sequence: int = 1, flags: int = 0x10, sport: int = 40000, dport: int = 443
    ) -> bytes:
        return pack("!HHIIBBHHH", sport, dport, sequence % 2**32, 0, 0x50, flags, 1000, 0, 0) + payload

    @staticmethod
    def ethernet(
        payload: bytes, *, ethertype: int = 0x0800, source: bytes = PHONE, tags: tuple[int, ...] = ()
    ) -> bytes:
        tagged = b"".join(pack("!HH", tag, 1) for tag in tags)
        return ROUTER + source + tagged + pack("!H", ethertype) + payload

    @staticmethod
    def arp(*, sender: bytes = PHONE, ip: bytes = bytes((192, 0, 2, 7)), operation: int = 1) -> bytes:
        return pack("!HHBBH", 1, 0x0800, 6, 4, operation) + sender + ip + bytes(6) + bytes((192, 0, 2, 1))

    @staticmethod
    def name(text: str) -> bytes:
        labels = (label.encode() for label in text.split(".") if label)
        return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"

    def question(self, name: str = "news.example", *, qtype: int = 1, flags: int = 0x0100) -> bytes:
        return pack("!HHHHHH", 7, flags, 1, 0, 0, 0) + self.name(name) + pack("!HH", qtype, 1)

    @staticmethod
    def dhcp(options: bytes, *, mac: bytes = PHONE, operation: int = 1, sname: bytes = b"", file: bytes = b"") -> bytes:
        fixed = pack("!BBBBIHHIIII", operation, 1, 6, 0, 5, 0, 0, 0, 0, 0, 0) + mac.ljust(16, b"\0")
        return fixed + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + b"\x63\x82\x53\x63" + options

    @staticmethod
    def extension(kind: int, body: bytes) -> bytes:
        return pack("!HH", kind, len(body)) + body

    def sni(self, name: bytes) -> bytes:
        return self.extension(0, pack("!HBH", len(name) + 3, 0, len(name)) + name)

    def hello(
        self,
        name: bytes | None = b"shop.example",
        *,
        extensions: bytes | None = None,
        ciphers: tuple[int, ...] = (4865,),
    ) -> bytes:
        """A ClientHello handshake message, without record layer."""
        if extensions is None:
            extensions = (self.sni(name) if name is not None else b"") + self.extension(16, b"\x00\x03\x02h2")
        suites = b"".join(pack("!H", cipher) for cipher in ciphers)
        body = pack("!H", 0x0303) + bytes(32) + b"\0" + pack("!H", len(suites)) + suites + b"\x01\0"
        body += pack("!H", len(extensions)) + extensions
        return b"\x01" + len(body).to_bytes(3, "big") + body

    @staticmethod
    def records(handshake: bytes, *, size: int = 16384) -> bytes:
        """TLS records of at most `size` octets around a handshake message."""
        parts = (handshake[at : at + size] for at in range(0, len(handshake), size))
        return b"".join(b"\x16\x03\x01" + pack("!H", len(part)) + part for part in parts)

    @staticmethod
    def crypto(offset: int, data: bytes) -> bytes:
        """A QUIC CRYPTO frame with four-octet integers."""
        return b"\x06" + pack("!II", offset | 0x80000000, len(data) | 0x80000000) + data

    @staticmethod
    def initial(
        frames: bytes,
        *,
        key_id: bytes = b"\x83\x94\xc8\xf0\x3e\x51\x57\x08",
        destination: bytes | None = None,
        version: int = 1,
        number: int = 0,
        token: bytes = b"",
        client: bool = True,
        pad_to: int = 1162,
    ) -> bytes:
        """A protected Initial, sealed by aioquic: an implementation that is not ours."""
        from aioquic.quic.crypto import CryptoPair

        pair = CryptoPair()
        pair.setup_initial(cid=key_id, is_client=client, version=version)
        plain = frames.ljust(pad_to, b"\0")
        kind = 0xD0 if version == 0x6B3343CF else 0xC0
        target = key_id if destination is None else destination
        header = bytes((kind | 1,)) + pack("!IB", version, len(target)) + target + b"\0"
        header += pack("!H", len(token) | 0x4000) + token + pack("!HH", (2 + len(plain) + 16) | 0x4000, number)
        return pair.encrypt_packet(header, plain, number)

    @staticmethod
    def frame(
        data: bytes,
        *,
        ts: float = 1000.0,
        tap: Tap = Tap.FLOW,
        link: LinkType = LinkType.RAW_IP,
        mac: bytes | None = PHONE,
    ) -> Frame:
        return Frame(ts=ts, tap=tap, link=link, data=data, source_mac=mac)

    def chatter(self, data: bytes, *, ts: float = 1000.0, tap: Tap = Tap.CHATTER) -> Frame:
        """A whole Ethernet frame."""
        return self.frame(data, ts=ts, tap=tap, link=LinkType.ETHERNET, mac=None)


@pytest.fixture(scope="session")
def build() -> Build:
    """Builders of packets."""
    return Build()


@pytest.fixture(scope="session")
def mutate() -> Callable[[bytes, list[tuple[int, int]]], bytes]:
    """Overwrites octets: each (position, value) wraps round the packet's length."""

    def change(packet: bytes, edits: list[tuple[int, int]]) -> bytes:
        changed = bytearray(packet)
        for position, value in edits:
            if changed:
                changed[position % len(changed)] = value % 256
        return bytes(changed)

    return change
