"""Writing down what was decided about findings: one act at a time, each after the one that whoever acts had seen.

In: an open SQLAlchemy connection in a transaction, and what was decided. Out: a review's new version, a line of its
history and one of the audit, together. Of two that decide at once one is taken, the other is told (`ChangedError`). A
form sent twice is one act. Bounded: at most `MOST_TOGETHER` findings are decided about in one go. Reviews go with their
findings (`forget`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from dashboard.store import vouched
from dashboard.store.outcomes import WRONG_HERE, Action, Heading, Outcome, Purpose, State
from dashboard.store.queries import write_audit
from dashboard.store.reviews import HOUSEHOLD, MOST_TOGETHER, review_of, waits
from dashboard.store.schema import finding, review, review_act


class ChangedError(ValueError):
    """Somebody else decided since the page was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What somebody decided."""

    action: Action
    reason: str
    outcome: Outcome | None = None
    follow_up_at: float | None = None
    """When it is to come back."""
    referred_to: str | None = None
    """An account's id."""
    second: bool = False
    """Whether somebody else is to look and agree."""
    purpose: Purpose | None = None
    exculpatory: str = ""
    heading: Heading | None = None
    command_id: str | None = None
    list_id: str | None = None
    """Of which list the finding is; counted where the outcome says that it was wrong."""

    @property
    def state(self) -> State:
        """How it stands then."""
        if self.second:
            return State.SECOND
        if self.action is Action.ASK:
            return State.FOLLOW_UP
        return State.REFERRED if self.action is Action.REFER else State.SETTLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Who acts, when, and what they had seen."""

    by: str
    """Account."""
    now: float
    """Unix seconds."""
    token: str
    """Of the form: sent twice it is one act."""
    seen: int = 0
    """Version of the review that the page showed; 0 for none."""


def decide(connection: Connection, site_id: str, finding_id: str, decided: Decided, given: Given) -> bool:
    """Write down a decision; false for a form that was sent before, which changes nothing.

    What is settled, or waits for a second person, is reopened before it is decided anew.

    Raises:
        ChangedError: there is a version that the page did not show; nothing was written.
        LookupError: there is no such finding.
    """
    if _sent(connection, given, [finding_id]):
        return False
    query = select(finding.c.severity, finding.c.revision, finding.c.looked_at).where(
        finding.c.site == site_id, finding.c.finding_id == finding_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise LookupError(finding_id)
    values = {
        "state": str(decided.state),
        "action": str(decided.action),
        "outcome": decided.outcome,
        "reason": decided.reason,
        "by": given.by,
        "at": given.now,
        "follow_up_at": decided.follow_up_at if decided.action is Action.ASK else None,
        "referred_to": decided.referred_to if decided.action is Action.REFER else None,
        "purpose": decided.purpose,
        "exculpatory": decided.exculpatory or None,
        "heading": decided.heading,
        "command_id": decided.command_id,
        "list_id": decided.list_id if decided.outcome in WRONG_HERE else None,
        "severity": row.severity,
        "revision": row.revision,
    }
    # What became worse, or came again, waits anew whatever was decided before.
    settled = () if row.looked_at is None else (State.SETTLED, State.SECOND)
    _act(connection, site_id, finding_id, values, given, act="decide", without=settled)
    _looked(connection, site_id, finding_id, given.now)
    _audit(connection, f"{site_id}/{finding_id}", given, "review-finding", str(decided.action))
    return True


def second(connection: Connection, site_id: str, finding_id: str, given: Given, *, agrees: bool, reason: str) -> bool:
    """Agree to what somebody else decided, or not: then it waits for a decision again. False for a form sent before.

    Raises:
        ChangedError: it is not for this account to say, or not any more.
    """
    if _sent(connection, given, [finding_id]):
        return False
    before = review_of(connection, site_id, finding_id)
    if before is None or before.state != State.SECOND or before.by == given.by:
        raise ChangedError
    if agrees and not vouched.are_apart(connection, before.by, given.by, given.now):
        raise ChangedError
    state = State.REOPENED
    if agrees:
        # What was asked in the first place is still to come: an answer of the person, or of the account it was given to.
        state = {Action.ASK: State.FOLLOW_UP, Action.REFER: State.REFERRED}.get(Action(before.action), State.SETTLED)
    act = "agree" if agrees else "disagree"
    _act(connection, site_id, finding_id, {"state": str(state)}, given, act=act, reason=reason)
    if not agrees:
        _looked(connection, site_id, finding_id, None)
    _audit(connection, f"{site_id}/{finding_id}", given, "second-review", f"{act}d")
    return True


def reopen(connection: Connection, site_id: str, finding_id: str, given: Given, *, reason: str) -> bool:
    """Let a finding wait for a decision again; false for a form sent before.

    Raises:
        ChangedError: somebody else acted, or nothing was decided yet.
    """
    if _sent(connection, given, [finding_id]):
        return False
    if given.seen < 1:
        raise ChangedError
    _act(connection, site_id, finding_id, {"state": str(State.REOPENED)}, given, act="reopen", reason=reason)
    _looked(connection, site_id, finding_id, None)
    _audit(connection, f"{site_id}/{finding_id}", given, "reopen-review", "reopened")
    return True


def decide_alike(
    connection: Connection,
    site_id: str,
    ids: Sequence[str],
    decided: Decided,
    given: Given,
    *,
    needs_second: tuple[Collection[str], Collection[str]] = ((), ()),
) -> int:
    """Decide about several findings that nobody has looked at, with one reason; how many.

    Of `ids` those that somebody has decided about meanwhile are left alone. At most `MOST_TOGETHER`; one line of audit
    for each. `needs_second`: kinds, and severities, about which somebody else has to agree; asked of each by itself, and
    each counts for its own list.
    """
    if _sent(connection, given, ids):
        return 0
    kinds, severities = needs_second
    of_finding = and_(review.c.site == finding.c.site, review.c.finding_id == finding.c.finding_id)
    rows = connection.execute(
        select(finding.c.finding_id, finding.c.kind, finding.c.severity, finding.c.payload, review.c.version)
        .join_from(finding, review, of_finding, isouter=True)
        .where(finding.c.site == site_id, finding.c.finding_id.in_(sorted(ids)[:MOST_TOGETHER]), waits)
    ).all()
    for row in rows:
        hit = row.payload.get("hit")
        one = replace(
            decided,
            second=decided.second or row.kind in kinds or row.severity in severities,
            list_id=str(hit.get("list_id"))[:64] if isinstance(hit, dict) else None,
        )
        decide(connection, site_id, row.finding_id, one, replace(given, seen=row.version or 0))
    return len(rows)


def look_through(connection: Connection, site_id: str, given: Given, *, reason: str) -> bool:
    """Write down that a household as a whole was looked through (R40); false for a form sent before."""
    if _sent(connection, given, [HOUSEHOLD]):
        return False
    latest = select(func.max(review_act.c.version)).where(
        review_act.c.site == site_id, review_act.c.finding_id == HOUSEHOLD
    )
    version = (connection.execute(latest).scalar_one() or 0) + 1
    _add(
        connection, site_id, HOUSEHOLD, replace(given, seen=version - 1), act="look", action=Action.NONE, reason=reason
    )
    write_audit(
        connection,
        at=given.now,
        account_id=given.by,
        action="review-household",
        subject=site_id,
        outcome="looked",
    )
    return True


def forget(connection: Connection, site_id: str) -> int:
    """Erase reviews whose finding was erased; how many rows. That somebody looked stays in the audit."""
    gone = 0
    for table in (review, review_act):
        kept = exists().where(finding.c.site == table.c.site, finding.c.finding_id == table.c.finding_id)
        which = and_(table.c.site == site_id, table.c.finding_id != HOUSEHOLD, ~kept)
        gone += connection.execute(delete(table).where(which)).rowcount
    return gone


def _sent(connection: Connection, given: Given, ids: Sequence[str]) -> bool:
    query = select(review_act.c.act_id).where(
        review_act.c.token == given.token,
        review_act.c.by == given.by,
        review_act.c.finding_id.in_(sorted(ids)[:MOST_TOGETHER]),
    )
    return connection.execute(query.limit(1)).first() is not None


def _act(
    connection: Connection,
    site_id: str,
    finding_id: str,
    values: Mapping[str, Any],
    given: Given,
    *,
    act: str,
    reason: str | None = None,
    without: Sequence[State] = (),
) -> None:
    """Move the review on from the version that was seen, and add the act to its history."""
    same = and_(review.c.site == site_id, review.c.finding_id == finding_id)
    whole = {**values, "version": given.seen + 1}
    if given.seen == 0:
        try:
            with connection.begin_nested():
                connection.execute(insert(review).values(site=site_id, finding_id=finding_id, **whole))
        except IntegrityError:
            raise ChangedError from None
    else:
        seen = and_(same, review.c.version == given.seen, review.c.state.not_in(without))
        if not connection.execute(update(review).where(seen).values(**whole)).rowcount:
            raise ChangedError
    stands = connection.execute(select(review.c.action, review.c.outcome, review.c.reason).where(same)).one()
    said = stands.reason if reason is None else reason
    _add(connection, site_id, finding_id, given, act=act, action=stands.action, outcome=stands.outcome, reason=said)


def _add(
    connection: Connection,
    site_id: str,
    finding_id: str,
    given: Given,
    *,
    act: str,
    action: str,
    reason: str,
    outcome: str | None = None,
) -> None:
    connection.execute(
        insert(review_act).values(
            site=site_id,
            finding_id=finding_id,
            version=given.seen + 1,
            act=act,
            action=str(action),
            outcome=outcome,
            reason=reason,
            by=given.by,
            at=given.now,
            token=given.token,
        )
    )


def _looked(connection: Connection, site_id: str, finding_id: str, at: float | None) -> None:
    which = and_(finding.c.site == site_id, finding.c.finding_id == finding_id)
    connection.execute(update(finding).where(which).values(looked_at=at))


def _audit(connection: Connection, subject: str, given: Given, action: str, outcome: str) -> None:
    write_audit(connection, at=given.now, account_id=given.by, action=action, subject=subject, outcome=outcome)
