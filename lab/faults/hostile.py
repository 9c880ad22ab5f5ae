"""A broker in hostile hands: what it does with each envelope that passes, and a session that ends in it.

In: envelopes. Out: envelopes, some late, some often, some spoilt, in whatever order. It has no key. Bounded: it keeps
`CAPTURED` of them to replay.
"""

from __future__ import annotations

import json
import random
from collections import Counter, deque
from typing import Any

from dashboard.ingest.opening import Arrived
from dashboard.ingest.outgoing import Outgoing
from lab.faults.carriage import TENANT

SITES = ("site-1", "site-2")
CAPTURED = 4_000
_CLEAR = ("id", "sequence", "time", "type", "source")


class Wire:
    """What a worker uses of a session."""

    def __init__(self) -> None:
        self.arrivals: deque[Arrived] = deque()
        self.published: list[Outgoing] = []
        self.trouble = ""
        self.online = self.opened = True

    def open(self) -> bool:
        """It is open."""
        return True

    def turn(self, _timeout: float) -> None:
        """Nothing to wait for."""

    def acknowledge(self, _arrived: Arrived) -> None:
        """An acknowledgement is no custody, here least of all."""

    def publish(self, outgoing: Outgoing, _now: float) -> bool:
        """Keep it for the broker."""
        self.published.append(outgoing)
        return True

    def close(self) -> None:
        """Nothing is open."""


class Hands:
    """The hostile hands."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.tally: Counter[str] = Counter()
        self.captured: list[tuple[str, bytes]] = []
        self._held: list[tuple[str, bytes, bool]] = []

    def handle(self, batch: list[tuple[str, bytes]]) -> list[tuple[str, bytes, bool]]:
        """(topic, body, genuine) as they are delivered, in whatever order."""
        out, self._held = self._held, []
        for topic, body in batch:
            if len(self.captured) < CAPTURED:
                self.captured.append((topic, body))
            dice = self._chance.random()
            if dice < 0.15:
                self.tally["dropped"] += 1
            elif dice < 0.25:
                self.tally["held back"] += 1
                self._held.append((topic, body, True))
            elif dice < 0.35:
                self.tally["repeated"] += 1
                out += [(topic, body, True)] * 3
            else:
                out.append((topic, body, True))
            if dice < 0.5:
                out.append((*self._spoilt(topic, body), False))
        self._chance.shuffle(out)
        return out

    def _spoilt(self, topic: str, body: bytes) -> tuple[str, bytes]:
        """One forgery of a message."""
        kind = self._chance.choice(("altered", "relabelled", "moved", "cross-delivered", "cut"))
        self.tally[kind] += 1
        envelope: dict[str, Any] = json.loads(body)
        levels = topic.split("/")
        match kind:
            case "altered":
                data = envelope["data_base64"]
                place = self._chance.randrange(len(data) // 2)
                other = "A" if data[place] != "A" else "B"
                envelope["data_base64"] = data[:place] + other + data[place + 1 :]
            case "relabelled":
                name = self._chance.choice(_CLEAR)
                envelope[name] = {
                    "id": "0badcafe-1",
                    "sequence": str(int(envelope["sequence"]) + 1),
                    "time": "2026-01-01T00:00:00Z",
                    "type": "gatehouse.session.v1" if "session" not in envelope["type"] else "gatehouse.finding.v1",
                    "source": f"urn:gatehouse:{TENANT}:site-9",
                }[name]
            case "moved":
                levels[-1] = "other"
            case "cross-delivered":
                other = SITES[1 - SITES.index(levels[3])]
                levels[3] = other
                if self._chance.random() < 0.5:
                    envelope["source"] = f"urn:gatehouse:{TENANT}:{other}"
            case _:
                return topic, body[: len(body) // 2]
        return "/".join(levels), json.dumps(envelope).encode()
