"""The warden's loop: rules, taps, neighbours, stations and counters, one selector, no threads.

`household.toml` and `Enforcement` in; rules in the kernel, taps to the sensor and typed events to the
keeper out. Needs CAP_NET_ADMIN and nothing else; opens AF_UNIX and AF_NETLINK only.
Bounded: at most `MAX_QUEUED` events wait for the keeper, then the oldest goes and is counted.
"""

from __future__ import annotations

import logging
import selectors
from collections import deque
from collections.abc import Callable
from pathlib import Path

from appliance import clock, link, messages
from appliance.messages import (
    DeviceVolume,
    Enforcement,
    Message,
    NoticeDue,
    RulesOverflow,
    ThisIs,
    WardenState,
    WhoIs,
    WifiAsked,
    WifiPassphrases,
)
from appliance.service import notify
from appliance.settings import BoxSettings
from appliance.warden import greeting, testport
from appliance.warden.handover import RETRY_SECONDS, Handover
from appliance.warden.hostapd import AccessPoint, AccessPoints
from appliance.warden.kept import Kept
from appliance.warden.known import Known
from appliance.warden.nearby import Nearby
from appliance.warden.neighbours import RouteSocket, Surroundings
from appliance.warden.radio import Radio
from appliance.warden.rules import Firewall, NftError
from appliance.warden.talks import TALK_SECONDS, Talks
from firmware import household, names

MAX_QUEUED = 1000
CHECK_SECONDS = 3.0
"""Between looks at the rules and for hostapd."""
VOLUME_SECONDS = 300.0
OVER_SECONDS = 60.0
"""Between readings of what went over a bound: what a loss of power takes with it is of this time at most."""
BATCH = 64
_IDLE_SECONDS = 0.5
_BACKOFF = (0.1, 2.0)

_NOTHING = Enforcement(generation=0, quarantined=())

_log = logging.getLogger(__name__)


