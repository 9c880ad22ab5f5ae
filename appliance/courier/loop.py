"""One loop: carries events between the keeper's socket, the pump, the broker and the thread that fetches lists.

What enters: settings, a TLS context, and clocks as functions. What leaves: messages on both sides.
Bounded: what waits for a slow keeper is at most `MAX_UNSENT` messages; beyond that the link is
closed and made anew, and both sides repeat.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import selectors
import ssl
from collections import deque
from collections.abc import Callable

from appliance import clock, link
from appliance.backoff import Backoff
from appliance.courier.broker import (
    BrokerConnection,
    Connected,
    Delivered,
    Event,
    Lost,
    Published,
    SubscriptionRefused,
)
from appliance.courier.fetch import Fetched
from appliance.courier.fetcher import Fetcher
from appliance.courier.pump import Acknowledge, Action, Publish, Pump, Tell
from appliance.courier.releases import ReleaseFetcher
from appliance.courier.renewal import RETRY_FIRST, RETRY_MOST, Renewal
from appliance.messages import ListWanted, Message, MessageError, ReleaseWanted, RenewalSigned
from appliance.settings import BoxSettings
from wire.tls import client_context
from wire.topics import ROOT, Channel

MAX_UNSENT = 512
_TICK = 0.5
_OPENING_TICK = 0.05
_HELD_LONG = 2.0
"""A connection that lived this many seconds was a good one: the next wait starts small again."""
_MAX_DATAGRAMS = 64

_log = logging.getLogger(__name__)


class Courier:
    """The process's composition root."""

    def __init__(
        self,
        settings: BoxSettings,
        context: ssl.SSLContext,
        monotonic: Callable[[], float],
        now: Callable[[], float] = clock.now,
    ) -> None:
        chance = random.Random()  # noqa: S311 - jitter is no secret
        self._settings = settings
        self._context = context
        self._monotonic = monotonic
        self._now = now
        self._renewal = Renewal(
            settings.broker,
            site=settings.site,
            folder=settings.state_dir / "courier",
            wait=Backoff(first=RETRY_FIRST, most=RETRY_MOST, chance=chance),
        )
        self._pump = Pump()
        self._selector = selectors.DefaultSelector()
        self._link: link.Link | None = None
        self._link_wait = Backoff(first=0.1, most=2.0, chance=chance)
        self._link_at = 0.0
        self._unsent: deque[Message | Fetched] = deque()
        self._fetcher = Fetcher(
            authorities={item.id: item.ca for item in settings.lists if item.manifest is not None},
            folder=settings.state_dir / "courier",
        )
        self._selector.register(self._fetcher, selectors.EVENT_READ, "fetched")
        self._releases = ReleaseFetcher(settings.state_dir / "courier")
        self._selector.register(self._releases, selectors.EVENT_READ, "release")
        self._broker: BrokerConnection | None = None
        self._broker_fd: int | None = None
        self._broker_wait = Backoff(first=0.2, most=30.0, chance=chance)
        self._broker_at = 0.0
        self._connected_at: float | None = None
        self._said = ""

    def run(self, stopping: Callable[[], bool]) -> None:
        """Carry until told to stop."""
        while not stopping():
            self.turn()
        if self._broker is not None:
            self._broker.close()
        self._drop_link()
        self._selector.close()

    def turn(self) -> None:
        """Connect what is due, wait for a descriptor at most half a second, and carry what came."""
        now = self._monotonic()
        self._renew(now)
        if self._link is None and now >= self._link_at:
            self._join_keeper(now)
        if self._broker is None and self._pump.will is not None and now >= self._broker_at:
            self._join_broker()
        self._watch()
        ready = dict.fromkeys(("link", "broker", "fetched", "release"), 0)
        for key, mask in self._selector.select(self._patience(self._monotonic())):
            ready[key.data] = mask
        if ready["link"]:
            self._from_keeper()
        if self._broker is not None:
            mask = ready["broker"]
            self._handle(
                self._broker.turn(
                    readable=bool(mask & selectors.EVENT_READ), writable=bool(mask & selectors.EVENT_WRITE)
                )
            )
        if ready["fetched"]:
            self._unsent.extend(self._fetcher.take())
        if ready["release"]:
            words = self._releases.take()
            if self._link is not None:  # a keeper that comes later asks again
                self._unsent.extend(words)
        self._flush()

    def _patience(self, now: float) -> float:
        due = [now + (_OPENING_TICK if self._broker is not None and self._broker.opening else _TICK)]
        if self._link is None:
            due.append(self._link_at)
        if self._broker is None and self._pump.will is not None:
            due.append(self._broker_at)
        return max(0.0, min(due) - now)

    # --- keeper ---------------------------------------------------------------------------------

    def _join_keeper(self, now: float) -> None:
        try:
            self._link = link.connect(self._settings.keeper_socket("courier"))
        except OSError:
            self._link_at = now + self._link_wait.delay()
            return
        self._link_wait.reset()
        self._drop_unsent()
        self._selector.register(self._link, selectors.EVENT_READ, "link")
        _log.info("joined the keeper")
        self._do(self._pump.keeper_came())

    def _from_keeper(self) -> None:
        for _ in range(_MAX_DATAGRAMS):
            if self._link is None:
                return
            try:
                batch = self._link.receive()
            except link.LinkClosedError:
                self._lose_keeper("is gone")
                return
            except MessageError:
                self._lose_keeper("sent what no message is")
                return
            if not batch:
                return
            for message in batch:
                if isinstance(message, ListWanted):
                    self._fetcher.want(message)
                elif isinstance(message, ReleaseWanted):
                    self._releases.want(message)
                elif isinstance(message, RenewalSigned):
                    self._renewal.signed(message)
                else:
                    self._do(self._pump.from_keeper(message))

    def _flush(self) -> None:
        while self._unsent and self._link is not None:
            waiting = self._unsent[0]
            try:
                if isinstance(waiting, Fetched):
                    held = () if waiting.descriptor is None else (waiting.descriptor,)
                    self._link.send(waiting.message, descriptors=held)
                else:
                    self._link.send(waiting)
            except link.LinkFullError:
                if len(self._unsent) > MAX_UNSENT:
                    self._lose_keeper("does not read")
                return
            except (link.LinkClosedError, MessageError) as error:
                self._lose_keeper(f"cannot be told: {error}")
                return
            self._unsent.popleft()
            _let_go(waiting)

    def _lose_keeper(self, why: str) -> None:
        _log.warning("the keeper %s; joining it again", why)
        self._drop_link()
        self._link_at = self._monotonic() + self._link_wait.delay()
        self._pump.keeper_went()

    def _drop_link(self) -> None:
        if self._link is not None:
            self._selector.unregister(self._link)
            self._link.close()
            self._link = None
        self._drop_unsent()

    def _drop_unsent(self) -> None:
        """What was for the keeper that went: it asks anew."""
        for waiting in self._unsent:
            _let_go(waiting)
        self._unsent.clear()
        self._fetcher.forget()

    def _renew(self, monotonic: float) -> None:
        """Ask for the next certificate in time, and connect anew with it."""
        now = self._now()
        wanted = self._renewal.tick(now=now, monotonic=monotonic, linked=self._link is not None)
        if wanted is not None:
            self._unsent.append(wanted)
        if not self._renewal.take(now=now, monotonic=monotonic):
            return
        pair = self._renewal.pair(now)
        self._context = client_context(ca=self._settings.broker.ca, certificate=pair.certificate, key=pair.key)
        if self._broker is not None and not self._broker.opening:
            self._broker.close(vanish=False)
            self._lose_broker("connecting anew with the next certificate")
        self._broker_at = monotonic

    # --- broker ---------------------------------------------------------------------------------

    def _join_broker(self) -> None:
        will = self._pump.will
        if will is None:
            return
        settings = self._settings
        self._broker = BrokerConnection(
            host=settings.broker.host,
            port=settings.broker.port,
            client_id=settings.site,
            commands=f"{ROOT}/{settings.tenant}/{settings.site}/{Channel.CMD}/#",
            context=self._context,
        )
        self._broker.open(will)

    def _watch(self) -> None:
        """Keep the selector in step with paho's socket, which appears and vanishes by itself."""
        wanted = None if self._broker is None else self._broker.fileno()
        if self._broker_fd is not None and self._broker_fd != wanted:
            self._forget_descriptor()
        if wanted is None or self._broker is None:
            return
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._broker.want_write() else 0)
        if self._broker_fd is None:
            self._selector.register(wanted, mask, "broker")
            self._broker_fd = wanted
        else:
            self._selector.modify(wanted, mask, "broker")

    def _forget_descriptor(self) -> None:
        if self._broker_fd is not None:
            with contextlib.suppress(KeyError, ValueError, OSError):
                self._selector.unregister(self._broker_fd)
            self._broker_fd = None

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Connected(room=room):
                    self._connected_at = self._monotonic()
                    self._said = ""
                    _log.info("connected to the broker")
                    self._do(self._pump.broker_came(room=room))
                case Lost(detail=detail):
                    self._lose_broker(detail)
                    return
                case Delivered(packet=packet, topic=topic, body=body):
                    self._do(self._pump.delivered(packet, topic, body))
                case Published(key=key, refusal=refusal):
                    if refusal:
                        self._say(f"the broker refuses a message: {refusal}")
                    self._do(self._pump.published(key, refusal=refusal))
                case SubscriptionRefused(detail=detail):
                    self._say(f"the broker refuses to deliver commands: {detail}")

    def _lose_broker(self, detail: str) -> None:
        self._forget_descriptor()
        self._broker = None
        now = self._monotonic()
        if self._connected_at is not None and now - self._connected_at >= _HELD_LONG:
            self._broker_wait.reset()
        self._connected_at = None
        self._broker_at = now + self._broker_wait.delay()
        self._say(f"no broker at {self._settings.broker.host}:{self._settings.broker.port}: {detail}")
        self._do(self._pump.broker_went(detail))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Tell(message=message):
                    self._unsent.append(message)
                case Publish(key=key, topic=topic, body=body):
                    if self._broker is not None:
                        self._handle(self._broker.publish(key, topic, body))
                case Acknowledge(packet=packet):
                    if self._broker is not None:
                        self._handle(self._broker.acknowledge(packet))

    def _say(self, text: str) -> None:
        """Log a trouble once, not at every try."""
        if text != self._said:
            self._said = text
            _log.warning("%s", text)


def _let_go(waiting: Message | Fetched) -> None:
    """Close our copy of what was sent, or will not be."""
    if isinstance(waiting, Fetched) and waiting.descriptor is not None:
        os.close(waiting.descriptor)
