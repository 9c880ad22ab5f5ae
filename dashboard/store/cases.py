"""Persons and their homes: who a household is about, under which reference, at what risk, under which order.

In: an open SQLAlchemy connection and plain values. Out: frozen rows. A person's id says nothing and comes from no
name: two who are called the same never become one (R47), and one person may have several homes (R48). Bounded: a
person has at most `MOST_HOMES` homes; `MOST_CHANGES` changes are read.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from dashboard.settings import Reviews
from dashboard.store.law import documents_in_force
from dashboard.store.queries import write_audit
from dashboard.store.schema import account, home, person, person_change, site
from wire.authority import Authority, AuthorityError, parse_signed

MOST_HOMES = 20
MOST_CHANGES = 50
MOST_ASKED = 1000
"""Households whose persons are looked up at once."""


class Risk(StrEnum):
    """How grave it would be to miss something, as whoever is responsible assessed it; the box never says."""

    NONE = ""
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very-high"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDates:
    """From when until when a household may be recorded, as the newest document in force says; Unix seconds."""

    authority_id: str
    number: int
    reference: str
    kind: str
    """order, licence_condition or consent."""
    starts: float
    ends: float
    """The earlier of its end and its withdrawal."""
    review: float
    document: Authority
    """The whole document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who a household is about."""

    person_id: str
    reference: str
    name: str | None
    """Only where the operator shows names."""
    risk: Risk
    review_days: int | None
    """How often to look; None: as the risk says."""
    revision: int
    changed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A household with who it is about."""

    site: str
    person: Person | None
    """None until somebody has entered one."""
    order: OrderDates | None
    """None where no document was put in force from here."""

    @property
    def reference(self) -> str:
        """The person's; empty where none is entered."""
        return "" if self.person is None else self.person.reference

    @property
    def name(self) -> str | None:
        """The person's, where one is entered."""
        return None if self.person is None else self.person.name

    @property
    def risk(self) -> Risk:
        """The person's."""
        return Risk.NONE if self.person is None else self.person.risk

    def review_days(self, reviews: Reviews) -> int:
        """Days between two looks at its findings (R40): the person's own, else as the risk says."""
        own = None if self.person is None else self.person.review_days
        return reviews.days(self.risk) if own is None else own

    def shown(self, show: str, other: str) -> str:
        """Who it is about in the tenant's way (`settings.words.show`): by name where one is entered, else reference."""
        if self.person is None:
            return other
        return (self.person.name or self.person.reference) if show == "name" else self.person.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A household of a person."""

    site: str
    title: str
    since: float
    seen: bool
    """It is in charge of who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that was changed about a person."""

    at: float
    by: str
    field: str
    before: str
    after: str


class ChangedMeanwhileError(ValueError):
    """Somebody else changed the person since the form was opened."""


class TakenError(ValueError):
    """The reference is another person's, or the person has too many homes."""


def case_of(connection: Connection, site_id: str, now: float | None = None) -> Case:
    """Who a household is about; with `now`, a document that waits for its day does not count yet."""
    return Case(site=site_id, person=person_of(connection, site_id), order=order_of(connection, site_id, now))


def person_of(connection: Connection, site_id: str) -> Person | None:
    """The person of a household."""
    return persons_of(connection, [site_id]).get(site_id)


def persons_of(connection: Connection, sites: Collection[str]) -> Mapping[str, Person]:
    """Persons by household, for a list of them: one statement; at most `MOST_ASKED`."""
    query = (
        select(home.c.site, *_PERSON)
        .join(person, person.c.person_id == home.c.person_id)
        .where(home.c.site.in_(sorted(sites)[:MOST_ASKED]))
    )
    return {
        row.site: Person(
            person_id=row.person_id,
            reference=row.reference,
            name=row.name,
            risk=_risk(row.risk),
            review_days=row.review_days,
            revision=row.revision,
            changed_at=row.changed_at,
        )
        for row in connection.execute(query)
    }


