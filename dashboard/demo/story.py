"""What a box would have said of a made-up household over some weeks: a seed in, wire payloads out.

No real device, name or address: addresses are locally administered, names end in `.example`. The same seed and moment
give the same payloads to the octet. Bounded: `devices`, `days` and `situations` are the caller's, at most `MOST_DEVICES`.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wire.base import Payload, Standing
from wire.box import BoxStatus, DetectionTest, Gap, GapCause, ListHealth, ProcessHealth, TapHealth
from wire.findings import Finding, FindingKind, Grade, ListHit, Rule, Severity
from wire.models import Address, Device, LooksLike, Presence, PresenceState, Proposal, Session, Visibility

DAY = 86400.0
MOST_DEVICES = 64
_LISTS = (("demo-list", "Names that the made-up order names", 1200), ("demo-relays", "Made-up relays", 300))
AUTHORITY, NUMBER = "order-demo", 1

_CAST: tuple[tuple[str, str, Standing, str, float], ...] = (
    ("Own phone", "phone", Standing.REGISTERED, "a phone", 5.0),
    ("Own laptop", "laptop", Standing.REGISTERED, "a laptop", 2.0),
    ("Partner's phone", "phone", Standing.HOUSEHOLD, "a phone", 4.0),
    ("Television", "tv", Standing.HOUSEHOLD, "a television", 1.0),
    ("Work laptop", "laptop", Standing.WORK, "a laptop", 1.0),
    ("Speaker", "speaker", Standing.INFRASTRUCTURE, "a speaker", 1.0),
    ("Sister's tablet", "tablet", Standing.GUEST, "a tablet", 0.3),
    ("", "phone", Standing.UNKNOWN, "a phone", 0.6),
    ("", "console", Standing.UNKNOWN, "a games console", 0.4),
    ("Printer", "printer", Standing.INFRASTRUCTURE, "a printer", 0.5),
    ("Old tablet", "tablet", Standing.REFUSED, "a tablet", 0.1),
    ("Reader", "e-reader", Standing.REGISTERED, "a reader for books", 0.4),
)
"""Label, category, standing, what it looks like, stays a day; gone through again for larger households."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A finding to come about, in the words that a box would use."""

    kind: FindingKind
    severity: Severity
    reasons: tuple[str, ...]
    alternatives: tuple[str, ...]
    device: int | None
    """Number of the device; None for one about the box."""
    grade: Grade | None = None
    closed: str | None = None
    """Why it is closed; None while open."""
    count: int = 1
    hit: bool = False


