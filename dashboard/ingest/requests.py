"""What a home says through the box's own page becomes a row that an officer answers; notices are kept as shown.

In: `HouseholdRequest` and `Notice` payloads. Out: rows of `request` and `notice`. Bounded: a household has at most
`MOST_OPEN` requests that wait, further ones only stay among its events and are counted in one line of the audit a day;
at most `MOST_NOTICES` notices, the oldest go.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, func, insert, select

from dashboard.store.queries import write_audit
from dashboard.store.schema import audit, notice, request
from wire.base import Payload
from wire.codec import Opened
from wire.household import HouseholdRequest, Notice

MOST_OPEN = 200
MOST_NOTICES = 20
_OVER = "requests-over"
_DAY = 86400.0


def take_request(connection: Connection, opened: Opened, now: float) -> Iterable[Payload]:
    """Keep what somebody at home asked for; a repetition changes nothing."""
    payload, site = opened.payload, opened.topic.site
    if not isinstance(payload, HouseholdRequest):
        return ()
    known = select(request.c.request_id).where(request.c.site == site, request.c.request_id == payload.request_id)
    if connection.execute(known).first() is not None:
        return ()
    waiting = select(func.count()).select_from(request).where(request.c.site == site, request.c.state == "open")
    if connection.execute(waiting).scalar_one() >= MOST_OPEN:
        _say_over(connection, site, now)
        return ()
    read = payload.kind == "notice-read"
    connection.execute(
        insert(request).values(
            site=site,
            request_id=payload.request_id,
            kind=payload.kind,
            device_id=payload.device_id,
            proved=payload.proved,
            text=payload.text,
            until=None if payload.until is None else payload.until.timestamp(),
            notice=payload.notice,
            at=payload.at.timestamp(),
            stored_at=now,
            state="answered" if read else "open",
            note="",
            answered_at=now if read else None,
        )
    )
    return ()


def take_notice(connection: Connection, opened: Opened, _now: float) -> Iterable[Payload]:
    """Keep the text of a notice as it is shown."""
    payload, site = opened.payload, opened.topic.site
    if not isinstance(payload, Notice):
        return ()
    known = select(notice.c.sha256).where(notice.c.site == site, notice.c.sha256 == payload.sha256)
    if connection.execute(known).first() is not None:
        return ()
    connection.execute(
        insert(notice).values(
            site=site,
            sha256=payload.sha256,
            language=payload.language,
            lines=list(payload.lines),
            at=payload.at.timestamp(),
        )
    )
    newest = select(notice.c.sha256).where(notice.c.site == site).order_by(notice.c.at.desc()).limit(MOST_NOTICES)
    kept = connection.execute(newest).scalars().all()
    connection.execute(delete(notice).where(notice.c.site == site, notice.c.sha256.not_in(kept)))
    return ()


def _say_over(connection: Connection, site: str, now: float) -> None:
    said = select(audit.c.audit_id).where(audit.c.action == _OVER, audit.c.subject == site, audit.c.at > now - _DAY)
    if connection.execute(said.limit(1)).first() is None:
        write_audit(connection, at=now, account_id=None, action=_OVER, subject=site, outcome="not shown")
