"""Says when a box has not been heard of, and never because ingest itself was away (N15).

In: when each box was last heard of, since when ingest listens without a break, now. Out: findings of the server's own,
raised within `SILENT_SECONDS` and one round of the last word, closed when the box is heard again. Silence is said as
silence: a power cut, a fault of the provider and a pulled plug look the same from here. The broker's word that a
connection ended (last will) only shortens the wait.
Bounded: a round looks at `AT_ONCE` households each way; the rest is for the next one.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, insert, select, update

from dashboard.store.own import PREFIX, close_own, raise_own
from dashboard.store.schema import finding, site, watchman
from wire.findings import FindingKind, Severity

SILENT_SECONDS = 150.0
"""Two heartbeats of a minute and a half more; with a round of a few seconds this is below three minutes."""
GONE_SECONDS = 75.0
"""The same where the broker said that the connection ended: one heartbeat and a quarter."""
BREAK_SECONDS = 30.0
"""Ingest that has not said for so long that it listens has been away."""
AT_ONCE = 500
CAUSE = "silence"
_REASON = "Nothing has been heard of the box. What it recorded meanwhile comes when it reports again."
_GONE = "The broker said that the box's connection ended."
_BACK = "The box was heard again."
_ELSE = (
    "A power cut, or a plug that was needed for something else.",
    "A fault of the provider, or work on the line.",
    "A fault of the box.",
)


def listens_since(connection: Connection, *, tenant: str, now: float, online: bool) -> float | None:
    """Note that ingest listens, and say since when without a break; None while it does not."""
    if not online:
        return None
    row = connection.execute(select(watchman).where(watchman.c.tenant == tenant)).one_or_none()
    if row is None:
        connection.execute(insert(watchman).values(tenant=tenant, since=now, at=now))
        return now
    # A clock that was set counts as a break too: nobody is accused for it.
    broke = not 0 <= now - row.at <= BREAK_SECONDS
    since = now if broke else row.since
    connection.execute(update(watchman).where(watchman.c.tenant == tenant).values(since=since, at=now))
    return float(since)


def is_silent(*, heard_at: float | None, gone: bool, since: float, now: float, limit: float = SILENT_SECONDS) -> bool:
    """Whether a box is to be called silent; one that was never heard of is not."""
    if heard_at is None:
        return False
    least = min(limit, GONE_SECONDS) if gone else limit
    return now - max(heard_at, since) >= least


def watch(connection: Connection, *, tenant: str, since: float, now: float, limit: float = SILENT_SECONDS) -> int:
    """Raise and close findings about silence; how many were raised."""
    opened = and_(
        finding.c.site == site.c.site,
        finding.c.kind == FindingKind.BOX_SILENT.value,
        finding.c.cause == CAUSE,
        finding.c.state == "open",
        finding.c.finding_id.startswith(PREFIX, autoescape=True),
    )
    known = select(finding.c.finding_id).where(opened).exists()
    late = (
        select(site.c.site, site.c.heard_at, site.c.status)
        .where(
            site.c.tenant == tenant,
            site.c.revoked_at.is_(None),  # what that one says does not count, so that it would always be silent
            site.c.heard_at <= now - min(limit, GONE_SECONDS),
            ~known,
        )
        .order_by(site.c.heard_at)
        .limit(AT_ONCE)
    )
    raised = 0
    for row in connection.execute(late).all():
        gone = isinstance(row.status, dict) and row.status.get("online") is False
        if is_silent(heard_at=row.heard_at, gone=gone, since=since, now=now, limit=limit):
            raise_own(
                connection,
                site=row.site,
                kind=FindingKind.BOX_SILENT,
                cause=CAUSE,
                severity=Severity.TODAY,
                reasons=(_REASON, _GONE) if gone else (_REASON,),
                alternatives=_ELSE,
                at=now,
                since=row.heard_at,
            )
            raised += 1
    back = (
        select(site.c.site)
        .join(finding, opened)
        .where(site.c.tenant == tenant, site.c.heard_at > finding.c.raised_at)
        .limit(AT_ONCE)
    )
    for name in connection.execute(back).scalars().all():
        close_own(connection, site=name, kind=FindingKind.BOX_SILENT, cause=CAUSE, because=_BACK, at=now)
    return raised
