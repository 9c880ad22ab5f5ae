"""Answers of the DNS put beside their questions: whose an answer is, which has no hardware address.

Enters: questions and answers over UDP and TCP, in the order heard. Leaves: `AnswerHeard`. An answer counts
where a question with the same addresses, ports, id and name was heard within `PENDING_SECONDS`: once, or as
often as it was asked. What nobody asked for, or with another name, is dropped and counted.
Bounded: `MAX_ASKERS` addresses, of each `MAX_PENDING` questions; the oldest go first. Of devices that nobody
watches as many again, apart: who floods questions, from whatever address, pushes out its own or such.
"""

from __future__ import annotations

from typing import NamedTuple

from appliance.sensor.facts import AnswerHeard, Fact, Kind, MessageHeard
from appliance.sensor.packet import dns
from appliance.sensor.table import AgedTable

PENDING_SECONDS = 10.0
"""A question waits so long for its answer; programs give up after five seconds or so."""
MAX_ASKERS = 1024
MAX_PENDING = 256

_Key = tuple[int, str, int, int]
"""Port of the asker, address and port of the asked, id."""


class _Asked(NamedTuple):
    mac: str
    questions: tuple[dns.Question, ...]


_Askers = AgedTable[str, AgedTable[_Key, _Asked]]


class Answers:
    """Questions that wait for an answer."""

    __slots__ = ("_askers", "_pushed", "unasked")

    def __init__(self) -> None:
        self._askers: tuple[_Askers, _Askers] = (
            AgedTable(bound=MAX_ASKERS, age=PENDING_SECONDS),
            AgedTable(bound=MAX_ASKERS, age=PENDING_SECONDS),
        )
        """Of watched devices, of others."""
        self._pushed = 0
        self.unasked = 0
        """Answers that pair with no question."""

    def __len__(self) -> int:
        return sum(map(len, self._askers))

    @property
    def overflow(self) -> int:
        """Askers and questions pushed out before their time: an answer to them counts as unasked."""
        return sum(askers.overflow for askers in self._askers) + self._pushed

    def take(self, fact: Fact, *, is_watched: bool = True) -> AnswerHeard | None:
        """Remember a question, of a device that is watched or not, or give an answer its asker; None for all else."""
        if not isinstance(fact, MessageHeard) or fact.kind is not Kind.DNS:
            return None
        message = fact.message
        if not isinstance(message, dns.Message):
            return None
        if message.response:
            return self._answer(fact, message)
        if fact.mac is not None and fact.src is not None and message.questions:
            self._ask(self._askers[not is_watched], fact, fact.mac, fact.src, message)
        return None

    def _ask(self, askers: _Askers, fact: MessageHeard, mac: str, src: str, message: dns.Message) -> None:
        pending = askers.get(src, fact.ts)
        if pending is None:
            pending = AgedTable(bound=MAX_PENDING, age=PENDING_SECONDS)
        before = pending.overflow
        pending.put((fact.sport, fact.dst, fact.dport, message.id), _Asked(mac, message.questions), fact.ts)
        self._pushed += pending.overflow - before
        askers.put(src, pending, fact.ts)

    def _answer(self, fact: MessageHeard, message: dns.Message) -> AnswerHeard | None:
        key = (fact.dport, fact.src or "", fact.sport, message.id)
        asked = self._find(fact, key, message)
        if asked is None:
            self.unasked += 1
            return None
        return AnswerHeard(
            ts=fact.ts,
            tap=fact.tap,
            mac=asked.mac,
            via=fact.via,
            src=fact.dst,
            sport=fact.dport,
            dst=fact.src or "",
            dport=fact.sport,
            asked=asked.questions,
            message=message,
        )

    def _find(self, fact: MessageHeard, key: _Key, message: dns.Message) -> _Asked | None:
        """The question that an answer is for, which then waits no more."""
        for askers in self._askers:
            pending = askers.get(fact.dst, fact.ts)
            asked = pending.get(key, fact.ts) if pending is not None else None
            # RFC 5452 section 4.1: an answer repeats the question it is for.
            if pending is not None and asked is not None and message.questions in {(), asked.questions}:
                pending.drop(key)
                return asked
        return None
