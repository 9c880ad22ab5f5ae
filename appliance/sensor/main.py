"""The sensor's loop: taps in, observations out, one selector, no threads.

Descriptors of the taps and counts of octets come from the warden, the collection mask from the keeper;
observations go to the keeper after each wake-up, the first after its mask has come. Holds no capability, opens AF_UNIX only, writes no file.
Bounded: a wake-up takes at most `DATAGRAMS` datagrams of a tap before the others have their turn;
what waits for the keeper is bounded by `outbound`.
"""

from __future__ import annotations

import gc
import logging
import os
import selectors
from collections.abc import Callable
from dataclasses import dataclass

from appliance import clock, link, messages
from appliance.messages import CollectionMask, SensorStarted, TalksCounted, TapReport, TapsHanded
from appliance.sensor import home
from appliance.sensor.dissect import Dissector
from appliance.sensor.frame import Tap
from appliance.sensor.observe import Observer
from appliance.sensor.outbound import Outbound
from appliance.sensor.taps.nflog import NflogTap, TapCounts
from appliance.service import notify
from appliance.settings import BoxSettings

DATAGRAMS = 8
"""Datagrams of a tap in one wake-up: some 256 packets, some milliseconds; before each, one of the DNS."""
REPORT_SECONDS = 5.0
_IDLE_SECONDS = 0.5
TICK_SECONDS = 5.0
"""What is due by time alone is looked for so often where no frame comes."""
_BACKOFF = (0.1, 2.0)
_KNOWN_TAPS = (Tap.FLOW, Tap.DNS, Tap.CHATTER, Tap.WAN)
_YOUNG_OBJECTS = 20_000

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Peer:
    """A process this one connects to, and when to try again."""

    name: str
    link: link.Link | None = None
    due: float = 0.0
    backoff: float = _BACKOFF[0]

    def failed(self, monotonic: float) -> None:
        self.due = monotonic + self.backoff
        self.backoff = min(self.backoff * 2, _BACKOFF[1])


