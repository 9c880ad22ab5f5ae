"""How much a device does, and how much of it nothing named: counts, no names.

Enters: facts and counts of octets of the devices that the mask has in `signs`. Leaves: `ActivitySeen`, each
`WINDOW_SECONDS` of packet time, where there was anything. What goes to the household itself is not counted.
A connection counts as unnamed when nothing `told` remembers led the device to its address, and no hello or
request in it shows a name within `FLOW_SECONDS`.
Bounded: devices are those of the mask; of each `MAX_UNNAMED` connections that may still show a name (one
pushed out stays unnamed) and `MAX_LOOKUPS` look-ups remembered so as to count one once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from appliance.messages import ActivitySeen, TalksCounted
from appliance.sensor.classes import name_class
from appliance.sensor.facts import Fact, FlowBegan, Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.lookups import looked_up
from appliance.sensor.packet import dns
from appliance.sensor.signals.told import Told
from appliance.sensor.table import AgedTable

WINDOW_SECONDS = 300.0
FLOW_SECONDS = 60.0
"""A connection shows its name in its first packets or not at all."""
LOOKUP_SECONDS = 2.0
"""The questions for A, AAAA and HTTPS are one look-up."""
MAX_UNNAMED = 256
MAX_LOOKUPS = 64

_DNS_PORT = 53
_FlowKey = tuple[int, str, int]


class _Window:
    """Counts of one device since `since`."""

    __slots__ = (
        "classes",
        "flows",
        "last",
        "lookups",
        "octets",
        "others",
        "since",
        "unnamed",
        "unnamed_octets",
        "waiting",
    )

    def __init__(self, ts: float) -> None:
        self.since = self.last = ts
        self.flows = self.unnamed = self.octets = self.unnamed_octets = self.others = 0
        self.classes: Counter[str] = Counter()
        self.waiting: AgedTable[_FlowKey, bool] = AgedTable(bound=MAX_UNNAMED, age=FLOW_SECONDS)
        self.lookups: AgedTable[int, bool] = AgedTable(bound=MAX_LOOKUPS, age=LOOKUP_SECONDS)

    def is_silent(self) -> bool:
        return not (self.flows or self.octets or self.others or self.classes)


class Activity:
    """Counts what devices do. Told only of those that `allow` names, and counted only for them."""

    def __init__(self, home: Home, told: Told) -> None:
        """Count connections as named by `told`, which must hear each fact first."""
        self._home = home
        self._told = told
        self._allowed: frozenset[str] = frozenset()
        self._windows: dict[str, _Window] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def allow(self, macs: frozenset[str]) -> None:
        """Count for these devices from now on; what was counted for others is dropped."""
        if macs != self._allowed:
            self._allowed = macs
            self._windows = {mac: window for mac, window in self._windows.items() if mac in macs}

    def take(self, fact: Fact) -> None:
        """Count a fact."""
        mac = fact.mac
        if mac is None or mac not in self._allowed:
            return
        if isinstance(fact, FlowBegan):
            if fact.dport != _DNS_PORT and not self._home.is_home(fact.dst):
                self._began(fact, mac)
        elif isinstance(fact, MessageHeard):
            message = fact.message
            if fact.kind is Kind.DNS and isinstance(message, dns.Message):
                if not message.response:
                    self._asked(fact, mac)
            elif looked_up(fact) and not self._home.is_home(fact.dst):
                self._named(fact, mac)

    def counted(self, counted: TalksCounted) -> None:
        """Count octets."""
        for talk in counted.talks:
            if talk.mac not in self._allowed or self._home.is_home(talk.server):
                continue
            window = self._of(talk.mac, counted.ts)
            octets = talk.up + talk.down
            window.octets += octets
            if not self._told.knows_address(talk.mac, talk.server, counted.ts):
                window.unnamed_octets += octets

    def tick(self, ts: float, generation: int) -> Iterable[ActivitySeen]:
        """What is due at this packet time, under the mask of `generation`."""
        for mac, window in list(self._windows.items()):
            if abs(ts - window.since) < WINDOW_SECONDS:
                continue
            del self._windows[mac]
            if window.is_silent():
                continue
            yield ActivitySeen(
                ts=max(window.last, window.since),
                since=window.since,
                mac=mac,
                generation=generation,
                flows=window.flows,
                unnamed=window.unnamed,
                octets=window.octets,
                unnamed_octets=window.unnamed_octets,
                classes=dict(window.classes),
                others=window.others,
            )

    def _of(self, mac: str, ts: float) -> _Window:
        window = self._windows.get(mac)
        if window is None:
            window = self._windows[mac] = _Window(ts)
        window.last = max(window.last, ts)
        return window

    def _began(self, fact: FlowBegan, mac: str) -> None:
        window = self._of(mac, fact.ts)
        window.flows += 1
        if not self._told.knows_address(mac, fact.dst, fact.ts):
            window.unnamed += 1
            window.waiting.put((fact.sport, fact.dst, fact.dport), True, fact.ts)

    def _named(self, fact: MessageHeard, mac: str) -> None:
        """A name is shown: its connection is none of the unnamed, nor is a later one to the same address."""
        self._told.shown(fact)
        window = self._windows.get(mac)
        key = (fact.sport, fact.dst, fact.dport)
        if window is not None and window.waiting.get(key, fact.ts):
            window.waiting.drop(key)
            window.unnamed -= 1

    def _asked(self, fact: MessageHeard, mac: str) -> None:
        for name, _ in looked_up(fact):
            window = self._of(mac, fact.ts)
            key = hash(name)
            if window.lookups.get(key, fact.ts):
                continue
            window.lookups.put(key, True, fact.ts)
            found = name_class(name)
            if found is None:
                window.others += 1
            else:
                window.classes[found] += 1
