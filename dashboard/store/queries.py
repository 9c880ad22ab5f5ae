"""What the pages read and write. Each function is one or two statements; every read has a most.

In: an open SQLAlchemy connection and plain values. Out: frozen rows. Writers are to be called inside
a transaction (`engine.begin()`), so that an act and its line in the audit commit together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, false, func, insert, literal_column, or_, select, true

from dashboard.store.chain import chained, last_digest
from dashboard.store.schema import account, audit, command, event, finding, site
from wire.findings import Severity

MOST_SITES = 1000
MOST_OPEN_SHOWN = 100
MOST_INFORMS_SHOWN = 50
MOST_CLOSED_SHOWN = 20
MOST_SAME = 10
MOST_COMMANDS_SHOWN = 10
MOST_ABOUT_SHOWN = 20
MOST_ANSWERS = 200

rank = case({severity: place for place, severity in enumerate(Severity)}, value=finding.c.severity, else_=9)
"""Worst first; a severity of a later version last."""
waits_for_nobody: ColumnElement[bool] = finding.c.severity == literal_column(f"'{Severity.INFORMATION.value}'")
"""Findings for information alone. Said as the index of what waits says it: no parameter, or it would not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A row of `site`."""

    site: str
    title: str
    status: dict[str, Any] | None
    status_at: float | None
    heard_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxHeard:
    """Whether a box is there: of a row of `site` what is about nobody."""

    site: str
    heard_at: float | None
    online: bool | None
    """As it last said, or the broker for it; None where it has said nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """A whole finding."""

    finding_id: str
    kind: str
    severity: str
    device_id: str | None
    cause: str | None
    state: str
    first_seen: float
    last_seen: float
    raised_at: float
    stored_at: float
    count: int
    payload: dict[str, Any]
    looked_at: float | None = None
    """When somebody decided about it; None while it waits for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCount:
    """How many findings of a household are open."""

    waiting: int
    """For a decision."""
    decided: int
    informs: int
    """For information alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCommand:
    """A command and who asked."""

    command_id: str
    site: str
    device_id: str | None
    proposal_id: str | None
    finding_id: str | None
    body: dict[str, Any]
    reason: str
    by: str
    by_name: str
    created_at: float
    expires_at: float
    state: str
    detail: str
    answered_at: float | None
    second: str | None
    """Another account, that agreed or refused."""
    seconded_at: float | None
    second_reason: str | None
    break_glass: bool | None
    reviewed_by: str | None
    reviewed_at: float | None
    review_note: str | None


def households(
    connection: Connection, tenant: str, *, within: ColumnElement[bool] | None = None
) -> tuple[Household, ...]:
    """Households of a tenant by title, of those `within` (`charge.sees`); at most `MOST_SITES`."""
    rows = connection.execute(
        _households(tenant, within).order_by(site.c.title, site.c.site).limit(MOST_SITES)
    ).mappings()
    return tuple(Household(**row) for row in rows)


def boxes(connection: Connection, tenant: str, *, within: ColumnElement[bool] | None = None) -> tuple[BoxHeard, ...]:
    """Boxes of a tenant by their ids, of those `within`; at most `MOST_SITES`.

    Of what each said the database reads the one word: to read and take apart a thousand whole took longer than the page.
    """
    rows = connection.execute(
        select(site.c.site, site.c.heard_at, site.c.status["online"].as_boolean())
        .where(site.c.tenant == tenant, in_scope(within))
        .order_by(site.c.site)
        .limit(MOST_SITES)
    )
    return tuple(BoxHeard(site=row[0], heard_at=row[1], online=row[2]) for row in rows)


def households_to_name(
    connection: Connection,
    tenant: str,
    *,
    sites: Collection[str],
    silent_since: float,
    within: ColumnElement[bool] | None = None,
) -> tuple[Household, ...]:
    """As `households`, but of those whose box is not there or records nothing, and of `sites`.

    What is well is most of them, and a status is the largest thing that is read of it.
    """
    unwell = or_(
        site.c.heard_at.is_(None),
        site.c.heard_at < silent_since,
        site.c.status["online"].as_boolean().is_(False),
        func.coalesce(site.c.status["recording"].as_boolean(), false()).is_(False),
    )
    query = _households(tenant, within).where(or_(unwell, site.c.site.in_(sorted(sites))))
    rows = connection.execute(query.order_by(site.c.title, site.c.site).limit(MOST_SITES)).mappings()
    return tuple(Household(**row) for row in rows)