class Warden:
    """All the warden holds; `step` does what is due and waits for what comes."""

    def __init__(self, settings: BoxSettings, monotonic: float) -> None:
        home = household.load(settings.household)
        self._settings = settings
        self._bridge = home.lan.bridge
        self._selector = selectors.DefaultSelector()
        self._firewall = Firewall(home)
        self._kept = Kept(settings.state_dir / "warden" / "closed.json")
        self._known = Known(Path(names.KNOWN_FOLDER))
        self._surroundings = Surroundings(bridge=home.lan.bridge, wan=home.wan.interface)
        self._routes = RouteSocket(self._surroundings)
        folder = settings.warden_socket.parent
        folder.mkdir(parents=True, exist_ok=True)
        self._handover = Handover(link.listen(settings.warden_socket), settings.allowed_uids("sensor"))
        self._points = AccessPoints(folder)
        self._nearby = Nearby()
        self._radio = Radio(self._points, settings.state_dir / "warden" / "wifi.psk", home.wifi, monotonic=monotonic)
        self._keeper: link.Link | None = None
        self._queue: deque[Message] = deque()
        self._overflow = 0
        self._generation = 0
        self._said: str | None = None
        """The last thing said of the rules, so that a lasting fault is said once."""
        self._backoff = _BACKOFF[0]
        self._keeper_due = self._check_due = self._port_due = monotonic
        self._volume_due = monotonic + VOLUME_SECONDS
        self._over_due = monotonic + OVER_SECONDS
        self._talks = Talks()
        self._talks_due = monotonic + TALK_SECONDS
        self._over: dict[str, int] = {}
        self._at_limit: int | None = None  # as the keeper last heard; what the warden before told is not known
        self._started = False
        self._selector.register(self._routes, selectors.EVENT_READ, self._on_routes)
        self._selector.register(self._handover.listener, selectors.EVENT_READ, self._on_sensor_waiting)

    def step(self) -> None:
        """Do what is due, then wait for events, at most half a second."""
        monotonic = clock.monotonic()
        if monotonic >= self._check_due:
            self._check_due = monotonic + CHECK_SECONDS
            self._look_at_rules()
            self._look_for_access_points()
            self._tell_nearby(monotonic)
            for message in self._radio.tick(monotonic, held=self._firewall.holding.anybody(monotonic)):
                self._say(message)
        if monotonic >= self._port_due:
            self._port_due = monotonic + VOLUME_SECONDS
            testport.ensure(self._bridge)
        if monotonic >= self._volume_due:
            self._volume_due = monotonic + VOLUME_SECONDS
            self._read_volumes()
        if monotonic >= self._over_due:
            self._over_due = monotonic + OVER_SECONDS
            self._read_overflows()
        if monotonic >= self._talks_due:
            self._talks_due = monotonic + TALK_SECONDS
            self._count_talks(monotonic)
        if self._keeper is None and monotonic >= self._keeper_due:
            self._connect_keeper(monotonic)
        if self._handover.waiting:
            self._hand_over()
        sensor = self._handover.sensor
        self._handover.flush()
        self._forget_sensor(sensor)
        self._flush()
        timeout = RETRY_SECONDS if self._handover.waiting else _IDLE_SECONDS
        for key, _ in self._selector.select(timeout):
            key.data()
        self._flush()

    def close(self) -> None:
        """Leave the rules in force; close what is open."""
        self._handover.drop()
        self._handover.listener.close()
        self._routes.close()
        for point in self._points.attached.values():
            point.close()
        if self._keeper is not None:
            self._keeper.close()
        self._selector.close()

    # --- rules ----------------------------------------------------------------------------------

    def _look_at_rules(self) -> None:
        try:
            if self._started:
                detail = self._firewall.ensure(clock.monotonic(), wan_there=self._surroundings.wan_there)
            else:
                self._started = True  # also where it fails: what the keeper wants by then must not be forgotten
                detail = self._start_rules()
            self._let_go_at_the_end()
            applied = True
        except NftError as error:
            detail, applied = f"rules are not in force: {error}", False
        if detail == self._said:
            return
        first, self._said = self._said is None, detail
        if detail:
            _log.warning("%s", detail)
        elif not first:
            _log.info("rules are in order")
        else:
            _log.info("rules are loaded")
        self._say(WardenState(ts=clock.now(), generation=self._generation, applied=applied, detail=detail))

    def _start_rules(self) -> str:
        try:
            kept = None if self._kept.over(clock.now()) else self._kept.order
            return self._firewall.start(clock.monotonic(), kept)
        except ValueError as error:
            _log.warning("what was kept is not held: %s", error)
            return self._firewall.start(clock.monotonic())

    def _let_go_at_the_end(self) -> None:
        """The keeper may be gone for good: what has no lease ends with the authority all the same."""
        if self._kept.over(clock.now()):
            self._kept.keep(_NOTHING)
            self._firewall.hold(_NOTHING, clock.monotonic())
            _log.info("the authority has ended: nothing is held")

    def _enforce(self, wanted: Enforcement) -> None:
        detail, applied = self._said or "", True
        try:
            self._firewall.hold(wanted, clock.monotonic())
        except (ValueError, NftError) as error:
            detail, applied = f"the order is not in force: {error}", False
            _log.warning("%s", detail)
            refused = isinstance(error, ValueError)
        else:
            refused = False
        self._say(WardenState(ts=clock.now(), generation=wanted.generation, applied=applied, detail=detail))
        self._ask_for_nearby(wanted.nearby)
        if not refused:  # else what was wanted before stays, and its generation with it
            self._kept.keep(wanted)
            self._known.write(wanted.known)
            self._generation = wanted.generation

    def _greet(self, due: NoticeDue) -> None:
        try:
            self._firewall.greet(due, clock.monotonic())
        except NftError as error:
            _log.warning("nobody is led to the notice: %s", error)

    def _who_is(self, asked: WhoIs) -> ThisIs:
        mac = self._surroundings.has(asked.ip)
        port = None if mac is None else greeting.heard_at(self._bridge, mac)
        return ThisIs(token=asked.token, mac=mac, wireless=port is not None and self._points.serve(port))

    def _read_volumes(self) -> None:
        try:
            volumes = self._firewall.volumes()
        except NftError as error:
            _log.warning("volumes cannot be read: %s", error)
            return
        now = clock.now()
        for mac, octets in volumes.items():
            self._say(DeviceVolume(ts=now, mac=mac, up=octets))

    def _read_overflows(self) -> None:
        try:
            over = self._firewall.overflows()
            at_limit = self._firewall.at_limit() if over.get(names.CONNECTIONS_REFUSED) else 0
        except NftError as error:
            _log.warning("what went over a bound cannot be read: %s", error)
            return
        if over or at_limit != self._at_limit:  # rules that began anew have counted nothing yet
            self._say(RulesOverflow(ts=clock.now(), packets=over, at_limit=at_limit))
            self._at_limit = at_limit
        for name, packets in over.items():
            if packets > self._over.get(name, 0):
                _log.warning("%s: %d packets in all went over their bound", name, packets)
        self._over = over

    # --- sensor ---------------------------------------------------------------------------------

    def _count_talks(self, monotonic: float) -> None:
        before = self._handover.sensor
        if before is None or self._handover.waiting:
            self._talks.forget()
            return
        try:
            elements = self._firewall.talks()
        except NftError as error:
            _log.warning("who exchanges how much with whom cannot be read: %s", error)
            return
        self._handover.tell(self._talks.count(elements, clock.now(), monotonic))
        self._forget_sensor(before)

    def _on_sensor_waiting(self) -> None:
        before = self._handover.sensor
        if before is not None:
            self._selector.unregister(before)
        if self._handover.accept(clock.monotonic()):
            self._hand_over()
        if self._handover.sensor is not None:
            self._selector.register(self._handover.sensor, selectors.EVENT_READ, self._on_sensor)

    def _hand_over(self) -> None:
        before = self._handover.sensor
        self._handover.try_now(clock.monotonic())
        self._forget_sensor(before)

    def _on_sensor(self) -> None:
        before = self._handover.sensor
        if before is not None:
            self._selector.unregister(before)
            if self._handover.hear():
                self._selector.register(before, selectors.EVENT_READ, self._on_sensor)

    def _forget_sensor(self, before: link.Link | None) -> None:
        if before is None or self._handover.sensor is before:
            return
        for key in list(self._selector.get_map().values()):
            if key.fileobj is before:
                self._selector.unregister(before)

    # --- ports, neighbours, stations --------------------------------------------------------------

    def _on_routes(self) -> None:
        for event in self._routes.read(clock.now()):
            self._say(event)

    def _look_for_access_points(self) -> None:
        before = list(self._points.attached.values())
        fresh, gone = self._points.refresh()
        for point in gone:
            if point in before:
                self._selector.unregister(point)
            point.close()
        for point in fresh:
            if self._nearby.counting:
                point.listen_for_probes(wanted=True)
            self._radio.found(point)
            self._selector.register(point, selectors.EVENT_READ, lambda point=point: self._on_station(point))

    def _on_station(self, point: AccessPoint) -> None:
        try:
            changes = point.read(clock.now())
        except OSError:
            self._check_due = clock.monotonic()  # it is gone: the next look drops it
            return
        for mac in point.near:
            self._nearby.heard(mac)
        self._radio.heard(point)
        for change in changes:
            (self._nearby.joined if change.joined else self._nearby.left)(change.mac)
            self._say(change)

    def _ask_for_nearby(self, wanted: bool) -> None:
        if wanted == self._nearby.counting:
            return
        self._nearby.wanted(wanted, now=clock.now(), monotonic=clock.monotonic())
        for point in self._points.attached.values():
            point.listen_for_probes(wanted)

    def _tell_nearby(self, monotonic: float) -> None:
        counted = self._nearby.due(now=clock.now(), monotonic=monotonic)
        if counted is not None:
            self._say(counted)

    # --- keeper -----------------------------------------------------------------------------------

    def _connect_keeper(self, monotonic: float) -> None:
        try:
            self._keeper = link.connect(self._settings.keeper_socket("warden"))
        except OSError:
            self._keeper_due = monotonic + self._backoff
            self._backoff = min(self._backoff * 2, _BACKOFF[1])
            return
        self._backoff = _BACKOFF[0]
        self._selector.register(self._keeper, selectors.EVENT_READ, self._on_keeper)
        _log.info("connected to the keeper")

    def _on_keeper(self) -> None:
        if self._keeper is None:
            return
        try:
            received = self._keeper.receive()
        except link.LinkClosedError:
            self._lose_keeper()
            return
        except messages.MessageError as error:
            _log.warning("the keeper said what no message is: %s", error)
            return
        for message in received:
            match message:
                case Enforcement():
                    self._enforce(message)
                case NoticeDue():
                    self._greet(message)
                case WhoIs():
                    self._say(self._who_is(message))
                case WifiPassphrases():
                    self._radio.take(message)
                case WifiAsked():
                    self._say(self._radio.kept())
                case _:
                    pass

    def _lose_keeper(self) -> None:
        if self._keeper is not None:
            self._selector.unregister(self._keeper)
            self._keeper.close()
            self._keeper = None
            self._keeper_due = clock.monotonic() + self._backoff
            _log.warning("the keeper is gone")

    def _say(self, message: Message) -> None:
        if len(self._queue) >= MAX_QUEUED:
            self._queue.popleft()
            self._overflow += 1
        self._queue.append(message)

    def _flush(self) -> None:
        while self._keeper is not None and self._queue:
            batch = [self._queue[index] for index in range(min(BATCH, len(self._queue)))]
            try:
                self._keeper.send(*batch)
            except link.LinkFullError:
                return
            except link.LinkClosedError:
                self._lose_keeper()
                return
            for _ in batch:
                self._queue.popleft()


def main(settings: BoxSettings, stopping: Callable[[], bool]) -> None:
    """Run until told to stop.

    Raises:
        FileError: `household.toml` cannot be used.
    """
    warden = Warden(settings, clock.monotonic())
    warden.step()
    notify("READY=1")
    try:
        while not stopping():
            warden.step()
    finally:
        warden.close()
