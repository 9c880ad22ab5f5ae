"""The sensor's loop against a warden's and a keeper's end held by the test; socket pairs stand for taps."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import clock, link
from appliance.messages import (
    ActivitySeen,
    CollectionMask,
    How,
    Message,
    NameLookedUp,
    SensorStarted,
    Sighting,
    SignalSeen,
    Talk,
    TalksCounted,
    TapReport,
    TapsHanded,
    TraitSeen,
    Via,
)
from appliance.sensor import main as sensor_main
from appliance.sensor.frame import Frame, Tap
from appliance.sensor.main import Sensor
from appliance.sensor.taps.nflog import NflogTap
from appliance.settings import BoxSettings, load
from appliance.signals import Signal
from appliance.traits import Trait

LAPTOP = "02:00:5e:00:53:0a"
TAPS = ("flow", "dns", "chatter", "wan")
NOBODY = CollectionMask(generation=0, names=(), lease=30.0)


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def question(name: str) -> bytes:
    """A DNS question of the laptop, as the DNS tap's netlink message."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    dns = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!2H", 1, 1)
    udp = struct.pack("!4H", 40000, 53, 8 + len(dns), 0) + dns
    addresses = bytes([192, 0, 2, 10, 192, 0, 2, 1])
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp
    mac = attribute(8, struct.pack(">HH", 6, 0) + bytes.fromhex(LAPTOP.replace(":", "")) + bytes(2))
    body = struct.pack(">BBH", 2, 0, 6) + mac + attribute(9, packet)
    return struct.pack("=IHHII", 16 + len(body), 0x0400, 0, 0, 0) + body


class Bench:
    """A sensor, stepped by hand, and the sockets around it."""

    def __init__(self, settings: BoxSettings) -> None:
        settings.warden_socket.parent.mkdir(parents=True)
        settings.keeper_socket("sensor").parent.mkdir(parents=True)
        self.settings = settings
        self.warden_listener = link.listen(settings.warden_socket)
        self.keeper_listener = link.listen(settings.keeper_socket("sensor"))
        self.sensor = Sensor(settings, clock.monotonic())
        self.kernel: dict[str, socket.socket] = {}
        self.heard: list[Message] = []
        self.keeper: link.Link | None = None
        self.warden: link.Link | None = None

    def accept_warden(self) -> None:
        self.until(lambda: self._accept("warden"))

    def accept_keeper(self, mask: CollectionMask | None = NOBODY) -> None:
        """A keeper says its mask to whoever connects."""
        self.until(lambda: self._accept("keeper"))
        if mask is not None:
            assert self.keeper is not None
            self.keeper.send(mask)

    def _accept(self, which: str) -> bool:
        listener = self.warden_listener if which == "warden" else self.keeper_listener
        fresh = link.accept(listener, {os.getuid()})
        if fresh is not None:
            before = getattr(self, which)
            if before is not None:
                before.close()
            setattr(self, which, fresh)
        return fresh is not None

    def lose_keeper(self) -> None:
        """As if it were killed: nobody listens any more."""
        assert self.keeper is not None
        self.keeper_listener.close()
        self.settings.keeper_socket("sensor").unlink()
        self.keeper.close()
        self.keeper = None

    def hand_taps(self, names: tuple[str, ...] = TAPS, count: int = 4) -> None:
        assert self.warden is not None
        self.close_taps()
        near = []
        for name in TAPS[:count]:
            far, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.kernel[name] = far
            near.append(end)
        self.warden.send(TapsHanded(taps=names), descriptors=[end.fileno() for end in near])
        for end in near:
            end.close()

    def close_taps(self) -> None:
        for far in self.kernel.values():
            far.close()
        self.kernel = {}

    def until(self, done: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 20
        while not done():
            assert time.monotonic() < deadline, self.heard
            self.sensor.step()
            while self.keeper is not None:
                batch = self.keeper.receive()
                if not batch:
                    break
                self.heard += batch

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]

    def close(self) -> None:
        self.sensor.close()
        self.close_taps()
        for end in (self.keeper, self.warden):
            if end is not None:
                end.close()
        self.warden_listener.close()
        self.keeper_listener.close()