def count_households(connection: Connection, tenant: str, *, within: ColumnElement[bool] | None = None) -> int:
    """How many households a tenant has, of those `within`."""
    query = select(func.count()).select_from(site).where(site.c.tenant == tenant, in_scope(within))
    return connection.execute(query).scalar_one()


def household(
    connection: Connection, tenant: str, site_id: str, *, within: ColumnElement[bool] | None = None
) -> Household | None:
    """One household, if the tenant has it, and it is `within`."""
    row = connection.execute(_households(tenant, within).where(site.c.site == site_id)).mappings().one_or_none()
    return None if row is None else Household(**row)


def findings_of(
    connection: Connection, site_id: str, *, state: str, limit: int, informs: bool | None = None
) -> tuple[StoredFinding, ...]:
    """Findings of a household in one state: open ones undecided, worst and oldest first, closed ones newest first.

    With `informs` only those that are (or are not) for information alone.
    """
    order: tuple[ColumnElement[Any], ...] = (finding.c.last_seen.desc(), finding.c.raised_at)
    if state == "open":
        # What waits is not behind what was decided, of which there may be more than is read.
        order = (finding.c.looked_at.is_not(None), rank, finding.c.raised_at)
    query = _findings().where(finding.c.site == site_id, finding.c.state == state)
    if informs is not None:
        query = query.where(_informs(informs=informs))
    rows = connection.execute(query.order_by(*order, finding.c.finding_id).limit(limit)).mappings()
    return tuple(StoredFinding(**row) for row in rows)


def count_open(connection: Connection, site_id: str) -> OpenCount:
    """How much is open in a household."""
    query = select(
        func.count().filter(~waits_for_nobody, finding.c.looked_at.is_(None)).label("waiting"),
        func.count().filter(~waits_for_nobody, finding.c.looked_at.is_not(None)).label("decided"),
        func.count().filter(waits_for_nobody).label("informs"),
    ).where(finding.c.site == site_id, finding.c.state == "open")
    return OpenCount(**connection.execute(query).mappings().one())


def same_cause(connection: Connection, site_id: str, row: StoredFinding) -> tuple[StoredFinding, ...]:
    """Other open findings of a finding's cause, worst and oldest first; at most `MOST_SAME`."""
    if row.cause is None:
        return ()
    query = _findings().where(
        finding.c.site == site_id,
        finding.c.state == "open",
        finding.c.cause == row.cause,
        finding.c.finding_id != row.finding_id,
    )
    rows = connection.execute(query.order_by(rank, finding.c.raised_at, finding.c.finding_id).limit(MOST_SAME))
    return tuple(StoredFinding(**found) for found in rows.mappings())


def count_unread(connection: Connection, site_id: str) -> int:
    """Events of a household that this version cannot read."""
    query = select(func.count()).where(event.c.site == site_id, event.c.unread.is_not(None))
    return connection.execute(query).scalar_one()


def count_about(connection: Connection, site_id: str, ids: Sequence[str]) -> int:
    """Findings about these devices."""
    query = select(func.count()).where(finding.c.site == site_id, finding.c.device_id.in_(sorted(ids)))
    return connection.execute(query).scalar_one()


def findings_about(connection: Connection, site_id: str, ids: Sequence[str]) -> tuple[StoredFinding, ...]:
    """Findings about these devices: open ones first, the worst of them, then the latest; at most `MOST_ABOUT_SHOWN`."""
    query = (
        _findings()
        .where(finding.c.site == site_id, finding.c.device_id.in_(sorted(ids)))
        .order_by(case((finding.c.state == "open", rank), else_=99), finding.c.last_seen.desc(), finding.c.finding_id)
        .limit(MOST_ABOUT_SHOWN)
    )
    return tuple(StoredFinding(**row) for row in connection.execute(query).mappings())


