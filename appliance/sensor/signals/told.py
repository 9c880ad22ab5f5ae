"""What each device has asked the DNS, and what addresses it was told: the ground for "nobody named this".

Enters: questions, answers put beside them, hellos and requests that show a name; whom the mask watches. Leaves:
nothing; others ask. Only what a device was told itself counts, not what another was: the same address stands for
many names. A clock that was set ends all memory: what came before cannot be put beside what comes.
Bounded: of each watched device `MAX_EACH` names and addresses, `MAX_ALL` over all of them, and what is over goes
from the one that holds the most; of `MAX_OTHERS` other devices `MAX_EACH_OTHER`, should one be watched soon. So who
invents devices pushes out nothing of a watched one. `MAX_LATELY` names with who asked for them last. Names are
kept as the interpreter's keyed hashes only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import ip_address

from appliance.sensor.facts import AnswerHeard, Fact, Kind, MessageHeard
from appliance.sensor.lookups import looked_up
from appliance.sensor.packet import dhcp4, dhcp6, dns, svcb
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.table import AgedTable

MAX_EACH = 8192
"""A day's names of somebody who reads much, each with its aliases and addresses."""
MAX_ALL = 131072
MAX_OTHERS = 256
MAX_EACH_OTHER = 256
MAX_LATELY = 1024
LATELY_SECONDS = 5.0
"""A resolver in the household asks the box so soon before its own asker connects."""
KEPT_SECONDS = 3600.0
"""The least an answer counts for: programs keep addresses for longer than the answer allows."""
MAX_KEPT_SECONDS = 86400.0
"""The most, whatever the answer says."""
SET_SECONDS = 3600.0
"""Packet time that jumps farther was set (frames and ticks come every few seconds), or nothing of before counts."""
NAME_SECONDS = 86400.0
"""A name asked for within this is no news."""

_JOINING = frozenset({1, 4})
"""SOLICIT and CONFIRM (RFC 8415 section 7.3)."""

_Key = str | int
"""An address that an answer gave; or the hash of a name, or of an address where one was shown."""


class _Memory:
    """What one device was told: until when each counts, the longest unheard first."""

    __slots__ = ("first", "leased", "until")

    def __init__(self, ts: float) -> None:
        self.first = ts
        self.leased = False
        self.until: OrderedDict[_Key, float] = OrderedDict()


