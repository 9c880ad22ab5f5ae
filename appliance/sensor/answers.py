"""Answers of the DNS put beside their questions: whose an answer is, which has no hardware address.

Enters: questions and answers over UDP and TCP, in the order heard. Leaves: `AnswerHeard`. An answer counts
where a question with the same addresses, ports, id and name was heard within `PENDING_SECONDS`: once, or as
often as it was asked. What nobody asked for, or with another name, is dropped and counted.
Bounded: `MAX_ASKERS` addresses, of each `MAX_PENDING` questions; the oldest go first. Who floods questions
pushes out its own.
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


class Answers:
    """Questions that wait for an answer."""

    __slots__ = ("_askers", "_pushed", "unasked")

    def __init__(self) -> None:
        self._askers: AgedTable[str, AgedTable[_Key, _Asked]] = AgedTable(bound=MAX_ASKERS, age=PENDING_SECONDS)
        self._pushed = 0
        self.unasked = 0
        """Answers that pair with no question."""

    def __len__(self) -> int:
        return len(self._askers)

    @property
    def overflow(self) -> int:
        """Askers and questions pushed out before their time: an answer to them counts as unasked."""
        return self._askers.overflow + self._pushed

    def take(self, fact: Fact) -> AnswerHeard | None:
        """Remember a question, or give an answer its asker; None for all else."""
        if not isinstance(fact, MessageHeard) or fact.kind is not Kind.DNS:
            return None
        message = fact.message
        if not isinstance(message, dns.Message):
            return None
        if message.response:
            return self._answer(fact, message)
        if fact.mac is not None and fact.src is not None and message.questions:
            self._ask(fact, fact.mac, fact.src, message)
        return None

    def _ask(self, fact: MessageHeard, mac: str, src: str, message: dns.Message) -> None:
        pending = self._askers.get(src, fact.ts)
        if pending is None:
            pending = AgedTable(bound=MAX_PENDING, age=PENDING_SECONDS)
        before = pending.overflow
        pending.put((fact.sport, fact.dst, fact.dport, message.id), _Asked(mac, message.questions), fact.ts)
        self._pushed += pending.overflow - before
        self._askers.put(src, pending, fact.ts)

    def _answer(self, fact: MessageHeard, message: dns.Message) -> AnswerHeard | None:
        pending = self._askers.get(fact.dst, fact.ts)
        key = (fact.dport, fact.src or "", fact.sport, message.id)
        asked = pending.get(key, fact.ts) if pending is not None else None
        # RFC 5452 section 4.1: an answer repeats the question it is for.
        if pending is None or asked is None or (message.questions and message.questions != asked.questions):
            self.unasked += 1
            return None
        pending.drop(key)
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
