"""How signs are weighed: every threshold in one place with its reason, and what a grade comes to.

In: what was observed. Out: grades, severities, confidences, signs. Pure. The numbers are judgement, not
law: a court may read here which were used. Bounded: a sign names at most `MAX_RECORDS` records; texts are
cut to what travels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.window import Context, Observed, by_server, ends, newest_first
from wire.base import Standing
from wire.findings import MAX_RECORDS, FindingKind, Grade, Severity

MAX_TEXT = 300
MAX_SENTENCES = 16

REPEATED = 3
"""Times after which something is no chance: a program that merely tries falls back after one or two."""

DAYS = 86400.0

TOR_PLACES = 3
"""Far ends with a hello like that of Tor's programs: one may be chance, at its start Tor opens several."""

NOISE_MANY = 5
"""Connections that look like noise from the first packet: games and calls make one or two to one server."""

LOOKUPS_STOP_FLOWS = 30
LOOKUPS_STOP_SHARE = 0.1
"""A device that begins thirty connections and asks the box for fewer than three names asks elsewhere."""

HIDDEN_FLOWS = 60
"""Connections in a day below which a share says nothing."""
HIDDEN_SHARE = 0.5
"""A device that asks the box has most of its connections named; apps with addresses built in make a fifth."""
HIDDEN_MORE = 0.3
"""By so much its share must be above its own usual one."""

HIDDEN_HELLOS = 10
"""Hellos without a name in a week below which it is this or that program."""

OTHER_RESOLVER_MANY = 20
"""Questions to another name service from which on it looks like a setting rather than a program's own try."""

IKE_CALL_OCTETS = 50_000_000
"""More than an hour of calls over Wi-Fi moves: below it, IPsec is taken for calls except on a computer."""

UPSTREAM_CROWD = 8
"""More devices than a home has upstream of its router: the provider lets homes share a network."""

MAX_ENDS = 8
"""Far ends of one kind that have a finding each."""
FURTHER = "further places"
"""What those beyond them are called together: always the same, so that they stay one finding."""

TTL_SECONDS = DAYS
"""Hop limits seen within a day belong together: a laptop may have been at another desk before."""

SYSTEMS = 2
"""Families of operating systems on one address: one device runs one, a virtual machine inside it another."""

DNS_TUNNEL_MEDIUM, DNS_TUNNEL_HIGH = 2, 4
"""Reasons that agree: antivirus and content networks make one, sometimes two; a tunnel makes most of them."""

_CONFIDENCE = {Grade.LOW: 0.3, Grade.MEDIUM: 0.6, Grade.HIGH: 0.85}
_FURTHER = 0.05
_MOST = 0.95

_ORDER = (Severity.INFORMATION, Severity.THIS_WEEK, Severity.TODAY)
_OF_GRADE = {Grade.LOW: 0, Grade.MEDIUM: 1, Grade.HIGH: 2}

_OF_THE_DEVICE_S_WORK = frozenset({FindingKind.TUNNEL, FindingKind.PROXY, FindingKind.ENCRYPTED_DNS})
"""What an employer's set-up does as a rule."""

_OF_THE_HOUSEHOLD = frozenset({Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK, Standing.INFRASTRUCTURE})
_OF_ROUTERS = frozenset({FindingKind.DEVICE_BEHIND, FindingKind.SECOND_ROUTER})


def severity(kind: FindingKind, grade: Grade, standing: Standing | None) -> Severity:
    """How soon to look at a sign. No sign interrupts anyone on its own (R27)."""
    if kind is FindingKind.BREAK_GLASS:
        return Severity.ACT_NOW  # no sign but an act, of which two people are to know at once (N3)
    step = _OF_GRADE[grade]
    if standing is Standing.WORK and kind in _OF_THE_DEVICE_S_WORK:
        step = 0  # a work device is a recognised exception (R77)
    elif standing is Standing.INFRASTRUCTURE and kind in _OF_ROUTERS:
        step = 0  # a repeater or a second access point does just this
    elif standing in _OF_THE_HOUSEHOLD:
        step = max(step - 1, 0)  # not the device that the order is about
    return _ORDER[step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What a rule found, before it is made a sign."""

    kind: FindingKind
    grade: Grade
    headline: str
    support: Sequence[Observed]
    alternatives: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    """Beside the headline."""
    subject: str = ""
    signals: int = 1
    """How many independent signals agree."""
    at: float | None = None
    """When, where no record says it."""


SINGLE = "Only one kind of signal shows this."
"""Said with every sign that rests on one (S5)."""


def sign(weighed: Weighed, context: Context, *, cause: str) -> Sign:
    """A sign of what was weighed."""
    support = newest_first(weighed.support)
    reasons = [weighed.headline, *weighed.reasons]
    if weighed.signals == 1:
        reasons.append(SINGLE)
    confidence = _CONFIDENCE[weighed.grade] + _FURTHER * (weighed.signals - 1)
    return Sign(
        kind=weighed.kind,
        device_id=context.device_id,
        subject=clip(weighed.subject),
        grade=weighed.grade,
        confidence=round(min(confidence, _MOST), 2),
        reasons=fit(reasons),
        alternatives=fit(weighed.alternatives),
        cause=cause,
        since=min([item.first for item in support], default=weighed.at or 0.0),
        ts=max([item.last for item in support], default=weighed.at or 0.0),
        count=max(sum(item.count for item in support), 1),
        signals=weighed.signals,
        records=tuple(item.record_id for item in support[:MAX_RECORDS]),
    )


def each_end(heard: Iterable[Observed]) -> Iterator[tuple[str, list[Observed]]]:
    """What was heard by far end, the one heard first first; those beyond `MAX_ENDS` together.

    By age, not by number: whoever goes to ever more places does not make new ones stand for themselves.
    """
    places = sorted(by_server(heard).items(), key=lambda place: (min(item.first for item in place[1]), place[0]))
    yield from places[:MAX_ENDS]
    rest = [item for _server, items in places[MAX_ENDS:] for item in items]
    if rest:
        yield FURTHER, newest_first(rest)


def fit(sentences: Iterable[str]) -> tuple[str, ...]:
    """Sentences that fit the wire: whole, each once."""
    return tuple(dict.fromkeys(clip(text) for text in sentences if text))[:MAX_SENTENCES]


def clip(text: str) -> str:
    """A text that fits the wire."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def towards(support: Sequence[Observed]) -> str:
    """` to 192.0.2.7`, ` to 192.0.2.7 and 3 others`, or nothing where no far end is known."""
    far = ends(support)
    if not far:
        return ""
    return f" to {far[0]}" if len(far) == 1 else f" to {far[0]} and {len(far) - 1} other{'s' * (len(far) > 2)}"