@pytest.fixture
def bench(box_toml: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(sensor_main, "_IDLE_SECONDS", 0.02)
    made = Bench(load(box_toml()))
    yield made
    made.close()


def ready(bench: Bench) -> None:
    bench.accept_warden()
    bench.hand_taps()
    bench.accept_keeper()
    bench.until(lambda: bench.of(SensorStarted))


def test_it_says_when_it_has_its_taps(bench: Bench) -> None:
    ready(bench)
    assert bench.of(SensorStarted)[0].taps == TAPS


@pytest.mark.req("R55", "N2")
def test_a_name_leaves_under_a_mask_only(bench: Bench) -> None:
    ready(bench)
    bench.kernel["dns"].send(question("before.example"))
    bench.until(lambda: bench.of(Sighting))
    assert bench.of(NameLookedUp) == []
    assert bench.keeper is not None
    bench.keeper.send(CollectionMask(generation=3, names=(LAPTOP,), lease=30.0))
    bench.until(lambda: bench.sensor._observer._mask)
    bench.kernel["dns"].send(question("after.example"))
    bench.until(lambda: bench.of(NameLookedUp))
    (said,) = bench.of(NameLookedUp)
    assert (said.name, said.mac, said.how, said.generation) == ("after.example", LAPTOP, How.DNS, 3)


@pytest.mark.req("R55", "N2")
def test_names_that_waited_are_gone_when_the_mask_lapses(bench: Bench) -> None:
    ready(bench)
    assert bench.keeper is not None
    mask = CollectionMask(generation=3, names=(LAPTOP,), lease=3.0)
    bench.keeper.send(mask)
    bench.until(lambda: bench.sensor._observer._mask)
    bench.lose_keeper()
    bench.kernel["dns"].send(question("waits.example"))
    bench.until(lambda: any(isinstance(waiting, NameLookedUp) for waiting in bench.sensor._outbound._queue))
    bench.until(lambda: bench.sensor._mask_until is None)
    bench.heard.clear()
    bench.keeper_listener = link.listen(bench.settings.keeper_socket("sensor"))
    bench.accept_keeper(mask)
    bench.kernel["dns"].send(question("later.example"))
    bench.until(lambda: bench.of(NameLookedUp))
    assert [said.name for said in bench.of(NameLookedUp)] == ["later.example"]


@pytest.mark.req("R55", "N2")
@pytest.mark.parametrize(("names", "expected"), [((), []), ((LAPTOP,), ["waits.example"])])
def test_names_that_waited_for_a_keeper_wait_for_its_mask_too(
    bench: Bench, names: tuple[str, ...], expected: list[str]
) -> None:
    ready(bench)
    assert bench.keeper is not None
    bench.keeper.send(CollectionMask(generation=3, names=(LAPTOP,), lease=30.0))
    bench.until(lambda: bench.sensor._observer._mask)
    bench.lose_keeper()
    bench.kernel["dns"].send(question("waits.example"))
    bench.until(lambda: any(isinstance(waiting, NameLookedUp) for waiting in bench.sensor._outbound._queue))
    bench.heard.clear()
    bench.keeper_listener = link.listen(bench.settings.keeper_socket("sensor"))
    bench.accept_keeper(mask=None)
    for _ in range(5):
        bench.sensor.step()
    assert bench.keeper.receive() == []
    bench.keeper.send(CollectionMask(generation=4, names=names, lease=30.0))
    bench.until(lambda: bench.of(Sighting))
    assert [said.name for said in bench.of(NameLookedUp)] == expected


def test_it_reports_each_tap_and_counts_on_over_a_new_hand_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor_main, "REPORT_SECONDS", 0.05)
    ready(bench)
    bench.kernel["dns"].send(question("one.example") + b"\1")
    bench.until(lambda: [report for report in bench.of(TapReport) if report.tap == "dns" and report.messages == 1])
    bench.hand_taps()
    bench.until(lambda: len(bench.of(SensorStarted)) == 2)
    bench.kernel["dns"].send(question("two.example"))
    bench.until(lambda: [report for report in bench.of(TapReport) if report.tap == "dns" and report.messages == 2])
    last = {report.tap: report for report in bench.of(TapReport)}
    assert set(last) == set(TAPS)
    assert last["dns"].unparsed == 1
    assert last["dns"].octets > 0


def test_a_keeper_that_comes_back_hears_on(bench: Bench) -> None:
    ready(bench)
    assert bench.keeper is not None
    bench.keeper.close()
    bench.keeper = None
    bench.kernel["dns"].send(question("while-away.example"))
    bench.accept_keeper()
    bench.until(lambda: any(message.via is Via.DNS for message in bench.of(Sighting)))


def test_a_keeper_that_comes_back_is_told_the_traits_again(bench: Bench) -> None:
    ready(bench)
    for _ in range(2):
        assert bench.keeper is not None
        bench.kernel["dns"].send(question("a.logs.roku.com"))
        bench.until(lambda: bench.of(TraitSeen))
        assert [(said.trait, said.value) for said in bench.of(TraitSeen)] == [(Trait.PLATFORM, "roku")]
        bench.heard.clear()
        bench.keeper.close()
        bench.keeper = None
        bench.accept_keeper()


def test_a_warden_that_comes_back_finds_the_taps_given_back(bench: Bench) -> None:
    ready(bench)
    assert bench.warden is not None
    bench.warden.close()
    bench.warden = None
    far = bench.kernel["flow"]
    bench.accept_warden()
    with pytest.raises(OSError):  # noqa: PT011 - whichever error a datagram socket with a closed peer gives
        far.send(b"x")
    bench.hand_taps()
    bench.until(lambda: len(bench.of(SensorStarted)) == 2)


