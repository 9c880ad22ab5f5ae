"""What was looked at and decided about each finding, by whom, when and why; and what nobody has looked at yet (R37).

In: an open SQLAlchemy connection, plain values, and `sees`: a condition on `schema.site`, of the households that
whoever asks may see. Out: frozen rows. Every finding waits for a person unless it is for information alone; that the
box closed it is no look. What writes is `dashboard.store.reviewing`. Bounded: `MOST_HISTORY` acts of a finding are read,
lists have at most `MOST_LISTED` rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal_column, or_, select

from dashboard.store.outcomes import WAITING, State
from dashboard.store.queries import rank, waits_for_nobody
from dashboard.store.schema import account, command, finding, review, review_act, site

MOST_HISTORY = 50
MOST_LISTED = 100
MOST_TOGETHER = 500
MOST_EARLIER = 10
HOUSEHOLD = ""
"""Stands in the place of a finding's id where a household as a whole was looked through (R40)."""
FAILED = ("unsent", "unanswered", "lapsed", "disagreed", "taken-back", "refused", "expired", "out-of-sequence")
"""States of a command after which what it was to do has not happened."""

waits: ColumnElement[bool] = and_(finding.c.looked_at.is_(None), ~waits_for_nobody)
"""Findings that nobody has decided about yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """How a finding's review stands."""

    finding_id: str
    version: int
    state: str
    action: str
    outcome: str | None
    reason: str
    by: str
    by_name: str
    at: float
    follow_up_at: float | None
    referred_to: str | None
    referred_name: str | None
    purpose: str | None
    exculpatory: str | None
    heading: str | None
    severity: str
    revision: int
    command_state: str | None
    """Of what was asked of the box in the same act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of a finding's history."""

    version: int
    act: str
    action: str
    outcome: str | None
    reason: str
    by_name: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreviewed:
    """How much nobody has looked at, and since when the oldest waits (Unix seconds; None if nothing does)."""

    number: int
    oldest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A decided finding that something is still to come of."""

    site: str
    title: str
    finding_id: str
    kind: str
    severity: str
    state: str
    action: str
    reason: str
    by: str
    by_name: str
    at: float
    follow_up_at: float | None
    referred_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A finding that the box closed before anybody looked at it."""

    finding_id: str
    kind: str
    severity: str
    device_id: str | None
    raised_at: float
    payload: dict[str, Any]


def review_of(connection: Connection, site_id: str, finding_id: str) -> Review | None:
    """How a finding's review stands; None while nobody has said anything."""
    return reviews_of(connection, site_id, [finding_id]).get(finding_id)


def reviews_of(connection: Connection, site_id: str, ids: Collection[str]) -> dict[str, Review]:
    """How the reviews of these findings of a household stand; one statement, at most `MOST_TOGETHER`."""
    other = account.alias("other")
    query = (
        select(
            *(review.c[name] for name in _OF_REVIEW),
            func.coalesce(account.c.name, review.c.by).label("by_name"),
            other.c.name.label("referred_name"),
            command.c.state.label("command_state"),
        )
        .join_from(review, account, account.c.account_id == review.c.by, isouter=True)
        .join(other, other.c.account_id == review.c.referred_to, isouter=True)
        .join(command, command.c.command_id == review.c.command_id, isouter=True)
        .where(review.c.site == site_id, review.c.finding_id.in_(sorted(ids)[:MOST_TOGETHER]))
    )
    return {row["finding_id"]: Review(**row) for row in connection.execute(query).mappings()}


def history_of(connection: Connection, site_id: str, finding_id: str = HOUSEHOLD) -> tuple[Act, ...]:
    """Acts about a finding, or about a household as a whole, newest first; at most `MOST_HISTORY`."""
    query = (
        select(
            *(review_act.c[name] for name in ("version", "act", "action", "outcome", "reason", "at")),
            func.coalesce(account.c.name, review_act.c.by).label("by_name"),
        )
        .join_from(review_act, account, account.c.account_id == review_act.c.by, isouter=True)
        .where(review_act.c.site == site_id, review_act.c.finding_id == finding_id)
        .order_by(review_act.c.version.desc())
        .limit(MOST_HISTORY)
    )
    return tuple(Act(**row) for row in connection.execute(query).mappings())