def order_of(connection: Connection, site_id: str, now: float | None = None) -> OrderDates | None:
    """Dates of the newest document that the box follows; see `case_of` for `now`."""
    for row in documents_in_force(connection, site_id):
        try:
            found = parse_signed(str(row.body.get("document")).encode()).document
        except AuthorityError:
            continue
        if now is not None and found.not_before.timestamp() > now:
            continue
        return OrderDates(
            authority_id=found.id,
            number=found.number,
            reference=found.reference,
            kind=found.kind,
            starts=found.not_before.timestamp(),
            ends=min(found.not_after, found.withdrawn_at or found.not_after).timestamp(),
            review=found.review_date.timestamp(),
            document=found,
        )
    return None


def homes_of(connection: Connection, person_id: str, sees: ColumnElement[bool] | None = None) -> tuple[Home, ...]:
    """Homes of a person, the oldest first; at most `MOST_HOMES`. With a condition on `site`, which of them it holds for."""
    seen = case((true() if sees is None else sees, 1), else_=0).label("seen")
    query = (
        select(home.c.site, site.c.title, home.c.since, seen)
        .join(site, site.c.site == home.c.site)
        .where(home.c.person_id == person_id)
        .order_by(home.c.since, home.c.site)
        .limit(MOST_HOMES)
    )
    return tuple(
        Home(site=row.site, title=row.title, since=row.since, seen=bool(row.seen)) for row in connection.execute(query)
    )


def changes_of(connection: Connection, person_id: str) -> tuple[Change, ...]:
    """What was changed about a person, newest first, with names of accounts; at most `MOST_CHANGES`."""
    query = (
        select(
            person_change.c.at,
            func.coalesce(account.c.name, person_change.c.by).label("by"),
            person_change.c.field,
            person_change.c.before,
            person_change.c.after,
        )
        .join_from(person_change, account, account.c.account_id == person_change.c.by, isouter=True)
        .where(person_change.c.person_id == person_id)
        .order_by(person_change.c.at.desc(), person_change.c.change_id.desc())
        .limit(MOST_CHANGES)
    )
    return tuple(Change(**row) for row in connection.execute(query).mappings())


def person_by_reference(connection: Connection, tenant: str, reference: str) -> str | None:
    """A person's id by the operator's own number."""
    query = select(person.c.person_id).where(person.c.tenant == tenant, person.c.reference == reference)
    return connection.execute(query).scalar_one_or_none()


def keep_person(
    connection: Connection,
    *,
    tenant: str,
    site_id: str,
    reference: str,
    name: str | None,
    risk: Risk,
    review_days: int | None,
    revision: int,
    by: str,
    now: float,
) -> str:
    """Enter or change the person of a household; its id. Writes history and audit; nothing where nothing differs.

    Args:
        connection: in a transaction.
        tenant: whose.
        site_id: the household, which the caller has checked.
        reference: the operator's number for the case; one of another person is refused, never joined.
        name: None where the operator shows references.
        risk: as assessed.
        review_days: None: as the risk says.
        revision: of the person as the form was opened; 0 for a household without one.
        by: account.
        now: Unix seconds.

    Raises:
        ChangedMeanwhileError: somebody else was quicker.
        TakenError: the reference is another person's.
    """
    before = person_of(connection, site_id)
    values = {"reference": reference, "name": name, "risk": str(risk), "review_days": review_days}
    old = {key: None if before is None else getattr(before, key) for key in values}
    changed = [key for key, value in values.items() if (old[key] or "") != (value or "")]
    if before is not None and not changed:
        return before.person_id  # the same form sent twice is no change, whoever sent it first
    if (0 if before is None else before.revision) != revision:
        raise ChangedMeanwhileError
    stamp = {"revision": revision + 1, "changed_at": now, "by": by}
    person_id = secrets.token_hex(16) if before is None else before.person_id
    try:
        with connection.begin_nested():
            if before is None:
                connection.execute(insert(person).values(person_id=person_id, tenant=tenant, **values, **stamp))
                connection.execute(insert(home).values(site=site_id, person_id=person_id, since=now, by=by))
            else:
                same = (person.c.person_id == person_id) & (person.c.revision == revision)
                if not connection.execute(update(person).where(same).values(**values, **stamp)).rowcount:
                    raise ChangedMeanwhileError
    except IntegrityError:
        raise TakenError from None
    for key in changed:
        told = key != "name"
        connection.execute(
            insert(person_change).values(
                person_id=person_id,
                at=now,
                by=by,
                field=key.replace("_", "-"),
                before=_text(old[key]) if told else "",
                after=_text(values[key]) if told else "",
            )
        )
    write_audit(
        connection,
        at=now,
        account_id=by,
        action="change-person",
        subject=f"{site_id}: {', '.join(changed)}",
        outcome="changed",
    )
    return person_id