@pytest.mark.parametrize(("names", "count"), [(TAPS, 3), (("flow", "dns", "chatter", "other"), 4), (TAPS[:2], 4)])
def test_descriptors_that_do_not_match_are_refused_and_closed(bench: Bench, names: tuple[str, ...], count: int) -> None:
    bench.accept_warden()
    before = len(list(Path("/proc/self/fd").iterdir()))
    bench.hand_taps(names, count)
    far = list(bench.kernel.values())
    bench.until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before + len(far))
    assert bench.sensor._taps == {}


def test_a_keeper_that_does_not_read_is_not_waited_for(bench: Bench) -> None:
    ready(bench)
    assert bench.keeper is not None
    keeper, bench.keeper = bench.keeper, None  # connected, and not read from
    many = [TraitSeen(ts=1.0, mac=LAPTOP, trait=Trait.HTTP_USER_AGENT, value="x" * 512)] * 9_000
    bench.sensor._outbound.put(many)
    try:
        bench.until(lambda: bench.sensor._keeper_full)
    finally:
        bench.keeper = keeper
    assert len(bench.sensor._outbound) > 0
    bench.until(lambda: len(bench.of(TraitSeen)) == 9_000)
    assert not bench.sensor._keeper_full


@pytest.mark.req("R18", "N2")
def test_a_signal_leaves_under_a_mask_only_and_waits_for_no_other(bench: Bench) -> None:
    ready(bench)
    bench.kernel["dns"].send(question("dns.google"))
    bench.until(lambda: bench.of(Sighting))
    assert bench.of(SignalSeen) == []
    assert bench.keeper is not None
    bench.keeper.send(CollectionMask(generation=3, names=(), signs=(LAPTOP,), lease=30.0))
    bench.until(lambda: bench.sensor._observer._generation == 3)
    bench.kernel["dns"].send(question("dns.google"))
    bench.until(lambda: len(bench.of(SignalSeen)) == 2)
    # The test's household is 127.0.0.0/24: the resolver that is asked is beyond it.
    assert {(said.signal, said.value, said.mac) for said in bench.of(SignalSeen)} == {
        (Signal.RESOLVER_NAMED, "google", LAPTOP),
        (Signal.OTHER_RESOLVER, "udp", LAPTOP),
    }
    assert bench.of(NameLookedUp) == []
    bench.lose_keeper()
    bench.kernel["dns"].send(question("dns.quad9.net"))
    bench.until(lambda: any(isinstance(waiting, SignalSeen) for waiting in bench.sensor._outbound._queue))
    bench.heard.clear()
    bench.keeper_listener = link.listen(bench.settings.keeper_socket("sensor"))
    bench.accept_keeper(NOBODY)
    bench.until(lambda: bench.of(SensorStarted))
    assert bench.of(SignalSeen) == []


@pytest.mark.req("N10")
def test_what_was_asked_is_heard_before_what_it_led_to(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(bench)
    observer, heard = bench.sensor._observer, []
    monkeypatch.setattr(observer, "take", lambda fact, _: heard.append(fact.tap.value) or [])
    for _ in range(3):
        bench.kernel["flow"].send(question("a.example"))
    for _ in range(2):
        bench.kernel["dns"].send(question("a.example"))
    bench.sensor._listen(bench.sensor._taps[Tap.FLOW])
    assert heard == ["dns", "flow", "dns", "flow", "flow"]


@pytest.mark.req("N10")
def test_questions_that_the_kernel_lost_are_no_questions_that_were_not_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(bench)
    missed: list[float] = []
    monkeypatch.setattr(bench.sensor._observer, "missed", missed.append)
    for name in (Tap.FLOW, Tap.DNS):
        tap = bench.sensor._taps[name]

        def read(now: float, *, datagrams: int, lossy: NflogTap = tap) -> Iterator[Frame]:
            del now, datagrams
            lossy.counts.lost += 1
            return iter(())

        monkeypatch.setattr(tap, "read", read)
        bench.sensor._read(tap)
    assert len(missed) == 1


@pytest.mark.req("N10")
def test_counts_of_octets_come_from_the_warden(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor_main, "TICK_SECONDS", 0.01)
    ready(bench)
    assert bench.keeper is not None
    assert bench.warden is not None
    bench.keeper.send(CollectionMask(generation=3, names=(), signs=(LAPTOP,), lease=30.0))
    bench.until(lambda: bench.sensor._observer._generation == 3)
    talk = Talk(mac=LAPTOP, server="198.51.100.9", protocol=6, port=443, up=1, down=2)
    bench.warden.send(TalksCounted(ts=clock.now() - 400, seconds=60.0, talks=(talk,)))
    bench.until(lambda: bench.of(ActivitySeen))
    (said,) = bench.of(ActivitySeen)
    assert (said.mac, said.octets, said.unnamed_octets) == (LAPTOP, 3, 3)