def looked_through(connection: Connection, sees: ColumnElement[bool]) -> dict[str, float]:
    """When each household was last looked through as a whole, by household."""
    query = (
        select(review_act.c.site, func.max(review_act.c.at))
        .join(site, site.c.site == review_act.c.site)
        .where(sees, review_act.c.finding_id == HOUSEHOLD)
        .group_by(review_act.c.site)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def unreviewed(connection: Connection, sees: ColumnElement[bool]) -> Unreviewed:
    """How much nobody has looked at, over all households that are seen."""
    query = (
        select(func.count(), func.min(finding.c.raised_at))
        .select_from(finding.join(site, site.c.site == finding.c.site))
        .where(sees, waits)
    )
    row = connection.execute(query).one()
    return Unreviewed(number=row[0], oldest=row[1])


def unreviewed_by_site(connection: Connection, sees: ColumnElement[bool]) -> dict[str, Unreviewed]:
    """The same by household that has any."""
    query = (
        select(finding.c.site, func.count(), func.min(finding.c.raised_at))
        .join(site, site.c.site == finding.c.site)
        .where(sees, waits)
        .group_by(finding.c.site)
    )
    return {row[0]: Unreviewed(number=row[1], oldest=row[2]) for row in connection.execute(query)}


def raised_since(connection: Connection, sees: ColumnElement[bool], since: float) -> int:
    """How many findings that wait for a person were raised since then: what the budget of items is compared with."""
    query = (
        select(func.count())
        # Said so that SQLite goes by the day and not by the household: a day is few, and it would read all there are.
        .select_from(finding.join(site, site.c.site == finding.c.site + literal_column("''")))
        .where(sees, finding.c.raised_at >= since, ~waits_for_nobody)
    )
    return connection.execute(query).scalar_one()


def due(
    connection: Connection, sees: ColumnElement[bool], *, account_id: str, now: float, referred_before: float
) -> tuple[Due, ...]:
    """What comes back: follow-ups whose day has come, what was referred to the account, what wants a second look.

    And what was referred to anybody before `referred_before`: whoever was asked may be away, or in charge no more. And
    decisions whose command did not reach the box, or that it refused, while the finding is still open. Worst first,
    then oldest; at most `MOST_LISTED`.
    """
    others = and_(review.c.state == State.REFERRED, review.c.referred_to != account_id)
    for_me = or_(review.c.referred_to == account_id, review.c.at <= referred_before)
    not_done = and_(review.c.state == State.SETTLED, command.c.state.in_(FAILED), finding.c.state == "open")
    mine = or_(
        and_(review.c.state == State.FOLLOW_UP, review.c.follow_up_at <= now),
        and_(review.c.state == State.REFERRED, for_me),
        and_(review.c.state == State.SECOND, review.c.by != account_id),
        not_done,
    )
    query = (
        select(
            review.c.site,
            site.c.title,
            review.c.finding_id,
            finding.c.kind,
            finding.c.severity,
            case((not_done, "not-done"), (others, "unanswered"), else_=review.c.state).label("state"),
            review.c.action,
            review.c.reason,
            review.c.by,
            func.coalesce(account.c.name, review.c.by).label("by_name"),
            review.c.at,
            review.c.follow_up_at,
            review.c.referred_to,
        )
        .join_from(review, site, site.c.site == review.c.site)
        .join(finding, and_(finding.c.site == review.c.site, finding.c.finding_id == review.c.finding_id))
        .join(account, account.c.account_id == review.c.by, isouter=True)
        .join(command, command.c.command_id == review.c.command_id, isouter=True)
        .where(sees, or_(review.c.state.in_(WAITING), review.c.command_id.is_not(None)), mine)
        .order_by(rank, review.c.at, review.c.site, review.c.finding_id)
        .limit(MOST_LISTED)
    )
    return tuple(Due(**row) for row in connection.execute(query).mappings())


def unseen(connection: Connection, site_id: str) -> tuple[Unseen, ...]:
    """Findings of a household that the box closed before anybody looked, the oldest first; at most `MOST_LISTED`."""
    query = (
        select(
            finding.c.finding_id,
            finding.c.kind,
            finding.c.severity,
            finding.c.device_id,
            finding.c.raised_at,
            finding.c.payload,
        )
        .where(finding.c.site == site_id, finding.c.state != "open", waits)
        .order_by(rank, finding.c.raised_at, finding.c.finding_id)
        .limit(MOST_LISTED)
    )
    return tuple(Unseen(**row) for row in connection.execute(query).mappings())


def unseen_by_site(connection: Connection, sees: ColumnElement[bool]) -> tuple[tuple[str, str, int, float], ...]:
    """Households with such findings: household, title, how many, since when the oldest; the worst and oldest first.

    At most `MOST_LISTED`.
    """
    query = (
        select(finding.c.site, site.c.title, func.count(), func.min(finding.c.raised_at))
        .join(site, site.c.site == finding.c.site)
        .where(sees, finding.c.state != "open", waits)
        .group_by(finding.c.site, site.c.title)
        .order_by(func.min(rank), func.min(finding.c.raised_at), finding.c.site)
        .limit(MOST_LISTED)
    )
    return tuple((row[0], row[1], row[2], row[3]) for row in connection.execute(query))


def earlier(
    connection: Connection, site_id: str, *, kind: str, device_id: str | None, without: str
) -> tuple[tuple[str, float, str | None, str | None], ...]:
    """Earlier findings of a kind in a household, of the same device first: id, last seen, action, outcome.

    Newest first; at most `MOST_EARLIER`.
    """
    same = case((finding.c.device_id == device_id, 0), else_=1)
    query = (
        select(finding.c.finding_id, finding.c.last_seen, review.c.action, review.c.outcome)
        .join_from(
            finding,
            review,
            and_(review.c.site == finding.c.site, review.c.finding_id == finding.c.finding_id),
            isouter=True,
        )
        .where(finding.c.site == site_id, finding.c.kind == kind, finding.c.finding_id != without)
        .order_by(same, finding.c.last_seen.desc(), finding.c.finding_id)
        .limit(MOST_EARLIER)
    )
    return tuple((row[0], row[1], row[2], row[3]) for row in connection.execute(query))


def place_of(connection: Connection, token: str) -> tuple[str, str] | None:
    """Household and finding of the act of a form; None where no form of a review had that token."""
    query = select(review_act.c.site, review_act.c.finding_id).where(
        review_act.c.token == token, review_act.c.finding_id != HOUSEHOLD
    )
    row = connection.execute(query.order_by(review_act.c.act_id).limit(1)).one_or_none()
    return None if row is None else (row[0], row[1])


def wrong_of_list(connection: Connection, list_id: str) -> int:
    """How often an officer said that an entry of a list was wrong or not relevant: what its owner is told (R30)."""
    return connection.execute(select(func.count()).where(review.c.list_id == list_id)).scalar_one()


_OF_REVIEW = (
    "finding_id",
    "version",
    "state",
    "action",
    "outcome",
    "reason",
    "by",
    "at",
    "follow_up_at",
    "referred_to",
    "purpose",
    "exculpatory",
    "heading",
    "severity",
    "revision",
)
