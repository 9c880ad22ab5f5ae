"""Findings that the server raises of itself: a box's silence, two accounts of one time.

In: what was found, and when. Out: rows of `finding` whose ids begin with `PREFIX`, which no box can write. A cause is
open once at a household: raising it again counts it, closing what is not open does nothing.
Bounded: a household's causes are the callers' closed set; reasons as the wire's model bounds them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from dashboard.store.schema import finding
from wire.findings import Finding, FindingKind, Rule, Severity

PREFIX = "srv-"
VERSION = "1"
_NO_AUTHORITY = "none"


def raise_own(
    connection: Connection,
    *,
    site: str,
    kind: FindingKind,
    cause: str,
    severity: Severity,
    reasons: Sequence[str],
    at: float,
    since: float | None = None,
    alternatives: Sequence[str] = (),
) -> str:
    """Raise a finding about a box, or count it again while it is open; returns its id.

    Args:
        connection: in a transaction that writes.
        site: the household.
        kind: what was found.
        cause: what tells one such finding from another, at most 64 characters.
        severity: how soon an officer should look.
        reasons: plain sentences.
        at: Unix seconds; now.
        since: Unix seconds of the first sign of it; `at` where nothing is older.
        alternatives: what else could explain it.
    """
    row = _open(connection, site, kind, cause)
    if row is not None:
        before = Finding.model_validate(row["payload"])
        again = before.model_copy(
            update={
                "revision": row["revision"] + 1,
                "count": row["count"] + 1,
                "last_seen": _time(at),
                "severity": severity,
                "reasons": tuple(reasons),
            }
        )
        _write(connection, site, again, at)
        return again.finding_id
    first = at if since is None else since
    fresh = Finding(
        finding_id=_new_id(kind, cause),
        revision=1,
        kind=kind,
        severity=severity,
        state="open",
        first_seen=_time(first),
        last_seen=_time(at),
        raised_at=_time(at),
        count=1,
        rule=Rule(id=kind.value, version=VERSION, authority_id=_NO_AUTHORITY, authority_number=1, clause=""),
        confidence=1.0,
        reasons=tuple(reasons),
        alternatives=tuple(alternatives),
        cause=cause[:64],
    )
    connection.execute(finding.insert().values(**_row(site, fresh, at)))
    return fresh.finding_id


def close_own(connection: Connection, *, site: str, kind: FindingKind, cause: str, because: str, at: float) -> bool:
    """Close an open finding of the server's; whether there was one."""
    row = _open(connection, site, kind, cause)
    if row is None:
        return False
    before = Finding.model_validate(row["payload"])
    closed = before.model_copy(
        update={"revision": row["revision"] + 1, "state": "closed", "closed_because": because, "last_seen": _time(at)}
    )
    _write(connection, site, closed, at)
    return True


def is_own(finding_id: str) -> bool:
    """Whether an id is one of the server's own, which no box may use."""
    return finding_id.startswith(PREFIX)


def _open(connection: Connection, site: str, kind: FindingKind, cause: str) -> dict[str, Any] | None:
    query = select(finding).where(
        finding.c.site == site,
        finding.c.kind == kind.value,
        finding.c.cause == cause[:64],
        finding.c.state == "open",
        finding.c.finding_id.startswith(PREFIX, autoescape=True),
    )
    row = connection.execute(query.order_by(finding.c.raised_at).limit(1)).mappings().first()
    return None if row is None else dict(row)


def _new_id(kind: FindingKind, cause: str) -> str:
    told = hashlib.sha256(f"{kind.value}/{cause}".encode()).hexdigest()[:12]
    return f"{PREFIX}{told}-{secrets.token_hex(6)}"


def _write(connection: Connection, site: str, changed: Finding, at: float) -> None:
    row = _row(site, changed, at)
    key = (finding.c.site == site) & (finding.c.finding_id == changed.finding_id)
    connection.execute(update(finding).where(key).values(**row))


def _row(site: str, found: Finding, at: float) -> dict[str, Any]:
    return {
        "site": site,
        "finding_id": found.finding_id,
        "revision": found.revision,
        "kind": found.kind.value,
        "severity": found.severity.value,
        "device_id": None,
        "cause": found.cause,
        "state": found.state,
        "first_seen": found.first_seen.timestamp(),
        "last_seen": found.last_seen.timestamp(),
        "raised_at": found.raised_at.timestamp(),
        "count": found.count,
        "payload": found.model_dump(mode="json", exclude_none=True),
        "stored_at": at,
    }


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
