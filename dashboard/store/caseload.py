"""The list of households with what waits in each, narrowed down and sorted in the database; and which reviews are due.

In: an open SQLAlchemy connection, `sees` (a condition on `schema.site`, of the households that whoever asks may see),
and a `Wanted`. Out: frozen rows of one page. Bounded: `PAGE` rows a page, `MOST_LATE` reviews; two statements a page
however many households or findings there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, false, func, literal, or_, select

from dashboard.settings import Reviews
from dashboard.store.queries import rank, waits_for_nobody
from dashboard.store.reviews import HOUSEHOLD, waits
from dashboard.store.schema import assignment, device, finding, home, person, proposal, review_act, site
from wire.findings import FindingKind, Severity

PAGE = 50
MOST_PAGE = 1000
MOST_LATE = 100
DAY = 86400.0
NONE = 99
"""Rank of a household where nothing waits."""
SORTS = ("worst", "oldest", "name", "heard", "due")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which households, in which order."""

    text: str = ""
    """Part of what officers call it, of the person's reference or name, or of the box's reference."""
    severity: str = ""
    """Something of at least this severity waits."""
    standing: str = ""
    """It has a device of this standing."""
    risk: str | None = None
    """Of the person; empty for not assessed, None for any."""
    officer: str = ""
    """Account that is in charge."""
    silent: bool = False
    """Its box does not report."""
    due: bool = False
    """Its review is due."""
    ending: bool = False
    """Its order ends soon, or it is time to ask whether as much is still needed."""
    sort: str = "worst"
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A household as the list shows it."""

    site: str
    title: str
    status: dict[str, Any] | None
    heard_at: float | None
    reference: str | None
    name: str | None
    risk: str | None
    worst: int
    """Rank of the worst finding that waits; `NONE` for none."""
    waiting: int
    oldest: float | None
    informs: int
    questions: int
    review_due: float | None
    """When it is to be looked through; None where no person is entered and nobody looked yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A household whose review is due."""

    site: str
    title: str
    review_due: float


def page_of(
    connection: Connection,
    sees: ColumnElement[bool],
    wanted: Wanted,
    *,
    rules: Reviews,
    now: float,
    silent_after: float,
) -> tuple[tuple[Listed, ...], int]:
    """Households of one page, and how many there are on all pages."""
    query = _listed(sees, wanted, rules=rules, now=now, silent_after=silent_after)
    whole = query.subquery()
    total = connection.execute(select(func.count()).select_from(whole)).scalar_one()
    orders: Mapping[str, tuple[ColumnElement[Any], ...]] = {
        "worst": (whole.c.worst, whole.c.oldest.is_(None), whole.c.oldest),
        "oldest": (whole.c.oldest.is_(None), whole.c.oldest),
        "name": (),
        "heard": (whole.c.heard_at.is_not(None), whole.c.heard_at),
        "due": (whole.c.review_due.is_(None), whole.c.review_due),
    }
    place = max(0, min(wanted.page, MOST_PAGE) - 1) * PAGE
    rows = connection.execute(
        select(whole).order_by(*orders.get(wanted.sort, ()), whole.c.title, whole.c.site).limit(PAGE).offset(place)
    ).mappings()
    return tuple(Listed(**row) for row in rows), total


def every(
    connection: Connection,
    sees: ColumnElement[bool],
    wanted: Wanted,
    *,
    rules: Reviews,
    now: float,
    silent_after: float,
    most: int,
) -> tuple[Listed, ...]:
    """All households that are wanted, by name; at most `most`."""
    query = _listed(sees, wanted, rules=rules, now=now, silent_after=silent_after)
    rows = connection.execute(query.order_by(site.c.title, site.c.site).limit(most)).mappings()
    return tuple(Listed(**row) for row in rows)


def late(connection: Connection, sees: ColumnElement[bool], *, rules: Reviews, now: float) -> tuple[Late, ...]:
    """Households whose review is due (R40), the longest first; at most `MOST_LATE`."""
    last = _last_look()
    due = _due(last, rules)
    query = (
        select(site.c.site, site.c.title, due.label("review_due"))
        .join_from(site, home, home.c.site == site.c.site, isouter=True)
        .join(person, person.c.person_id == home.c.person_id, isouter=True)
        .join(last, last.c.site == site.c.site, isouter=True)
        .where(sees, due <= now)
        .order_by(due, site.c.site)
        .limit(MOST_LATE)
    )
    return tuple(Late(**row) for row in connection.execute(query).mappings())


def _listed(
    sees: ColumnElement[bool], wanted: Wanted, *, rules: Reviews, now: float, silent_after: float
) -> Select[Any]:
    open_ = (
        select(
            finding.c.site,
            func.min(rank).label("worst"),
            func.count().label("waiting"),
            func.min(finding.c.raised_at).label("oldest"),
        )
        .where(waits)
        .group_by(finding.c.site)
        .subquery()
    )
    informs = (
        select(finding.c.site, func.count().label("number"))
        .where(finding.c.state == "open", waits_for_nobody)
        .group_by(finding.c.site)
        .subquery()
    )
    asked = (
        select(proposal.c.site, func.count().label("number"))
        .where(proposal.c.state == "open")
        .group_by(proposal.c.site)
        .subquery()
    )
    last = _last_look()
    due = _due(last, rules)
    return (
        select(
            site.c.site,
            site.c.title,
            site.c.status,
            site.c.heard_at,
            person.c.reference,
            person.c.name,
            person.c.risk,
            func.coalesce(open_.c.worst, NONE).label("worst"),
            func.coalesce(open_.c.waiting, 0).label("waiting"),
            open_.c.oldest,
            func.coalesce(informs.c.number, 0).label("informs"),
            func.coalesce(asked.c.number, 0).label("questions"),
            due.label("review_due"),
        )
        .join_from(site, home, home.c.site == site.c.site, isouter=True)
        .join(person, person.c.person_id == home.c.person_id, isouter=True)
        .join(open_, open_.c.site == site.c.site, isouter=True)
        .join(informs, informs.c.site == site.c.site, isouter=True)
        .join(asked, asked.c.site == site.c.site, isouter=True)
        .join(last, last.c.site == site.c.site, isouter=True)
        .where(sees, *_narrowed(wanted, open_.c.worst, due, now=now, silent_after=silent_after))
    )


def _narrowed(
    wanted: Wanted, worst: ColumnElement[Any], due: ColumnElement[Any], *, now: float, silent_after: float
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.text:
        found.append(named(wanted.text))
    if wanted.severity:
        places = {severity.value: place for place, severity in enumerate(Severity)}
        found.append(worst <= places[wanted.severity] if wanted.severity in places else false())
    if wanted.standing:
        of_site = device.c.site == site.c.site
        found.append(exists().where(of_site, device.c.standing == wanted.standing, device.c.merged_into.is_(None)))
    if wanted.risk is not None:
        found.append(func.coalesce(person.c.risk, "") == wanted.risk)
    if wanted.officer:
        lasts = and_(assignment.c.since <= now, or_(assignment.c.until.is_(None), assignment.c.until > now))
        mine = and_(assignment.c.site == site.c.site, assignment.c.account_id == wanted.officer)
        found.append(exists().where(mine, lasts))
    if wanted.silent:
        gone = site.c.status["online"].as_boolean().is_(False)
        found.append(or_(site.c.heard_at.is_(None), site.c.heard_at < now - silent_after, gone))
    if wanted.due:
        found.append(due <= now)
    if wanted.ending:
        kinds = (FindingKind.AUTHORITY_ENDING.value, FindingKind.REVIEW_DUE.value)
        found.append(
            exists().where(finding.c.site == site.c.site, finding.c.state == "open", finding.c.kind.in_(kinds))
        )
    return found


def named(text: str) -> ColumnElement[bool]:
    """Condition on `site`, with `person` joined: the text is part of one of its names or references."""
    like = f"%{_escaped(text.lower())}%"
    columns = (site.c.title, site.c.site, person.c.reference, person.c.name)
    return or_(*(func.lower(column).like(like, escape="\\") for column in columns))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _last_look() -> Any:
    return (
        select(review_act.c.site, func.max(review_act.c.at).label("at"))
        .where(review_act.c.finding_id == HOUSEHOLD)
        .group_by(review_act.c.site)
        .subquery()
    )


def _due(last: Any, rules: Reviews) -> ColumnElement[Any]:
    """When a household is to be looked through again: as the person's own interval, or as the risk says."""
    by_risk = case(
        {"low": rules.low, "medium": rules.medium, "high": rules.high, "very-high": rules.very_high},
        value=func.coalesce(person.c.risk, ""),
        else_=rules.unassessed,
    )
    days = func.coalesce(person.c.review_days, by_risk)
    return func.coalesce(last.c.at, home.c.since) + days * literal(DAY)