class Told(Detector):
    """Remembers for the other detectors; must hear a fact before them."""

    __slots__ = ("_all", "_lately", "_now", "_others", "_overflow", "_watched")

    def __init__(self) -> None:
        self._watched: dict[str, _Memory | None] = {}
        self._others: OrderedDict[str, _Memory] = OrderedDict()
        self._lately: AgedTable[int, str] = AgedTable(bound=MAX_LATELY, age=LATELY_SECONDS)
        self._all = 0
        """Entries of all watched devices."""
        self._now: float | None = None
        self._overflow = 0

    def __len__(self) -> int:
        return self._all + sum(len(memory.until) for memory in self._others.values())

    @property
    def overflow(self) -> int:
        """Devices, names and addresses forgotten before their time."""
        return self._overflow

    def watch(self, macs: frozenset[str]) -> None:
        """Keep these devices before all others; what was known of one that is no longer watched is dropped."""
        if macs == self._watched.keys():
            return
        self._watched = {mac: self._watched.get(mac) or self._others.pop(mac, None) for mac in macs}
        self._all = sum(len(memory.until) for memory in self._watched.values() if memory is not None)

    def take(self, fact: Fact) -> Iterable[Noticed]:
        """Remember what a fact tells its device."""
        if fact.mac is None:
            return ()
        if isinstance(fact, AnswerHeard):
            self._answer(fact, fact.mac)
        elif isinstance(fact, MessageHeard):
            if _joins(fact):
                self._of(fact.mac, fact.ts).leased = True
            elif fact.kind is Kind.DNS:
                for name, _ in looked_up(fact):
                    self._keep(fact.mac, hash(name), fact.ts, NAME_SECONDS)
                    self._lately.put(hash(name), fact.mac, fact.ts)
        return ()

    def tick(self, ts: float) -> Iterable[Noticed]:
        """Packet time goes on; where it jumps, all is forgotten."""
        if self._now is not None and abs(ts - self._now) > SET_SECONDS:
            self._watched = dict.fromkeys(self._watched)
            self._others.clear()
            self._all = 0
        self._now = ts
        return ()

    def missed(self, ts: float) -> None:
        """Questions may have gone unheard: what a device asked is not known whole any more."""
        for memory in (*self._watched.values(), *self._others.values()):
            if memory is not None:
                memory.first, memory.leased = ts, False

    def shown(self, fact: MessageHeard) -> None:
        """A hello or a request has named the address it went to."""
        if fact.mac is not None:
            self._keep(fact.mac, hash((fact.dst,)), fact.ts, KEPT_SECONDS)

    def gave_address(self, mac: str, address: str, ts: float) -> bool:
        """Whether an answer gave this device the address."""
        return self._counts(mac, address, ts)

    def knows_address(self, mac: str, address: str, ts: float) -> bool:
        """Whether an answer gave this device the address, or it showed a name there."""
        return self._counts(mac, address, ts) or self._counts(mac, hash((address,)), ts)

    def knows_name(self, mac: str, name: str, ts: float) -> bool:
        """Whether this device asked for a name, or was led to it by an answer."""
        return self._counts(mac, hash(name), ts)

    def another_asked(self, mac: str, name: str, ts: float) -> bool:
        """Whether another device asked for a name a moment ago: it may have been asked to by this one."""
        asker = self._lately.get(hash(name), ts)
        return asker is not None and asker != mac

    def has_joined(self, mac: str) -> bool:
        """Whether the device came from elsewhere while it was heard: then it hardly knows names from before."""
        memory = self._find(mac)
        return memory is not None and memory.leased

    def is_whole(self, mac: str, ts: float) -> bool:
        """Whether the device was heard for so long that what it knew from before counts no more."""
        memory = self._find(mac)
        return memory is not None and ts - memory.first >= KEPT_SECONDS

    def _find(self, mac: str) -> _Memory | None:
        return self._watched.get(mac) or self._others.get(mac)

    def _counts(self, mac: str, key: _Key, ts: float) -> bool:
        memory = self._find(mac)
        return memory is not None and memory.until.get(key, float("-inf")) >= ts

    def _answer(self, fact: AnswerHeard, mac: str) -> None:
        for record in fact.message.answers:
            kept = min(max(float(record.ttl), KEPT_SECONDS), MAX_KEPT_SECONDS)
            if record.rtype in {dns.A, dns.AAAA} and record.value:
                self._keep(mac, record.value, fact.ts, kept)
            elif record.rtype == dns.CNAME and record.value:
                self._keep(mac, hash(record.value), fact.ts, NAME_SECONDS)
            elif isinstance(record.data, svcb.Svcb):
                if record.data.target:
                    self._keep(mac, hash(record.data.target), fact.ts, NAME_SECONDS)
                for hint in (*record.data.ipv4hint, *record.data.ipv6hint):
                    self._keep(mac, hint, fact.ts, kept)
            elif isinstance(record.data, dns.Srv) and record.data.target:
                self._keep(mac, hash(record.data.target), fact.ts, NAME_SECONDS)
        if fact.message.answers:
            for address in _synthesised(fact.message):
                self._keep(mac, address, fact.ts, KEPT_SECONDS)

    def _of(self, mac: str, ts: float) -> _Memory:
        if mac in self._watched:
            memory = self._watched[mac]
            if memory is None:
                memory = self._watched[mac] = _Memory(ts)
            return memory
        memory = self._others.get(mac)
        if memory is None:
            if len(self._others) >= MAX_OTHERS:
                self._others.popitem(last=False)
                self._overflow += 1
            memory = self._others[mac] = _Memory(ts)
        else:
            self._others.move_to_end(mac)
        return memory

    def _keep(self, mac: str, key: _Key, ts: float, seconds: float) -> None:
        memory = self._of(mac, ts)
        until = memory.until
        if key in until:
            until[key] = max(until[key], ts + seconds)
            until.move_to_end(key)
            return
        is_watched = mac in self._watched
        if not is_watched and len(until) >= MAX_EACH_OTHER:
            self._drop(memory, ts)
            memory.first, memory.leased = ts, False  # it knows more than is remembered
        elif is_watched:
            if len(until) >= MAX_EACH:
                self._drop(memory, ts)
                self._all -= 1
            elif self._all >= MAX_ALL:
                held = [other for other in self._watched.values() if other is not None]
                self._drop(max(held, key=lambda other: len(other.until)), ts)
                self._all -= 1
            self._all += 1
        until[key] = ts + seconds

    def _drop(self, memory: _Memory, ts: float) -> None:
        """Drop the entry that was longest unheard."""
        _, until = memory.until.popitem(last=False)
        if until >= ts:
            self._overflow += 1


def _joins(fact: MessageHeard) -> bool:
    """Whether the device joins afresh: systems then forget what they knew of names. Renewing is no joining."""
    message = fact.message
    if isinstance(message, dhcp4.Message):
        # RFC 2131 section 4.3.2: only who has an address already gives it as its own.
        return message.from_client and not any(message.client_ip)
    return isinstance(message, dhcp6.Message) and message.from_client and message.message_type in _JOINING


def _synthesised(message: dns.Message) -> list[str]:
    """IPv4 addresses inside the well-known prefix of a translator (RFC 6052): a program may go to either."""
    found = []
    for record in message.answers:
        if record.rtype == dns.AAAA and record.value and record.value.startswith("64:ff9b::"):
            packed = ip_address(record.value).packed
            found.append(".".join(map(str, packed[12:])))
    return found
