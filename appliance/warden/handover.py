"""The sensor's end of the warden: a connection is answered with fresh taps.

A connected sensor in, `TapsHanded` with one descriptor a tap out. Our own copies are closed at once,
so that the groups are free as soon as the sensor is gone.
Bounded: one sensor at a time (a new one replaces the old); opening is tried for `BUSY_SECONDS`, as
the kernel frees a dead holder's groups a moment later; `MAX_WAITING` messages of counts wait for it.
"""

from __future__ import annotations

import logging
import socket
from collections import deque
from collections.abc import Callable, Collection, Sequence

from appliance import link, messages
from appliance.messages import TalksCounted
from appliance.warden.taps import open_all
from firmware.names import TAPS, TapGroup

BUSY_SECONDS = 2.0
RETRY_SECONDS = 0.02
MAX_WAITING = 64
"""As many as the largest reading of counts makes."""

_log = logging.getLogger(__name__)

Opener = Callable[[Sequence[TapGroup]], list[socket.socket]]


class Handover:
    """Accepts the sensor and hands it its taps."""

    def __init__(self, listener: socket.socket, uids: Collection[int], *, opener: Opener = open_all) -> None:
        self.listener = listener
        self._uids = uids
        self._opener = opener
        self.sensor: link.Link | None = None
        self._deadline: float | None = None
        """Until when to try to open taps for the sensor; None when it has them."""
        self.handed = 0
        """How often taps were handed over."""
        self.untold = 0
        """Messages of counts over `MAX_WAITING`."""
        self._counted: deque[TalksCounted] = deque()

    @property
    def waiting(self) -> bool:
        """A sensor is connected and has no taps yet: call `try_now` soon again."""
        return self._deadline is not None

    def accept(self, monotonic: float) -> bool:
        """Admit a waiting sensor in place of the one before; whether there was one."""
        fresh = link.accept(self.listener, self._uids)
        if fresh is None:
            return False
        self.drop()
        self.sensor = fresh
        self._deadline = monotonic + BUSY_SECONDS
        return True

    def try_now(self, monotonic: float) -> None:
        """Open taps for the connected sensor and hand them over; after `BUSY_SECONDS` give it up."""
        if self.sensor is None or self._deadline is None:
            return
        try:
            taps = self._opener(TAPS)
        except OSError as error:
            if monotonic >= self._deadline:
                _log.error("no taps for the sensor: %s", error)
                self.drop()
            return
        try:
            handed = messages.TapsHanded(taps=tuple(tap.name for tap in TAPS))
            self.sensor.send(handed, descriptors=[tap.fileno() for tap in taps])
        except (link.LinkClosedError, link.LinkFullError) as error:
            _log.warning("the sensor left before it had its taps: %s", error)
            self.drop()
            return
        finally:
            for tap in taps:
                tap.close()
        self._deadline = None
        self.handed += 1
        _log.info("taps handed to the sensor")

    def tell(self, counted: Sequence[TalksCounted]) -> None:
        """Pass counts on, in time: `flush` sends what the sensor cannot take yet."""
        for message in counted:
            if len(self._counted) >= MAX_WAITING:
                self.untold += 1
            else:
                self._counted.append(message)
            self.flush()

    def flush(self) -> None:
        """Send the sensor what waits for it."""
        while self.sensor is not None and self._counted:
            try:
                self.sensor.send(self._counted[0])
            except link.LinkFullError:
                return
            except link.LinkClosedError:
                self.drop()
                return
            self._counted.popleft()

    def hear(self) -> bool:
        """Read from the sensor, which has nothing to say; False when it is gone."""
        if self.sensor is None:
            return False
        try:
            self.sensor.receive()
        except (link.LinkClosedError, messages.MessageError):
            self.drop()
            return False
        return True

    def drop(self) -> None:
        """Let go of the sensor."""
        self._counted.clear()
        self._deadline = None
        if self.sensor is not None:
            self.sensor.close()
            self.sensor = None
