"""Decides who is told: what is new, what is unanswered and who there is in; alerts and deliveries out (R27, R38, R39).

Pure: no clock, no database, no network. The rules, in order:
1. *Act now* interrupts: whoever is in charge (or stands in for them) and whoever is on duty, at any hour.
2. Unanswered after `escalate_seconds`, the next of the rota is told; after as long again, all supervisors.
   A step that would reach nobody is skipped; where no step reaches anybody the alert is marked `alone`, shown to
   supervisors, and tried anew at each look.
3. *Today* is told at once only to those in charge who asked for that, outside their quiet hours.
4. Nobody is told of one alert twice on one channel: a delivery's id says what, whom and where.
5. Further findings of a cause join its alert while that is unanswered, or was answered less than `ABSORBED` ago.
Bounded by what is handed in: `dashboard.store.alerting` reads at most `MOST_NEWS` causes and `MOST_OPEN` alerts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta, tzinfo

ACT_NOW, TODAY = 0, 1
"""Ranks of severities, as `wire.findings.Severity` orders them."""
LAST_STEP = 2
ABSORBED = 24 * 3600.0
NEW, UNANSWERED = "new", "unanswered"
"""What a delivery's text says of an alert; `dashboard.alerts.texts` makes sentences of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be told."""

    account_id: str
    channels: tuple[tuple[str, str], ...]
    """Id and kind of each."""
    supervises: bool = False
    quiet_from: int | None = None
    """Minute of the local day; None: no quiet hours."""
    quiet_to: int | None = None
    also_today: bool = False
    digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Who there is just now."""

    people: Mapping[str, Person]
    in_charge: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Accounts by household."""
    stand_ins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Who covers for an account."""
    on_duty: tuple[str, ...] = ()
    next_on_duty: tuple[str, ...] = ()

    @property
    def supervisors(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(name for name, person in self.people.items() if person.supervises)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Open findings of one cause that no alert counts yet."""

    site: str
    key: str
    rank: int
    """Of the worst."""
    upto: float
    """`raised_at` of the newest, Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What somebody is told of, and how far that went."""

    alert_id: str
    site: str
    key: str
    rank: int
    upto: float
    opened_at: float
    step: int = 0
    stepped_at: float
    alone: bool = False
    acknowledged_at: float | None = None
    closed_at: float | None = None
    told: frozenset[str] = frozenset()
    """Accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message for one person on one channel."""

    delivery_id: str
    about: str
    purpose: str
    account_id: str
    channel_id: str
    kind: str
    urgent: bool
    text: str
    due_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator settled."""

    escalate_seconds: float
    repeat_seconds: float
    zone: tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be written."""

    opened: tuple[Alert, ...]
    changed: tuple[Alert, ...]
    """Alerts that were there, as they are now."""
    deliveries: tuple[Delivery, ...]


def plan(
    news: Sequence[News],
    latest: Mapping[tuple[str, str], Alert],
    unanswered: Sequence[Alert],
    house: House,
    rules: Rules,
    *,
    now: float,
) -> Plan:
    """Look once.

    Args:
        news: what no alert counts yet, each household and cause once.
        latest: the newest alert of those households and causes, where there is one.
        unanswered: alerts of *Act now* that nobody has answered.
        house: who there is.
        rules: what the operator settled.
        now: Unix seconds.
    """
    opened: dict[str, Alert] = {}
    changed: dict[str, Alert] = {}
    deliveries: dict[str, Delivery] = {}

    def tell(one: Alert) -> Alert:
        if one.rank == ACT_NOW:
            told, sent = _interrupt(one, house, rules, now)
        else:
            told, sent = _mention(one, house, rules, now)
        deliveries.update((item.delivery_id, item) for item in sent)
        return told

    for item in news:
        before = latest.get((item.site, item.key))
        if before is not None and _joins(item, before, rules, now):
            before = changed.get(before.alert_id, before)
            changed[before.alert_id] = replace(before, upto=max(before.upto, item.upto))
            continue
        fresh = Alert(
            alert_id=_digest(item.site, item.key, str(item.rank), repr(item.upto)),
            site=item.site,
            key=item.key,
            rank=item.rank,
            upto=item.upto,
            opened_at=now,
            stepped_at=now,
        )
        opened[fresh.alert_id] = tell(fresh)
    for one in unanswered:
        if one.alone:
            after = tell(replace(one, step=0))
        elif one.step < LAST_STEP and now - one.stepped_at >= rules.escalate_seconds:
            after = tell(replace(one, step=one.step + 1, stepped_at=now))
        else:
            continue
        joined = changed.get(one.alert_id)
        changed[one.alert_id] = after if joined is None else replace(after, upto=joined.upto)
    return Plan(opened=tuple(opened.values()), changed=tuple(changed.values()), deliveries=tuple(deliveries.values()))