def finding_of(connection: Connection, site_id: str, finding_id: str) -> StoredFinding | None:
    """One finding of a household."""
    query = _findings().where(finding.c.site == site_id, finding.c.finding_id == finding_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else StoredFinding(**row)


def command_of(connection: Connection, tenant: str, command_id: str) -> StoredCommand | None:
    """One command, if it is of this tenant."""
    query = stored_commands().join(site, site.c.site == command.c.site)
    row = connection.execute(query.where(command.c.command_id == command_id, site.c.tenant == tenant))
    found = row.mappings().one_or_none()
    return None if found is None else StoredCommand(**found)


def command_state(connection: Connection, command_id: str) -> str | None:
    """Only the state: asked often while a page waits for the box."""
    return connection.execute(select(command.c.state).where(command.c.command_id == command_id)).scalar_one_or_none()


def commands_about(
    connection: Connection,
    site_id: str,
    ids: Sequence[str] = (),
    *,
    proposal_id: str | None = None,
    finding_id: str | None = None,
    arranging: bool = False,
) -> tuple[StoredCommand, ...]:
    """Latest commands about these devices or asked from this finding, or about a proposal, or about none; newest first.

    With `arranging`, those about no device and those asked from any finding: what is arranged with the box.
    """
    about: ColumnElement[bool] = command.c.device_id.in_(sorted(ids)) if ids else command.c.device_id.is_(None)
    if finding_id is not None:
        asked_here = command.c.finding_id == finding_id
        about = or_(about, asked_here) if ids else asked_here
    if arranging:
        about = or_(about, command.c.finding_id.is_not(None))
    if proposal_id is not None:
        about = command.c.proposal_id == proposal_id
    query = (
        stored_commands()
        .where(command.c.site == site_id, about)
        .order_by(command.c.created_at.desc())
        .limit(MOST_COMMANDS_SHOWN)
    )
    return tuple(StoredCommand(**row) for row in connection.execute(query).mappings())


def answers_to(connection: Connection, site_id: str, proposals: Sequence[str]) -> dict[str, StoredCommand]:
    """The latest command about each of these proposals, by the proposal; at most `MOST_ANSWERS` are looked at."""
    query = (
        stored_commands()
        .where(command.c.site == site_id, command.c.proposal_id.in_(sorted(proposals)))
        .order_by(command.c.created_at.desc())
        .limit(MOST_ANSWERS)
    )
    found: dict[str, StoredCommand] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["proposal_id"], StoredCommand(**row))
    return found


def write_audit(
    connection: Connection, *, at: float, account_id: str | None, action: str, subject: str, outcome: str
) -> None:
    """Add a line to the audit, chained to the one before."""
    action, subject, outcome = action[:60], subject[:160], outcome[:20]
    digest = chained(
        last_digest(connection), at=at, account_id=account_id, action=action, subject=subject, outcome=outcome
    )
    connection.execute(
        insert(audit).values(
            at=at, account_id=account_id, action=action, subject=subject, outcome=outcome, digest=digest
        )
    )


def _informs(*, informs: bool) -> ColumnElement[bool]:
    return waits_for_nobody if informs else ~waits_for_nobody


def in_scope(within: ColumnElement[bool] | None) -> ColumnElement[bool]:
    """The condition as it is, or one that always holds, for reads that are nobody's."""
    return true() if within is None else within


def _households(tenant: str, within: ColumnElement[bool] | None) -> Select[Any]:
    return select(site.c.site, site.c.title, site.c.status, site.c.status_at, site.c.heard_at).where(
        site.c.tenant == tenant, in_scope(within)
    )


def _findings() -> Select[Any]:
    return select(
        finding.c.finding_id,
        finding.c.kind,
        finding.c.severity,
        finding.c.device_id,
        finding.c.cause,
        finding.c.state,
        finding.c.first_seen,
        finding.c.last_seen,
        finding.c.raised_at,
        finding.c.stored_at,
        finding.c["count"].label("count"),
        finding.c.payload,
        finding.c.looked_at,
    )


def stored_commands() -> Select[Any]:
    """Commands with who asked, to be narrowed down."""
    return select(
        command.c.command_id,
        command.c.site,
        command.c.device_id,
        command.c.proposal_id,
        command.c.finding_id,
        command.c.body,
        command.c.reason,
        command.c.by,
        account.c.name.label("by_name"),
        command.c.created_at,
        command.c.expires_at,
        command.c.state,
        command.c.detail,
        command.c.answered_at,
        command.c.second,
        command.c.seconded_at,
        command.c.second_reason,
        command.c.break_glass,
        command.c.reviewed_by,
        command.c.reviewed_at,
        command.c.review_note,
    ).join(account, account.c.account_id == command.c.by)
