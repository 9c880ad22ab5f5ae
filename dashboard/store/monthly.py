"""The monthly return: what was counted in a month of the local calendar, kept as it was counted (R49, R50).

In: an open connection, the tenant, the month's bounds. Out: numbers by a closed set of keys, and by words that officers
chose. What came of supervision is an officer's entry alone; nothing that a box says ends up among outcomes. A return
that was kept comes out the same later, whatever was erased meanwhile; its digest says so. Twelve statements.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from dashboard.store.queries import write_audit
from dashboard.store.schema import (
    account,
    alert,
    assignment,
    device,
    finding,
    install,
    monthly_return,
    outcome,
    review_act,
    site,
    visit,
)
from dashboard.store.schema import review as reviewed
from wire.findings import Severity

MOST_LISTED = 50
PURPOSES = ("prevention", "detection")

Counts = Mapping[str, Mapping[str, int]]
"""By part of the return: numbers by key or word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A return that was kept."""

    counts: Counts
    made_at: float
    digest: str
    intact: bool
    """The digest is that of the counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an officer entered about a household."""

    outcome_id: str
    day: str
    word: str
    purpose: str
    by_name: str
    made_at: float
    taken_back_at: float | None


def count(connection: Connection, tenant: str, *, month: str, since: float, until: float) -> Counts:
    """Count a month; `since` and `until` are its bounds in Unix seconds, `month` is written YYYY-MM."""
    mine = site.c.tenant == tenant

    def number(query: ColumnElement[int], *where: ColumnElement[bool], of: object) -> int:
        joined = select(query).select_from(of).where(mine, *where)  # type: ignore[arg-type]
        return int(connection.execute(joined).scalar_one())

    def between(column: ColumnElement[float]) -> ColumnElement[bool]:
        return and_(column >= since, column < until)

    held = and_(assignment.c.since < until, or_(assignment.c.until.is_(None), assignment.c.until >= since))
    homes = number(
        func.count(assignment.c.site.distinct()), held, of=assignment.join(site, site.c.site == assignment.c.site)
    )
    seen = and_(device.c.first_seen < until, device.c.last_seen >= since, device.c.merged_into.is_(None))
    devices = number(func.count(), seen, of=device.join(site, site.c.site == device.c.site))
    new = number(
        func.count(),
        between(device.c.first_seen),
        device.c.merged_into.is_(None),
        of=device.join(site, site.c.site == device.c.site),
    )
    decided = review_act.join(site, site.c.site == review_act.c.site)
    return {
        "homes": {"in-charge": homes},
        "devices": {"seen": devices, "new": new},
        "findings": _by(
            connection,
            select(finding.c.severity, func.count())
            .join(site, site.c.site == finding.c.site)
            .where(mine, between(finding.c.raised_at)),
            finding.c.severity,
            tuple(item.value for item in Severity),
        ),
        "alerts": {
            "told": number(func.count(), between(alert.c.opened_at), of=alert.join(site, site.c.site == alert.c.site)),
            "answered": number(
                func.count(),
                between(alert.c.opened_at),
                alert.c.acknowledged_at.is_not(None),
                of=alert.join(site, site.c.site == alert.c.site),
            ),
        },
        "reviews": {
            "decided": number(func.count(), between(review_act.c.at), review_act.c.act == "decide", of=decided),
            "second": number(
                func.count(), between(review_act.c.at), review_act.c.act.in_(["agree", "disagree"]), of=decided
            ),
        },
        "purposes": _by(
            connection,
            select(reviewed.c.purpose, func.count())
            .join(site, site.c.site == reviewed.c.site)
            .where(mine, between(reviewed.c.at), reviewed.c.purpose.in_(PURPOSES)),
            reviewed.c.purpose,
            PURPOSES,
        ),
        "visits": _by(
            connection,
            select(visit.c.outcome, func.count())
            .join(site, site.c.site == visit.c.site)
            .where(mine, between(visit.c.signed_at)),
            visit.c.outcome,
        ),
        "installs": _by(
            connection,
            select(install.c.kind, func.count()).where(install.c.tenant == tenant, between(install.c.signed_at)),
            install.c.kind,
            ("install", "removal"),
        ),
        "outcomes": _by(
            connection,
            select(outcome.c.word, func.count())
            .join(site, site.c.site == outcome.c.site)
            .where(mine, outcome.c.day.startswith(f"{month}-"), outcome.c.taken_back_at.is_(None)),
            outcome.c.word,
        ),
        "outcome-purposes": _by(
            connection,
            select(outcome.c.purpose, func.count())
            .join(site, site.c.site == outcome.c.site)
            .where(mine, outcome.c.day.startswith(f"{month}-"), outcome.c.taken_back_at.is_(None)),
            outcome.c.purpose,
            PURPOSES,
        ),
    }


def kept(connection: Connection, tenant: str, month: str) -> Kept | None:
    """The return of a month as it was kept."""
    query = select(monthly_return).where(monthly_return.c.tenant == tenant, monthly_return.c.month == month)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Kept(counts=row.counts, made_at=row.made_at, digest=row.digest, intact=digest(row.counts) == row.digest)


def keep(connection: Connection, tenant: str, month: str, counts: Counts, *, by: str | None, now: float) -> None:
    """Keep a return; one that is kept already stays as it is. To be called inside a transaction."""
    if kept(connection, tenant, month) is not None:
        return
    values = {name: dict(part) for name, part in counts.items()}
    connection.execute(
        insert(monthly_return).values(tenant=tenant, month=month, counts=values, made_at=now, digest=digest(counts))
    )
    write_audit(
        connection, at=now, account_id=by, action="keep-return", subject=f"{month} {digest(counts)}", outcome="done"
    )


def digest(counts: Counts) -> str:
    """SHA-256 (hexadecimal) of the counts as sorted JSON."""
    text = json.dumps({name: dict(part) for name, part in counts.items()}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def enter(
    connection: Connection,
    *,
    outcome_id: str,
    site_id: str,
    day: str,
    word: str,
    purpose: str,
    by: str,
    now: float,
) -> bool:
    """Store what an officer entered; False where the form was sent before. To be called inside a transaction."""
    if connection.execute(select(outcome.c.outcome_id).where(outcome.c.outcome_id == outcome_id)).first():
        return False
    connection.execute(
        insert(outcome).values(
            outcome_id=outcome_id, site=site_id, day=day, word=word, purpose=purpose, by=by, made_at=now
        )
    )
    write_audit(
        connection, at=now, account_id=by, action="enter-outcome", subject=f"{site_id}/{outcome_id}", outcome="done"
    )
    return True


def take_back(connection: Connection, *, site_id: str, outcome_id: str, by: str, now: float) -> bool:
    """Take an entry back; it stays, and counts no more. To be called inside a transaction."""
    which = and_(outcome.c.site == site_id, outcome.c.outcome_id == outcome_id, outcome.c.taken_back_at.is_(None))
    done = connection.execute(update(outcome).where(which).values(taken_back_at=now)).rowcount == 1
    if done:
        write_audit(
            connection,
            at=now,
            account_id=by,
            action="take-back-outcome",
            subject=f"{site_id}/{outcome_id}",
            outcome="done",
        )
    return done


def entries_of(connection: Connection, site_id: str) -> tuple[Entry, ...]:
    """What was entered about a household, newest first; at most `MOST_LISTED`."""
    query = (
        select(
            outcome.c.outcome_id,
            outcome.c.day,
            outcome.c.word,
            outcome.c.purpose,
            func.coalesce(account.c.name, outcome.c.by).label("by_name"),
            outcome.c.made_at,
            outcome.c.taken_back_at,
        )
        .join(account, account.c.account_id == outcome.c.by, isouter=True)
        .where(outcome.c.site == site_id)
        .order_by(outcome.c.day.desc(), outcome.c.made_at.desc())
        .limit(MOST_LISTED)
    )
    return tuple(Entry(**row) for row in connection.execute(query).mappings())


def new_id() -> str:
    """Id of an entry that is yet to be made; put into its form."""
    return secrets.token_hex(16)


def _by(connection: Connection, query: object, column: object, keys: tuple[str, ...] = ()) -> dict[str, int]:
    rows = connection.execute(query.group_by(column).order_by(column))  # type: ignore[attr-defined]
    return dict.fromkeys(keys, 0) | {str(row[0]): int(row[1]) for row in rows}