class Sensor:
    """All the sensor holds; `step` waits for frames and passes on what they say."""

    def __init__(self, settings: BoxSettings, monotonic: float) -> None:
        self._settings = settings
        self._selector = selectors.DefaultSelector()
        self._dissector = Dissector()
        self._observer = Observer(home.load(settings.household))
        self._outbound = Outbound()
        self._taps: dict[Tap, NflogTap] = {}
        self._listening: SensorStarted | None = None
        """What was said when the taps were taken; None without taps."""
        self._counts = {tap: TapCounts() for tap in _KNOWN_TAPS}
        """Of taps that were given back; the reports count from the start of the process."""
        self._keeper = _Peer(name="keeper")
        self._warden = _Peer(name="warden")
        self._keeper_full = False
        self._mask_heard = False
        """Whether the keeper that is connected has sent its mask; one from before its restart may be out of date."""
        self._mask_until: float | None = None
        self._report_due = monotonic + REPORT_SECONDS
        self._tick_due = monotonic + TICK_SECONDS

    def step(self) -> None:
        """Connect and report if due; wait for events, at most half a second; send what they say."""
        monotonic = clock.monotonic()
        if self._warden.link is None and monotonic >= self._warden.due:
            self._connect_warden(monotonic)
        if self._keeper.link is None and monotonic >= self._keeper.due:
            self._connect_keeper(monotonic)
        if self._mask_until is not None and monotonic >= self._mask_until:
            self._mask_until = None
            self._outbound.keep(names=(), signs=(), network=False)
        if monotonic >= self._report_due:
            self._report_due = monotonic + REPORT_SECONDS
            self._report()
        if monotonic >= self._tick_due:
            self._tick_due = monotonic + TICK_SECONDS
            self._outbound.put(self._observer.tick(clock.now(), monotonic))
        for key, _ in self._selector.select(_IDLE_SECONDS):
            if isinstance(key.data, NflogTap):
                self._listen(key.data)
            else:
                key.data()
        self._flush()

    def close(self) -> None:
        """Give everything back."""
        self._return_taps()
        for peer in (self._warden, self._keeper):
            if peer.link is not None:
                peer.link.close()
        self._selector.close()

    # --- frames ---------------------------------------------------------------------------------

    def _listen(self, tap: NflogTap) -> None:
        dns = self._taps.get(Tap.DNS)
        for _ in range(DATAGRAMS):
            if dns is not None and tap is not dns:
                self._read(dns)  # what a device asked is heard before what it does with the answer
            if not self._read(tap):
                return

    def _read(self, tap: NflogTap) -> bool:
        """Hear one datagram of a tap; whether there was one with frames."""
        feed, take, put = self._dissector.feed, self._observer.take, self._outbound.put
        now, monotonic, lost = clock.now(), clock.monotonic(), tap.counts.lost
        heard = False
        for frame in tap.read(now, datagrams=1):
            heard = True
            for fact in feed(frame):
                observations = take(fact, monotonic)
                if observations:
                    put(observations)
        if tap.tap is Tap.DNS and tap.counts.lost > lost:
            self._observer.missed(now)
        return heard

    def _report(self) -> None:
        now = clock.now()
        for tap in _KNOWN_TAPS:
            before = self._counts[tap]
            current = self._taps[tap].counts if tap in self._taps else TapCounts()
            dissected = self._dissector.counters(tap)
            overflow = dissected.overflow
            if tap is Tap.FLOW:  # what is not of one tap is told with the first
                overflow += self._observer.overflow + self._outbound.overflow
            report = TapReport(
                ts=now,
                tap=tap.value,
                messages=before.messages + current.messages,
                octets=before.octets + current.octets,
                lost=before.lost + current.lost,
                unparsed=dissected.unparsed + before.malformed + current.malformed,
                overflow=overflow,
                flows=dissected.flows,
            )
            self._outbound.put([report])

    # --- warden -----------------------------------------------------------------------------------

    def _connect_warden(self, monotonic: float) -> None:
        try:
            connection = link.connect(self._settings.warden_socket)
        except OSError:
            self._warden.failed(monotonic)
            return
        # A warden that started anew binds the groups afresh, which it cannot while we hold them.
        self._return_taps()
        self._warden.link = connection
        self._selector.register(connection, selectors.EVENT_READ, self._on_warden)

    def _on_warden(self) -> None:
        connection = self._warden.link
        if connection is None:
            return
        try:
            received, descriptors = connection.receive_descriptors()
        except (link.LinkClosedError, messages.MessageError) as error:
            _log.warning("the warden is gone: %s", error)
            self._lose(self._warden)
            return
        for message in received:
            if isinstance(message, TapsHanded):
                self._warden.backoff = _BACKOFF[0]
                self._take_taps(message, descriptors)
                return
            if isinstance(message, TalksCounted):
                self._outbound.put(self._observer.counted(message, clock.monotonic()))
        for descriptor in descriptors:
            os.close(descriptor)

    def _take_taps(self, handed: TapsHanded, descriptors: list[int]) -> None:
        self._return_taps()
        names = [Tap(name) for name in handed.taps if name in _KNOWN_TAPS]
        if len(names) != len(descriptors) or len(names) != len(handed.taps):
            _log.error("the warden handed %d descriptors for %s", len(descriptors), handed.taps)
            for descriptor in descriptors:
                os.close(descriptor)
            return
        for name, descriptor in zip(names, descriptors, strict=True):
            tap = NflogTap(name, descriptor)
            self._taps[name] = tap
            self._selector.register(tap, selectors.EVENT_READ, tap)
        _log.info("taps taken: %s", ", ".join(handed.taps))
        self._listening = SensorStarted(ts=clock.now(), taps=handed.taps)
        self._outbound.put([self._listening])

    def _return_taps(self) -> None:
        for name, tap in self._taps.items():
            self._listen(tap)  # what waits is heard before the socket goes
            self._selector.unregister(tap)
            tap.close()
            total, gone = self._counts[name], tap.counts
            total.messages += gone.messages
            total.octets += gone.octets
            total.lost += gone.lost
            total.malformed += gone.malformed
        self._taps = {}
        self._listening = None

    # --- keeper -----------------------------------------------------------------------------------

    def _connect_keeper(self, monotonic: float) -> None:
        try:
            self._keeper.link = link.connect(self._settings.keeper_socket("sensor"))
        except OSError:
            self._keeper.failed(monotonic)
            return
        self._keeper_full = self._mask_heard = False
        self._observer.forget()  # this keeper may not have kept what the one before was told
        self._selector.register(self._keeper.link, selectors.EVENT_READ, self._on_keeper)
        if self._listening is not None:  # the keeper may be a new one, that does not know
            self._outbound.put([self._listening])
        _log.info("connected to the keeper")

    def _on_keeper(self) -> None:
        connection = self._keeper.link
        if connection is None:
            return
        try:
            received = connection.receive()
        except link.LinkClosedError as error:
            _log.warning("the keeper is gone: %s", error)
            self._lose(self._keeper)
            return
        except messages.MessageError as error:
            _log.warning("the keeper said what no message is: %s", error)
            return
        for message in received:
            if isinstance(message, CollectionMask):
                self._keeper.backoff = _BACKOFF[0]
                monotonic = clock.monotonic()
                self._observer.set_mask(message, monotonic)
                names, signs = frozenset(message.names), frozenset(message.signs)
                self._outbound.keep(names=names, signs=signs, network=message.network)
                self._mask_until = monotonic + message.lease
                self._mask_heard = True

    def _flush(self) -> None:
        connection = self._keeper.link
        if connection is None or not self._mask_heard:
            return
        try:
            full = not self._outbound.flush(connection.send)
        except link.LinkClosedError as error:
            _log.warning("the keeper is gone: %s", error)
            self._lose(self._keeper)
            return
        if full != self._keeper_full:
            self._keeper_full = full
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if full else 0)
            self._selector.modify(connection, events, self._on_keeper)

    def _lose(self, peer: _Peer) -> None:
        if peer.link is not None:
            self._selector.unregister(peer.link)
            peer.link.close()
            peer.link = None
        peer.failed(clock.monotonic())


def main(settings: BoxSettings, stopping: Callable[[], bool]) -> None:
    """Run until told to stop."""
    sensor = Sensor(settings, clock.monotonic())
    # What is loaded now lives for ever, and a packet's objects go by their reference counts.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
    notify("READY=1")
    try:
        while not stopping():
            sensor.step()
    finally:
        sensor.close()
