"""What waits for the keeper: observations in, datagrams out, in order.

Bounded: at most `MAX_QUEUED` observations; then the oldest goes and is counted, since what a device
does now is said again soon and what it did long ago is not waited for. A looked-up name, a signal or an
activity that its device's standing no longer lets out does not wait either: it is dropped here, unsent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from itertools import islice

from appliance import link, messages
from appliance.messages import ActivitySeen, NameLookedUp, Observation, SignalSeen
from appliance.signals import NETWORK

MAX_QUEUED = 10_000
BATCH = 64
"""Observations in a datagram; they have a few hundred octets each, `messages.MAX_DATAGRAM` is 128 KiB."""

Send = Callable[..., None]


class Outbound:
    """A bounded queue towards one link."""

    def __init__(self) -> None:
        self._queue: deque[Observation] = deque()
        self.overflow = 0
        """Observations pushed out, or too large for any datagram."""

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, observations: Iterable[Observation]) -> None:
        """Add to the end; what has no room pushes out the oldest."""
        for observation in observations:
            if len(self._queue) >= MAX_QUEUED:
                self._queue.popleft()
                self.overflow += 1
            self._queue.append(observation)

    def keep(self, *, names: Collection[str], signs: Collection[str], network: bool) -> None:
        """Drop what waits and may no longer leave: looked-up names of all but `names`, and so on as in the mask."""

        def may_leave(waiting: Observation) -> bool:
            match waiting:
                case NameLookedUp(mac=mac):
                    return mac in names
                case SignalSeen(mac=mac, signal=signal):
                    return network if signal in NETWORK else mac in signs
                case ActivitySeen(mac=mac):
                    return mac in signs
                case _:
                    return True

        if not all(map(may_leave, self._queue)):
            self._queue = deque(filter(may_leave, self._queue))

    def flush(self, send: Send) -> bool:
        """Send what waits; whether all is sent.

        False: the peer's buffer is full, the rest waits.

        Raises:
            LinkClosedError: the peer is gone; what was not sent waits.
        """
        size = BATCH
        while self._queue:
            batch = list(islice(self._queue, size))
            try:
                send(*batch)
            except link.LinkFullError:
                return False
            except messages.MessageError:
                if len(batch) > 1:  # unusually long ones met: smaller datagrams carry them
                    size = len(batch) // 2
                    continue
                self.overflow += 1
            for _ in batch:
                self._queue.popleft()
            size = BATCH
        return True
