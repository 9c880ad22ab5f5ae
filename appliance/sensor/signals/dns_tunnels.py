r"""Questions that carry data instead of names: tunnels through the DNS, told by what they cannot help doing.

Enters: questions, and answers put beside them. Leaves: DNS_TUNNEL with the reasons, as closed words, in this order:
- `null`: types that carry octets and that nobody else asks for (NULL, and those for private use);
- `types`: aliases, mail, service and key records asked for, of many names;
- `txt`: texts, of many names, and hardly anything else;
- `length`, `entropy`: what stands before the domain is long, and its letters are as even as a code makes them;
- `rate`: more names of one domain than any page asks for;
- `answers`: answers full of text.
Told for `null` alone, else where three agree with `rate`, `txt` or `types` among them: anti-virus programs ask with long hashes,
block lists at a high rate, mail for texts, and none of them does all of it.
All of a device and registered domain (public suffix list) in a window of `WINDOW_SECONDS`; the reverse tree is left out.
Bounded: `MAX_DEVICES` devices, of each `MAX_DOMAINS` domains, of each `MAX_NAMES` names as keyed hashes; who
floods domains pushes out its own. A tunnel over very many domains is not seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from math import log2

from publicsuffixlist import PublicSuffixList

from appliance.sensor.facts import AnswerHeard, Fact, Kind, MessageHeard
from appliance.sensor.packet import dns, svcb
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.table import AgedTable
from appliance.signals import Signal

WINDOW_SECONDS = 60.0
MAX_DEVICES = 64
MAX_DOMAINS = 128
MAX_NAMES = 48

MIN_NULL = 5
MIN_OF_TYPE = 10
MIN_RATE = 40
MIN_LENGTH = 50.0
"""Mean octets before the domain: a page's names have some ten, hashes of 128 bits 26 to 36."""
MIN_ENTROPY = 4.6
"""Bits a letter over all names of a window: hexadecimal has at most 4.0, words and digits mixed some 4.3, base 32 has 5.0."""
MIN_LETTERS = 400
MIN_ANSWER = 80.0
"""Mean octets of text in an answer."""

_NULL, _KEY = 10, 25
_PRIVATE = range(65280, 65535)
"""RFC 6895 section 3.1: types for private use."""
_OTHERS = frozenset({dns.CNAME, dns.MX, dns.SRV, _KEY})
_BEGINNINGS = frozenset({"rate", "txt", "types"})
_ESCAPED = re.compile(r"\\(?:[0-9]{3}|.)")
_MAX_LETTERS = 128


class _Window:
    """What was asked of one domain since `since`."""

    __slots__ = ("answered", "answers", "letters", "names", "null", "octets", "others", "said", "since", "texts")

    def __init__(self, ts: float) -> None:
        self.since = ts
        self.names: set[int] = set()
        self.octets = 0
        """Before the domain, over `names`."""
        self.letters: Counter[str] = Counter()
        self.null = self.others = self.texts = 0
        """Names by type."""
        self.answers = self.answered = 0
        """Answers, and octets of text in them."""
        self.said = ""

    def reasons(self) -> tuple[str, ...]:
        count = len(self.names)
        found = {
            "null": self.null >= MIN_NULL,
            "types": self.others >= MIN_OF_TYPE,
            "txt": self.texts >= MIN_OF_TYPE and self.texts * 2 >= count,
            "length": count >= MIN_OF_TYPE and self.octets >= MIN_LENGTH * count,
            "entropy": self.letters.total() >= MIN_LETTERS and _entropy(self.letters) >= MIN_ENTROPY,
            "rate": count >= MIN_RATE,
            "answers": self.answers >= MIN_OF_TYPE and self.answered >= MIN_ANSWER * self.answers,
        }
        return tuple(reason for reason, holds in found.items() if holds)


