"""What each device has asked the DNS, and what addresses it was told: the ground for "nobody named this".

Enters: questions, answers put beside them, hellos and requests that show a name. Leaves: nothing; others ask.
Only what a device was told itself counts, not what another was: the same address stands for many names.
Bounded: `MAX_DEVICES` devices, of each `MAX_EACH` names and as many addresses, `MAX_ALL` over all; what is
over goes from the device that holds the most. Names are kept as the interpreter's keyed hashes only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import ip_address

from appliance.sensor.facts import AnswerHeard, Fact, Kind, MessageHeard
from appliance.sensor.lookups import looked_up
from appliance.sensor.packet import dhcp4, dhcp6, dns, svcb
from appliance.sensor.signals.detector import Detector, Noticed

MAX_DEVICES = 256
MAX_EACH = 2048
MAX_ALL = 65536
KEPT_SECONDS = 3600.0
"""The least an answer counts for: programs keep addresses for longer than the answer allows."""
MAX_KEPT_SECONDS = 86400.0
"""The most, whatever the answer says."""
NAME_SECONDS = 86400.0
"""A name asked for within this is no news."""

_JOINING = frozenset({1, 4})
"""SOLICIT and CONFIRM (RFC 8415 section 7.3)."""

_Key = str | int
"""An address that an answer gave; or the hash of a name, or of an address where one was shown."""


class _Memory:
    """What one device was told: until when each counts, the longest unheard first."""

    __slots__ = ("first", "last", "leased", "until")

    def __init__(self, ts: float) -> None:
        self.first = self.last = ts
        self.leased = False
        self.until: OrderedDict[_Key, float] = OrderedDict()


class Told(Detector):
    """Remembers for the other detectors; must hear a fact before them."""

    __slots__ = ("_all", "_devices", "_overflow")

    def __init__(self) -> None:
        self._devices: OrderedDict[str, _Memory] = OrderedDict()
        self._all = 0
        self._overflow = 0

    def __len__(self) -> int:
        return self._all

    @property
    def overflow(self) -> int:
        """Devices, names and addresses forgotten before their time."""
        return self._overflow

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
        return ()

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

    def is_whole(self, mac: str, ts: float) -> bool:
        """Whether the device can hardly know a name from before it was first heard."""
        memory = self._devices.get(mac)
        return memory is not None and (memory.leased or ts - memory.first >= KEPT_SECONDS)

    def _counts(self, mac: str, key: _Key, ts: float) -> bool:
        memory = self._devices.get(mac)
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
        memory = self._devices.get(mac)
        if memory is None:
            if len(self._devices) >= MAX_DEVICES:
                _, gone = self._devices.popitem(last=False)
                self._all -= len(gone.until)
                self._overflow += 1
            memory = self._devices[mac] = _Memory(ts)
        else:
            self._devices.move_to_end(mac)
        memory.last = ts
        return memory

    def _keep(self, mac: str, key: _Key, ts: float, seconds: float) -> None:
        memory = self._of(mac, ts)
        until = memory.until
        if key in until:
            until[key] = max(until[key], ts + seconds)
            until.move_to_end(key)
            return
        if len(until) >= MAX_EACH:
            self._forget(memory, ts)
        elif self._all >= MAX_ALL:
            self._forget(max(self._devices.values(), key=lambda other: len(other.until)), ts)
        until[key] = ts + seconds
        self._all += 1

    def _forget(self, memory: _Memory, ts: float) -> None:
        """Drop the entry that was longest unheard."""
        _, until = memory.until.popitem(last=False)
        self._all -= 1
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
