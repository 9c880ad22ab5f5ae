"""The courier's decisions, without sockets: events of the keeper and of the broker in, actions out.

What enters: keeper came or went, its messages, broker came or went, deliveries, acknowledgements.
What leaves: `Publish`, `Acknowledge`, `Tell` (a message for the keeper); and `will`, which the edge
must have before it connects to the broker.

Nothing that matters lives only here: an outbound message is a row of the keeper's outbox until the
server's receipt, an inbound one stays unacknowledged at the broker until the keeper has it. So a
kill costs a repetition, never a loss.

Credit is a promise to the keeper that holds until its link closes, whatever the broker does.

Bounded: at most `window` outbound messages are asked for at once (credit), at most `MAX_HELD` are
ever held; beyond that a message is dropped, counted in `dropped`, and comes again from the outbox.
At most `MAX_INBOUND` inbound messages wait for the keeper; the broker is told that bound
(MQTT 5, 3.1.2.11.3 Receive Maximum), so more is its fault: counted in `refused`, not acknowledged.
One that is larger than any envelope or topic would never pass to the keeper and come back for ever:
counted in `refused` and acknowledged unread.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from appliance.messages import BrokerState, Credit, Inbound, InboundDone, Message, Outbound
from wire.codec import MAX_ENVELOPE

WINDOW = 50
MAX_HELD = 256
MAX_INBOUND = 20
MAX_TOPIC = 300
"""Characters; the longest topic of `wire.topics` is shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Publish with QoS 1; answer with `Pump.published(key)` when the broker acknowledged."""

    key: int
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Acknowledge the delivery with this MQTT packet identifier."""

    packet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Send this to the keeper."""

    message: Message


Action = Publish | Acknowledge | Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    packet: int
    topic: str
    body: bytes


class Pump:
    """One courier's state; every method takes one event and returns what is to be done."""

    def __init__(self, *, window: int = WINDOW) -> None:
        self._window = window
        self._room = window
        self._linked = False
        self._online = False
        self._detail = ""
        self._credit = 0
        self._expect_will = False
        self._waiting: deque[Outbound] = deque()
        self._published: dict[int, Outbound] = {}
        self._inbound: dict[int, _Delivery] = {}
        self._next_key = 1
        self._next_token = 1
        self.will: Outbound | None = None
        self.dropped = 0
        self.refused = 0
        self.rejected = 0

    @property
    def held(self) -> int:
        """Outbound messages in memory: waiting for the broker, or published and not acknowledged."""
        return len(self._waiting) + len(self._published)

    def keeper_came(self) -> list[Action]:
        """The keeper is there. It starts over from its oldest row, so what was held for it is void."""
        self._linked = True
        self._expect_will = True
        self._credit = 0
        self._waiting.clear()
        actions: list[Action] = [Tell(message=BrokerState(connected=self._online, detail=self._detail))]
        actions += self._offer()
        return actions + self._grant()

    def keeper_went(self) -> None:
        """The keeper is gone; what the broker delivered waits for it."""
        self._linked = False
        self._credit = 0

    def from_keeper(self, message: Message) -> list[Action]:
        """A message of the keeper; of kinds that are not for a courier nothing comes."""
        match message:
            case Outbound():
                return self._outbound(message)
            case InboundDone(token=token):
                delivery = self._inbound.pop(token, None)
                # Unknown: it came over a connection that is gone, and the broker delivers it again.
                return [] if delivery is None else [Acknowledge(packet=delivery.packet)]
            case _:
                return []

    def broker_came(self, *, room: int, detail: str = "") -> list[Action]:
        """Connected. `room` is the broker's Receive Maximum: publish no more than that at once."""
        self._online = True
        self._detail = detail
        self._room = max(1, min(self._window, room))
        # What was published on the old connection may or may not have arrived; the server knows a
        # repetition by its id. It goes first, in its order.
        self._waiting.extendleft(reversed(self._published.values()))
        self._published.clear()
        return [*self._tell(BrokerState(connected=True, detail=detail)), *self._push(), *self._grant()]

    def broker_went(self, detail: str) -> list[Action]:
        """The connection is gone, or a try to connect failed."""
        changed = self._online or detail != self._detail
        self._online = False
        self._detail = detail
        self._inbound.clear()
        return self._tell(BrokerState(connected=False, detail=detail)) if changed else []

    def delivered(self, packet: int, topic: str, body: bytes) -> list[Action]:
        """The broker delivered a message."""
        if not self._online:
            return []  # read just before the connection broke; it comes again on the next
        if len(body) > MAX_ENVELOPE or len(topic) > MAX_TOPIC:
            self.refused += 1
            return [Acknowledge(packet=packet)]
        if len(self._inbound) >= MAX_INBOUND:
            self.refused += 1
            return []
        token = self._next_token
        self._next_token += 1
        self._inbound[token] = _Delivery(packet=packet, topic=topic, body=body)
        return self._tell(Inbound(token=token, topic=topic, body=body))

    def published(self, key: int, *, refusal: str = "") -> list[Action]:
        """The broker acknowledged a publication, or refused it (the outbox offers it again)."""
        if self._published.pop(key, None) is None:
            return []
        if refusal:
            self.rejected += 1
        return [*self._push(), *self._grant()]

    def _outbound(self, message: Outbound) -> list[Action]:
        if self._expect_will:
            self._expect_will = False
            self.will = message
            return []
        self._credit = max(0, self._credit - 1)
        if self.held >= MAX_HELD:
            self.dropped += 1
            return []
        self._waiting.append(message)
        return self._push()

    def _push(self) -> list[Action]:
        actions: list[Action] = []
        while self._online and self._waiting and len(self._published) < self._room:
            message = self._waiting.popleft()
            key = self._next_key
            self._next_key += 1
            self._published[key] = message
            actions.append(Publish(key=key, topic=message.topic, body=message.body))
        return actions

    def _grant(self) -> list[Action]:
        """Ask for as much as fits, in steps of a quarter window so that not each message costs one."""
        if not (self._linked and self._online):
            return []
        count = self._room - self.held - self._credit
        if count <= 0 or (count < self._room // 4 and self._credit > 0):
            return []
        self._credit += count
        return [Tell(message=Credit(count=count))]

    def _offer(self) -> list[Action]:
        return [
            Tell(message=Inbound(token=token, topic=delivery.topic, body=delivery.body))
            for token, delivery in self._inbound.items()
        ]

    def _tell(self, message: Message) -> list[Action]:
        return [Tell(message=message)] if self._linked else []
