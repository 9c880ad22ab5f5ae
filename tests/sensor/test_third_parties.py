"""Ten thousand planted names of a device outside the mask: none in any octet that leaves the sensor, nor in its log.

The sensor is the real one, with sockets for taps and for its keeper; what it sends is read as it is on the socket.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import pack
from typing import Any

import pytest

from appliance import clock, link
from appliance.messages import CollectionMask, Talk, TalksCounted, TapsHanded, encode
from appliance.sensor import main as sensor_main
from appliance.sensor.main import Sensor
from appliance.settings import load

LAPTOP, PHONE = bytes.fromhex("02005e00530a"), bytes.fromhex("02005e00530b")
CANARY = b"cnry"
EACH = 2500
TAPS = ("flow", "dns", "chatter", "wan")


def netlink(packet: bytes, mac: bytes | None) -> bytes:
    def attribute(kind: int, value: bytes) -> bytes:
        return pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)

    hardware = attribute(8, pack(">HH", 6, 0) + mac + bytes(2)) if mac else b""
    body = pack(">BBH", 2, 0, 6) + hardware + attribute(9, packet)
    return pack("=IHHII", 16 + len(body), 0x0400, 0, 0, 0) + body


class Rig:
    """A sensor with taps that the test writes to, and the octets it sends to its keeper."""

    def __init__(self, path: Path) -> None:
        settings = load(path)
        listeners = {}
        for name in (settings.warden_socket, settings.keeper_socket("sensor")):
            name.parent.mkdir(parents=True)
            listeners[name] = link.listen(name)
        self.sensor = Sensor(settings, clock.monotonic())
        self.sensor.step()
        self.ends = list(listeners.values())
        warden, self.keeper = (listener.accept()[0] for listener in listeners.values())
        self.warden = link.Link(warden)
        self.keeper.setblocking(False)
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in TAPS]
        self.warden.send(TapsHanded(taps=TAPS), descriptors=[end.fileno() for _, end in pairs])
        for _, end in pairs:
            end.close()
        self.taps = {name: far for name, (far, _) in zip(TAPS, pairs, strict=True)}
        mask = CollectionMask(
            generation=1, names=(LAPTOP.hex(":"),), signs=(LAPTOP.hex(":"),), network=True, lease=60.0
        )
        self.keeper.send(encode([mask]))
        self.sent: list[bytes] = []
        for _ in range(5):
            self.step()

    def step(self) -> None:
        self.sensor.step()
        while True:
            try:
                self.sent.append(self.keeper.recv(1 << 20))
            except BlockingIOError:
                return

    def close(self) -> None:
        self.sensor.close()
        self.warden.close()
        for end in (self.keeper, *self.taps.values(), *self.ends):
            end.close()


@pytest.fixture
def rig(box_toml: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(sensor_main, "_IDLE_SECONDS", 0.0)
    monkeypatch.setattr(sensor_main, "TICK_SECONDS", 0.0)
    made = Rig(box_toml())
    yield made
    made.close()


def visit(build: Any, mac: bytes, word: bytes, number: int) -> Iterator[tuple[str, bytes]]:
    """A question, its answer with an alias, a hello and a request: four names, and addresses of its own."""
    src, far = ("192.0.2.7" if mac == PHONE else "192.0.2.8"), f"198.51.{number >> 8}.{number & 255}"
    names = [b"%s-%s-%d.dns.nextdns.io" % (word, kind, number) for kind in (b"q", b"a", b"s", b"h")]
    port = 20000 + number
    question = build.question(names[0].decode())
    yield "dns", netlink(build.ipv4(build.udp(question, sport=port), protocol=17, src=src), mac)
    alias = build.name(names[1].decode())
    records = b"\xc0\x0c" + pack("!2HIH", 5, 1, 60, len(alias)) + alias
    answer = question[:2] + pack("!5H", 0x8180, 1, 1, 0, 0) + question[12:] + records
    packet = build.ipv4(build.udp(answer, sport=53, dport=port), protocol=17, src="198.51.100.9", dst=src)
    yield "dns", netlink(packet, None)
    for dport, first in (
        (443, build.records(build.hello(names[2]))),
        (80, b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % names[3]),
    ):
        for segment in (
            build.tcp(flags=2, sport=port, dport=dport),
            build.tcp(first, sequence=2, sport=port, dport=dport),
        ):
            yield "flow", netlink(build.ipv4(segment, protocol=6, src=src, dst=far), mac)


@pytest.mark.req("N2", "R55", "R67")
def test_no_name_and_no_far_end_of_a_third_party_leaves(rig: Rig, build: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for number in range(EACH):
        for tap, message in visit(build, PHONE, CANARY, number):
            rig.taps[tap].send(message)
            rig.step()
    talks = tuple(
        Talk(mac=PHONE.hex(":"), server=f"198.51.0.{n}", protocol=6, port=443, up=10**7, down=10**7) for n in range(99)
    )
    rig.warden.send(TalksCounted(ts=clock.now(), seconds=600.0, talks=talks))
    for tap, message in visit(build, LAPTOP, b"told", 1):
        rig.taps[tap].send(message)
        rig.step()
    rig.step()
    said = b"".join(rig.sent)
    assert said.count(b"told-") >= 4, "the same of a device in the mask does leave"
    assert PHONE.hex(":").encode() in said, "that it is there may leave"
    assert said.count(CANARY) == 0
    assert said.count(b"198.51.") == said.count(b"198.51.0.1") + said.count(b"198.51.100.9"), "the laptop's own"
    assert CANARY.decode() not in caplog.text
    assert "198.51." not in caplog.text
    assert rig.sensor._observer.unasked == 0, "each answer found its question"