_K, _S, _G = FindingKind, Severity, Grade
SITUATIONS: tuple[Situation, ...] = (
    Situation(
        kind=_K.UNREGISTERED_DEVICE,
        severity=_S.TODAY,
        device=7,
        reasons=("It asked for an address and no officer has registered it.",),
        alternatives=("A visitor's phone.", "A registered device that changed its address."),
    ),
    Situation(
        kind=_K.UNREGISTERED_DEVICE,
        severity=_S.TODAY,
        device=8,
        reasons=("It asked for an address and no officer has registered it.",),
        alternatives=("A visitor brought it.",),
    ),
    Situation(
        kind=_K.LISTED_NAME,
        severity=_S.ACT_NOW,
        device=1,
        reasons=("A name on a list that the order names was asked for.",),
        alternatives=("A page drew it in without anybody asking for it.", "The list is wrong about it."),
        count=3,
        hit=True,
    ),
    Situation(
        kind=_K.TUNNEL,
        severity=_S.TODAY,
        device=1,
        reasons=("It looks like a tunnel: one address took nearly all of the traffic.",),
        alternatives=("An employer may ask for it.",),
        grade=_G.HIGH,
    ),
    Situation(
        kind=_K.ENCRYPTED_DNS,
        severity=_S.THIS_WEEK,
        device=0,
        reasons=("Names were asked for where the box cannot read them.",),
        alternatives=("Some programs do so by themselves.",),
        grade=_G.MEDIUM,
        count=14,
    ),
    Situation(
        kind=_K.SILENT_DEVICE,
        severity=_S.THIS_WEEK,
        device=11,
        reasons=("It is quiet against its own baseline; other devices of the home are not.",),
        alternatives=("It is broken, sold or switched off.", "It is used on a mobile network."),
        grade=_G.LOW,
    ),
    Situation(
        kind=_K.TREND,
        severity=_S.INFORMATION,
        device=1,
        reasons=("Three times as many hours at night as in the weeks before.",),
        alternatives=("Working hours have changed.",),
        grade=_G.LOW,
    ),
    Situation(
        kind=_K.HIDDEN_NAMES,
        severity=_S.INFORMATION,
        device=0,
        reasons=("Two of five connections went to addresses that nothing named.",),
        alternatives=("Games and calls work like that.",),
        grade=_G.LOW,
    ),
    Situation(
        kind=_K.VISIT_OVER,
        severity=_S.THIS_WEEK,
        device=6,
        reasons=("It is still there after the visit was to end.",),
        alternatives=("The visit lasts longer.",),
    ),
    Situation(
        kind=_K.SECOND_ROUTER,
        severity=_S.TODAY,
        device=None,
        reasons=("Something in the home offers itself as a router.",),
        alternatives=("A repeater for better reception.",),
        grade=_G.MEDIUM,
        closed="It was seen no more.",
    ),
    Situation(
        kind=_K.POWER_LOST,
        severity=_S.INFORMATION,
        device=None,
        reasons=("The box was without power for 12 minutes.",),
        alternatives=("A power cut.", "The plug was needed for something else."),
        closed="The box is back.",
    ),
    Situation(
        kind=_K.SAME_DEVICE,
        severity=_S.INFORMATION,
        device=7,
        reasons=("A new address is probably that of a device on the register.",),
        alternatives=("Two devices of the same make.",),
    ),
    Situation(
        kind=_K.UNREGISTERED_DEVICE,
        severity=_S.TODAY,
        device=4,
        reasons=("It asked for an address and no officer has registered it.",),
        alternatives=("A visitor's laptop.",),
        closed="An officer has registered the device.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How large a household is to be."""

    seed: str
    devices: int = 12
    days: int = 28
    situations: Sequence[Situation] = SITUATIONS
    stays: bool = True


def tell(plan: Plan, now: float) -> Iterator[Payload]:
    """Everything a box would have said up to `now` (Unix seconds): devices, stays, a proposal, findings."""
    # Seeded by text, so that it is the same on every machine and in every run.
    chance = random.Random(plan.seed)  # noqa: S311 - to be repeated, not to be secret
    number = min(plan.devices, MOST_DEVICES)
    began = now - plan.days * DAY
    for place in range(number):
        yield _device(plan, chance, place, began, now)
    if plan.stays:
        for place in range(number):
            yield from _stays(plan, chance, place, began, now)
    if number > 7:
        yield Proposal(
            proposal_id="prop-1",
            revision=1,
            device_id=device_id(0),
            other_id=device_id(7),
            probability=0.87,
            state="open",
            raised_at=_time(now - 6 * 3600),
            reasons=("Both ask for addresses in the same way.", "One came within a minute of the other's leaving."),
            against=("Another device of that make is in the home.",),
        )
    for place, situation in enumerate(plan.situations):
        yield finding(place, situation, began + chance.uniform(0.5, 0.99) * (now - began), chance.uniform(60, 7200))


def device_id(place: int) -> str:
    """Id of the device with a number."""
    return f"dev-{place + 1:02d}"


def mac(seed: str, place: int) -> str:
    """A locally administered address."""
    tail = hashlib.sha256(f"{seed}/{place}".encode()).hexdigest()
    return "02:" + ":".join(tail[at : at + 2] for at in range(0, 10, 2))


def status(now: float) -> BoxStatus:
    """How a healthy box says that it is there."""
    gap = Gap(started=_time(now - 3 * DAY), ended=_time(now - 3 * DAY + 720), cause=GapCause.KEEPER_AWAY)
    return BoxStatus(
        online=True,
        at=_time(now),
        recording=True,
        authority="Records under a made-up order",
        processes=tuple(ProcessHealth(name=name, connected=True) for name in ("sensor", "courier", "warden")),
        taps=(TapHealth(name="flow", messages=120_000, octets=9_000_000, lost=0, unparsed=0, overflow=0),),
        gaps=(gap,),
        lists=tuple(
            ListHealth(
                list_id=name,
                title=title,
                version="2026-01-10",
                entries=entries,
                published=_time(now - 2 * DAY),
                taken_at=_time(now - 1.5 * DAY),
            )
            for name, title, entries in _LISTS
        ),
        test=DetectionTest(due=_time(now + 20 * DAY), passed_at=_time(now - 8 * DAY), detail="All steps passed"),
    )


def finding(place: int, situation: Situation, raised: float, lasted: float) -> Finding:
    """A situation as the finding it is."""
    hit = ListHit(
        name="listed-name.example",
        how="subtree",
        list_id="demo-list",
        list_version="2026-01-10",
        list_sha256="ab" * 32,
        entry="listed-name.example",
        category="demonstration",
    )
    about = None if situation.device is None else device_id(situation.device)
    return Finding(
        finding_id=f"find-{place + 1:03d}",
        revision=1,
        kind=situation.kind,
        severity=situation.severity,
        device_id=about,
        cause=f"{about or 'box'}/{situation.kind}"[:64],
        state="open" if situation.closed is None else "closed",
        closed_because=situation.closed,
        first_seen=_time(raised - 1),
        last_seen=_time(raised + lasted),
        raised_at=_time(raised),
        count=situation.count,
        rule=Rule(id=situation.kind.value, version="1", authority_id=AUTHORITY, authority_number=NUMBER, clause="4.2"),
        confidence=0.9,
        reasons=situation.reasons,
        alternatives=situation.alternatives,
        hit=hit if situation.hit else None,
        grade=situation.grade,
        signals=None if situation.grade is None else 1 + (situation.grade is not Grade.LOW),
    )


def _device(plan: Plan, chance: random.Random, place: int, began: float, now: float) -> Device:
    label, category, standing, looks, _ = _CAST[place % len(_CAST)]
    again = f" {place // len(_CAST) + 1}" if place >= len(_CAST) else ""
    fresh = standing is Standing.UNKNOWN
    first = now - chance.uniform(0.1, 1.5) * DAY if fresh else began + chance.uniform(0, 2) * DAY
    last = now - chance.choice((20.0, 90.0, 600.0, 30_000.0))
    first = min(first, last)
    here = now - last < 120
    return Device(
        device_id=device_id(place),
        revision=1,
        standing=standing,
        label=f"{label}{again}" if label else None,
        looks_like=LooksLike(
            text=looks,
            confidence=round(chance.uniform(0.6, 0.98), 2),
            reasons=("The way it asks for an address.",),
            category=category,
        ),
        addresses=(
            Address(
                mac=mac(plan.seed, place),
                locally_administered=True,
                first_seen=_time(first),
                last_seen=_time(last),
                rotating=category == "phone" or None,
            ),
        ),
        first_seen=_time(first),
        last_seen=_time(last),
        presence=Presence(state=PresenceState.HERE if here else PresenceState.LEFT, since=_time(last - 900)),
        visibility=None
        if standing is not Standing.REGISTERED
        else Visibility(day=_time(now // DAY * DAY), connections=chance.randrange(200, 4000), named=0.8),
    )


def _stays(plan: Plan, chance: random.Random, place: int, began: float, now: float) -> Iterator[Session]:
    a_day = _CAST[place % len(_CAST)][4]
    at, number = began + chance.uniform(0, DAY / a_day), 0
    while at < now - 7200:
        length = chance.uniform(600, min(6 * 3600, 0.8 * DAY / a_day))
        ended = min(at + length, now - 60)
        number += 1
        yield Session(
            session_id=f"stay-{place + 1:02d}-{number:04d}",
            revision=1,
            device_id=device_id(place),
            mac=mac(plan.seed, place),
            started=_time(at),
            ended=_time(ended),
            asleep_seconds=int(length / 5),
            ended_because="It left.",
        )
        at = ended + chance.uniform(0.3, 1.7) * DAY / a_day


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(round(at, 3), UTC)