def messages(
    people: Sequence[Person], texts: Mapping[str, str], *, about: str, purpose: str, rules: Rules, now: float
) -> tuple[Delivery, ...]:
    """Messages that interrupt nobody: one for each channel of who has a text, after their quiet hours."""
    return tuple(
        delivery
        for person in people
        if person.account_id in texts
        for delivery in _to(
            person, about=about, purpose=purpose, urgent=False, text=texts[person.account_id], rules=rules, now=now
        )
    )


def quiet_until(person: Person, now: float, zone: tzinfo) -> float:
    """When a person's quiet hours are over (Unix seconds); `now` where they are not in them."""
    if person.quiet_from is None or person.quiet_to is None or person.quiet_from == person.quiet_to:
        return now
    local = datetime.fromtimestamp(now, UTC).astimezone(zone)
    minute = local.hour * 60 + local.minute
    length = (person.quiet_to - person.quiet_from) % 1440
    if (minute - person.quiet_from) % 1440 >= length:
        return now
    day = local.date() + timedelta(days=1 if person.quiet_to <= minute else 0)
    ends = datetime.combine(day, time(person.quiet_to // 60, person.quiet_to % 60), zone)
    if ends.timestamp() <= now:
        # The night summer time ends has an hour twice, and this is its second half.
        ends = ends.replace(fold=1)
    return max(now, ends.timestamp())


def _joins(item: News, before: Alert, rules: Rules, now: float) -> bool:
    if item.rank < before.rank:
        return False  # it has become worse: that is told anew
    if before.closed_at is None:
        return before.acknowledged_at is None or now - before.acknowledged_at < ABSORBED
    return item.rank > ACT_NOW and now - before.opened_at < rules.repeat_seconds


def _interrupt(one: Alert, house: House, rules: Rules, now: float) -> tuple[Alert, list[Delivery]]:
    """Tell the people of the alert's step, or of the first one after it that reaches somebody."""
    for step in range(one.step, LAST_STEP + 1):
        names = [name for name in _of_step(one, step, house) if name not in one.told]
        sent = [
            delivery
            for name in names
            for delivery in _to(
                house.people[name],
                about=one.alert_id,
                purpose="alert",
                urgent=True,
                text=UNANSWERED if one.told else NEW,
                rules=rules,
                now=now,
            )
        ]
        if sent:
            told = one.told | {item.account_id for item in sent}
            return replace(one, step=step, stepped_at=now, alone=False, told=told), sent
    return replace(one, step=LAST_STEP, alone=not one.told), []


def _of_step(one: Alert, step: int, house: House) -> tuple[str, ...]:
    if step == 0:
        names = (*_charge(one.site, house), *house.on_duty)
    elif step == 1:
        names = next(((name,) for name in house.next_on_duty if name not in one.told and _reachable(name, house)), ())
    else:
        names = house.supervisors
    return tuple(dict.fromkeys(name for name in names if name in house.people))


def _charge(site: str, house: House) -> tuple[str, ...]:
    """Who is in charge; instead of somebody who is covered for, who stands in, if they can be reached."""
    found: list[str] = []
    for name in house.in_charge.get(site, ()):
        covering = [item for item in house.stand_ins.get(name, ()) if _reachable(item, house)]
        found += covering or [name]
    return tuple(found)


def _reachable(name: str, house: House) -> bool:
    person = house.people.get(name)
    return person is not None and bool(person.channels)


def _mention(one: Alert, house: House, rules: Rules, now: float) -> tuple[Alert, list[Delivery]]:
    sent = [
        delivery
        for name in dict.fromkeys(_charge(one.site, house))
        if name in house.people and house.people[name].also_today
        for delivery in _to(
            house.people[name], about=one.alert_id, purpose="alert", urgent=False, text=NEW, rules=rules, now=now
        )
    ]
    return replace(one, told=frozenset(item.account_id for item in sent)), sent


def _to(
    person: Person, *, about: str, purpose: str, urgent: bool, text: str, rules: Rules, now: float
) -> list[Delivery]:
    return [
        Delivery(
            delivery_id=_digest(about, person.account_id, channel_id),
            about=about,
            purpose=purpose,
            account_id=person.account_id,
            channel_id=channel_id,
            kind=kind,
            urgent=urgent,
            text=text,
            # Quiet hours never hold back what interrupts.
            due_at=now if urgent else quiet_until(person, now, rules.zone),
        )
        for channel_id, kind in person.channels
    ]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
