"""Floods from one device: `python -m lab.faults.flood dns|announce|dhcp --rate N --seconds N`; what was sent, as JSON.

Runs on a device of a lab household, and only there: it refuses to send outside a sealed place. Frames are written
whole, so that every one has a hardware address of its own. Bounded: `MAX_RATE` a second for `MAX_SECONDS`.

`dns`: questions for ever new names to the router's resolver. `announce`: ARP announcements (RFC 5227 section 2.3,
sender and target address the same) that make no entry in anybody's neighbour table. `dhcp`: a whole exchange for
each made-up address (RFC 2131 section 3.1), so that each takes a lease.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator

from lab import enter

MAX_RATE = 30_000
MAX_SECONDS = 120.0
_TICK = 0.005
_BROADCAST = b"\xff" * 6
_ETH_ARP, _ETH_IP = 0x0806, 0x0800
_COOKIE = b"\x63\x82\x53\x63"


def main() -> int:
    """Send, then print `{"sent": ..., "seconds": ..., ...}`."""
    parser = argparse.ArgumentParser(prog="python -m lab.faults.flood")
    parser.add_argument("kind", choices=("dns", "announce", "dhcp"))
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--server", default="192.0.2.1", help="the router's resolver")
    words = parser.parse_args()
    if not 0 < words.rate <= MAX_RATE or not 0 < words.seconds <= MAX_SECONDS:
        parser.error(f"at most {MAX_RATE} a second for {MAX_SECONDS:g} s")
    if not enter.sealed():
        parser.error("it sends only inside the lab's sealed place")
    made = {"dns": _dns, "announce": _announce, "dhcp": _dhcp}[str(words.kind)](words)
    print(json.dumps(made))
    return 0


def _paced(rate: int, seconds: float, send: Callable[[int], None], idle: Callable[[float], None]) -> tuple[int, float]:
    """Call `send` with rising numbers, evenly; between portions `idle` may wait so many seconds."""
    began = time.monotonic()
    sent = 0
    while (passed := time.monotonic() - began) < seconds:
        due = int(rate * passed) + 1
        while sent < due:
            send(sent)
            sent += 1
        idle(_TICK)
    return sent, time.monotonic() - began


def _dns(words: argparse.Namespace) -> dict[str, float]:
    refused = answered = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        handle.connect((words.server, 53))
        handle.setblocking(False)
        tail = b"\x05flood\x07example\x00\x00\x01\x00\x01"

        def send(number: int) -> None:
            nonlocal refused
            label = b"n%09d" % number
            try:
                handle.send(struct.pack("!6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + b"\x0a" + label + tail)
            except OSError:
                refused += 1

        def idle(wait: float) -> None:
            nonlocal answered
            time.sleep(wait)
            try:
                while handle.recv(2048):
                    answered += 1
            except OSError:
                return

        sent, took = _paced(words.rate, words.seconds, send, idle)
    return {"sent": sent - refused, "refused": refused, "answered": answered, "seconds": took}


def _announce(words: argparse.Namespace) -> dict[str, float]:
    chance = random.Random(3)  # noqa: S311 - made-up addresses, the same in every run
    with _raw() as handle:

        def send(_number: int) -> None:
            # Addresses of nobody here: the flood is of hardware addresses, it takes no device's place.
            mac, ip = _mac(chance), struct.pack("!4B", 198, 51, 100, chance.randrange(1, 255))
            body = struct.pack("!HHBBH", 1, _ETH_IP, 6, 4, 1) + mac + ip + bytes(6) + ip
            handle.send(_BROADCAST + mac + struct.pack("!H", _ETH_ARP) + body.ljust(46, b"\0"))

        sent, took = _paced(words.rate, words.seconds, send, time.sleep)
    return {"sent": sent, "seconds": took}


def _dhcp(words: argparse.Namespace) -> dict[str, float]:
    chance = random.Random(5)  # noqa: S311 - made-up addresses, the same in every run
    asked: dict[int, bytes] = {}
    acked = refused = 0
    with _raw() as handle:

        def send(_number: int) -> None:
            mac, xid = _mac(chance), chance.getrandbits(32)
            if len(asked) < 20_000:
                asked[xid] = mac
            handle.send(_bootp(mac, xid, _options(b"\x01")))

        def idle(wait: float) -> None:
            nonlocal acked, refused
            until = time.monotonic() + wait
            while (left := until - time.monotonic()) > 0 and select.select([handle], [], [], left)[0]:
                for xid, kind, offered, server in _answers(handle.recv(2048)):
                    mac = asked.get(xid)
                    if mac is None:
                        continue
                    if kind == 2:  # an offer
                        handle.send(_bootp(mac, xid, _options(b"\x03", b"\x32\x04" + offered, b"\x36\x04" + server)))
                    else:
                        acked, refused = acked + (kind == 5), refused + (kind == 6)

        sent, took = _paced(words.rate, words.seconds, send, idle)
    return {"sent": sent, "leases": acked, "refused": refused, "seconds": took}


def _raw() -> socket.socket:
    handle = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_IP))
    handle.bind(("eth0", 0))
    return handle


def _mac(chance: random.Random) -> bytes:
    return b"\x02" + chance.randbytes(5)


def _options(kind: bytes, *further: bytes) -> bytes:
    return _COOKIE + b"\x35\x01" + kind + b"".join(further) + b"\xff"


def _bootp(mac: bytes, xid: int, options: bytes) -> bytes:
    """A broadcast from a client that asks for a broadcast answer (RFC 2131 section 2)."""
    body = struct.pack("!4BIHH", 1, 1, 6, 0, xid, 0, 0x8000) + bytes(16) + mac.ljust(16, b"\0") + bytes(192) + options
    body = body.ljust(300, b"\0")
    udp = struct.pack("!4H", 68, 67, 8 + len(body), 0) + body
    head = struct.pack("!2B3H2BH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + bytes(4) + b"\xff" * 4
    checked = head[:10] + struct.pack("!H", _sum(head)) + head[12:]
    return _BROADCAST + mac + struct.pack("!H", _ETH_IP) + checked + udp


def _sum(head: bytes) -> int:
    total: int = sum(struct.unpack("!10H", head))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _answers(frame: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Transaction, message type, address and server of a DHCP answer; nothing of any other frame."""
    if len(frame) < 14 + 28 + 240 or frame[23] != 17 or frame[36:38] != b"\x00\x44":
        return
    body, place = frame[42:], 240
    kind, server = 0, bytes(4)
    while place + 1 < len(body) and body[place] != 255:
        if body[place] == 0:
            place += 1
            continue
        value = body[place + 2 : place + 2 + body[place + 1]]
        if body[place] == 53 and value:
            kind = value[0]
        elif body[place] == 54:
            server = value
        place += 2 + body[place + 1]
    yield struct.unpack("!I", body[4:8])[0], kind, body[16:20], server


if __name__ == "__main__":
    sys.exit(main())