def move_home(connection: Connection, *, site_id: str, person_id: str, by: str, now: float) -> None:
    """Let a household be another home of a person (R48); the only way in which two entries come together.

    An entry that is left without a home was a second one of the same person: it goes, so that its reference is free
    again, and what was changed about it stays in the history of the one that remains.

    Raises:
        TakenError: the person has `MOST_HOMES` homes.
    """
    before = person_of(connection, site_id)
    if before is not None and before.person_id == person_id:
        return
    number = connection.execute(select(func.count()).select_from(home).where(home.c.person_id == person_id))
    if number.scalar_one() >= MOST_HOMES:
        raise TakenError
    values = {"person_id": person_id, "since": now, "by": by}
    if not connection.execute(update(home).where(home.c.site == site_id).values(**values)).rowcount:
        connection.execute(insert(home).values(site=site_id, **values))
    connection.execute(
        insert(person_change).values(
            person_id=person_id,
            at=now,
            by=by,
            field="home",
            before="",
            after=site_id,
        )
    )
    if before is not None and not homes_of(connection, before.person_id):
        of_entry = person_change.c.person_id == before.person_id
        connection.execute(update(person_change).where(of_entry).values(person_id=person_id))
        connection.execute(delete(person).where(person.c.person_id == before.person_id))
    write_audit(connection, at=now, account_id=by, action="move-home", subject=site_id, outcome="changed")


def leave_home(connection: Connection, *, site_id: str, by: str, now: float) -> None:
    """Take a household from a person who has other homes, so that another one can be entered for it.

    Raises:
        TakenError: it is the person's only home, or nobody's.
    """
    found = person_of(connection, site_id)
    if found is None or len(homes_of(connection, found.person_id)) < 2:
        raise TakenError
    connection.execute(delete(home).where(home.c.site == site_id))
    connection.execute(
        insert(person_change).values(person_id=found.person_id, at=now, by=by, field="home", before=site_id, after="")
    )
    write_audit(connection, at=now, account_id=by, action="leave-home", subject=site_id, outcome="changed")


def forget(connection: Connection, site_id: str, *, before: float, over: bool) -> int:
    """Erase what is due about the person of a household; how many rows.

    Args:
        connection: in a transaction.
        site_id: the household.
        before: changes that are older go; Unix seconds.
        over: the household's authority ended so long ago that nothing of what was decided is kept: the household goes
            from the person, and the person with the last of their homes.
    """
    found = person_of(connection, site_id)
    if found is None:
        return 0
    changes = person_change.c.person_id == found.person_id
    gone = connection.execute(delete(person_change).where(changes, person_change.c.at < before)).rowcount
    if over:
        gone += connection.execute(delete(home).where(home.c.site == site_id)).rowcount
        if not homes_of(connection, found.person_id):
            gone += connection.execute(delete(person_change).where(changes)).rowcount
            gone += connection.execute(delete(person).where(person.c.person_id == found.person_id)).rowcount
    return gone


def _risk(text: str) -> Risk:
    return Risk(text) if text in tuple(Risk) else Risk.NONE


def _text(value: object) -> str:
    return "" if value is None else str(value)[:120]


_PERSON = (
    person.c.person_id,
    person.c.reference,
    person.c.name,
    person.c.risk,
    person.c.review_days,
    person.c.revision,
    person.c.changed_at,
)