class DnsTunnels(Detector):
    """Counts, for each device and domain, what a tunnel cannot do without."""

    __slots__ = ("_devices", "_pushed")
    hears = (AnswerHeard, MessageHeard)

    def __init__(self) -> None:
        self._devices: AgedTable[str, AgedTable[str, _Window]] = AgedTable(bound=MAX_DEVICES, age=WINDOW_SECONDS)
        self._pushed = 0
        _suffixes()  # read now, not while packets wait

    @property
    def overflow(self) -> int:
        """Devices and domains forgotten in mid-window."""
        return self._devices.overflow + self._pushed

    def take(self, fact: Fact) -> Iterator[Noticed]:
        """What the questions of a window have come to."""
        if fact.mac is None:
            return
        if isinstance(fact, AnswerHeard):
            yield from self._answered(fact, fact.mac)
        elif isinstance(fact, MessageHeard) and fact.kind is Kind.DNS:
            message = fact.message
            if isinstance(message, dns.Message) and not message.response:
                for question in message.questions:
                    yield from self._asked(fact, fact.mac, question)

    def _asked(self, fact: MessageHeard, mac: str, question: dns.Question) -> Iterator[Noticed]:
        domain = registered(question.name)
        if domain is None:
            return
        window = self._window(mac, domain, fact.ts)
        before = question.name[: -len(domain) - 1]
        key = hash(before)
        if key in window.names or len(window.names) >= MAX_NAMES or not before:
            return
        window.names.add(key)
        letters = _ESCAPED.sub(_unescape, before.replace(".", ""))
        window.octets += len(letters)
        for letter in letters:
            if letter in window.letters or len(window.letters) < _MAX_LETTERS:
                window.letters[letter] += 1
        window.null += question.qtype == _NULL or question.qtype in _PRIVATE
        window.others += question.qtype in _OTHERS
        window.texts += question.qtype == dns.TXT
        yield from _told(fact.ts, mac, window)

    def _answered(self, fact: AnswerHeard, mac: str) -> Iterator[Noticed]:
        domain = registered(fact.asked[0].name)
        if domain is None:
            return
        window = self._window(mac, domain, fact.ts)
        window.answers += 1
        window.answered += sum(map(_text, fact.message.answers))
        yield from _told(fact.ts, mac, window)

    def _window(self, mac: str, domain: str, ts: float) -> _Window:
        domains = self._devices.get(mac, ts)
        if domains is None:
            domains = AgedTable(bound=MAX_DOMAINS, age=WINDOW_SECONDS)
        self._devices.put(mac, domains, ts)
        window = domains.get(domain, ts)
        if window is None or abs(ts - window.since) > WINDOW_SECONDS:
            window = _Window(ts)
        before = domains.overflow
        domains.put(domain, window, ts)
        self._pushed += domains.overflow - before
        return window


def _told(ts: float, mac: str, window: _Window) -> Iterator[Noticed]:
    """Once for each set of reasons of a window."""
    if len(window.names) < MIN_NULL:
        return
    reasons = window.reasons()
    agreed = len(reasons) >= 3 and not _BEGINNINGS.isdisjoint(reasons)
    value = ",".join(reasons)
    if ("null" in reasons or agreed) and value != window.said:
        window.said = value
        yield Noticed(ts=ts, mac=mac, signal=Signal.DNS_TUNNEL, value=value)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def registered(name: str) -> str | None:
    """The domain somebody registered, of a name in its one spelling; None for a suffix, one label, the reverse tree."""
    if not name or name.endswith(".arpa") or "." not in name:
        return None
    # Only the end matters, and octets that are escaped stand before it.
    end = ".".join(name.rsplit(".", 6)[-6:])
    found = _suffixes().privatesuffix(end)
    return found if isinstance(found, str) and found else None


def _unescape(escaped: re.Match[str]) -> str:
    digits = escaped.group()[1:]
    return chr(int(digits) & 0xFF) if digits.isdigit() and len(digits) == 3 else digits


def _entropy(letters: Counter[str]) -> float:
    """Shannon's, in bits a letter."""
    total = letters.total()
    return -sum(count / total * log2(count / total) for count in letters.values())


def _text(record: dns.Answer) -> int:
    """Octets of text in a record: strings, or the name it points to."""
    if isinstance(record.data, tuple):
        return sum(map(len, record.data))
    if record.rtype in {dns.A, dns.AAAA} or isinstance(record.data, svcb.Svcb):
        return 0
    return len(record.value or "")
