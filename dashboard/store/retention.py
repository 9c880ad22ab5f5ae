"""Erases what the dashboard has kept for long enough, by the same classes and periods as a box (R64, N17).

In: until when what is kept (`store.schedule`). Out: rows gone, and one line of the audit that
says how many and of what, never what they held. Holds that a box confirmed are kept here too. The audit itself stays:
it holds no content. On SQLite what is erased is overwritten (`store.engine`).
Bounded: a purge erases at most `AT_ONCE` rows of a table and says whether more is due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    false,
    not_,
    null,
    or_,
    select,
    true,
    update,
)

from dashboard.store import cases, forgetting, installs, retention_work, reviewing
from dashboard.store.law import at_of
from dashboard.store.queries import write_audit
from dashboard.store.schedule import DAY, Hold, Schedule, document_of, holds_of, schedule_of
from dashboard.store.schema import (
    bundle,
    bundle_file,
    bundle_part,
    command,
    device,
    event,
    finding,
    gap,
    note,
    proposal,
    request,
    site,
    stay,
    told,
)

AT_ONCE = 5000
_FOUND = ("gatehouse.finding.v1",)
_PRESENT = ("gatehouse.device.v1", "gatehouse.proposal.v1", "gatehouse.session.v1")
_ASKED = ("gatehouse.request.v1",)
ERASED = "gatehouse.erased"
"""Type of an event whose content is gone. Its id and digest stay a while, so that a repetition is not taken for news."""
_BLANK: Mapping[str, Any] = {"type": ERASED, "payload": {}, "unread": None}
CONFIRMED_DAYS = 2.0
"""So long what a box says late of an erased time is erased here too."""


def purge(connection: Connection, *, tenant: str, now: float) -> bool:
    """Erase what is due in every household; true where more is left than one round takes."""
    left = False
    for site_id in connection.execute(select(site.c.site).where(site.c.tenant == tenant)).scalars().all():
        counted: dict[str, int] = {}
        schedule = schedule_of(document_of(connection, site_id, now), now)
        holds = holds_of(connection, site_id, now)
        held = _held(holds)
        work = retention_work.due(site_id, decided=schedule.commands, presence=schedule.presence, free=held)
        for table, key, which in (*_due(site_id, schedule, holds), *work):
            gone = _erase(connection, table, key, which)
            counted[table.name] = counted.get(table.name, 0) + gone
            left = left or gone >= AT_ONCE
        counted["person"] = cases.forget(
            connection, site_id, before=schedule.commands, over=schedule.over and not holds
        )
        counted["review"] = reviewing.forget(connection, site_id) if counted["finding"] else 0
        gone = _blank(connection, site_id, schedule, holds)
        counted["event"] = counted.get("event", 0) + gone
        left = left or gone >= AT_ONCE
        counted["bundle"] = counted.get("bundle", 0) + _empty_bundles(connection, site_id, schedule)
        if any(counted.values()):
            said = ", ".join(f"{name} {number}" for name, number in counted.items() if number)
            write_audit(
                connection, at=now, account_id=None, action="erase", subject=f"{site_id}: {said}", outcome="erased"
            )
    decided = schedule_of(None, now).commands
    return installs.forget_unclaimed(connection, tenant, before=decided) >= installs.MOST_LISTED or left


def erase_device(connection: Connection, *, site_id: str, device_id: str, since: float, until: float) -> int:
    """Erase what is stored here of a device that should not have been recorded (R65); how many rows."""
    which: tuple[tuple[Table, ColumnElement[bool]], ...] = (
        (finding, and_(finding.c.device_id == device_id, finding.c.last_seen >= since, finding.c.first_seen < until)),
        (stay, and_(stay.c.device_id == device_id, stay.c.started >= since, stay.c.started < until)),
        (
            proposal,
            and_(
                or_(proposal.c.device_id == device_id, proposal.c.other_id == device_id),
                proposal.c.raised_at >= since,
                proposal.c.raised_at < until,
            ),
        ),
    )
    gone = 0
    for table, about in which:
        gone += connection.execute(delete(table).where(table.c.site == site_id, about)).rowcount
    gone += reviewing.forget(connection, site_id)
    gone += forgetting.forget_device(connection, site_id=site_id, device_id=device_id, since=since, until=until)
    told_of = and_(
        event.c.site == site_id,
        event.c.received_at >= since,
        event.c.type.in_((*_FOUND, *_PRESENT)),
        or_(_about("device_id") == device_id, _about("other_id") == device_id),
    )
    for row in connection.execute(
        select(event.c.source, event.c.id, event.c.payload, event.c.received_at).where(told_of)
    ).all():
        # What a box said late, after an outage, is of the time that it speaks of.
        first, last = _span(row.payload, row.received_at)
        if last >= since and first < until:
            same = and_(event.c.source == row.source, event.c.id == row.id)
            gone += connection.execute(update(event).where(same).values(**_BLANK)).rowcount
    return gone


def erase_confirmed(connection: Connection, *, tenant: str, now: float, answered_since: float | None = None) -> int:
    """Erase here what boxes have erased at an officer's word; how many rows.

    With `answered_since`, only what boxes confirmed from then on, else all of the last `CONFIRMED_DAYS`.
    """
    query = (
        select(command.c.site, command.c.body, command.c.created_at, command.c.command_id)
        .join(site, site.c.site == command.c.site)
        .where(
            site.c.tenant == tenant,
            command.c.body["action"].as_string() == "erase-records",
            command.c.state == "applied",
            command.c.answered_at >= (now - CONFIRMED_DAYS * DAY if answered_since is None else answered_since),
        )
        .limit(AT_ONCE)
    )
    gone = 0
    for row in connection.execute(query).all():
        since = at_of(row.body.get("since")) if row.body.get("since") else 0.0
        until = at_of(row.body.get("until")) if row.body.get("until") else row.created_at
        number = erase_device(connection, site_id=row.site, device_id=row.body["device_id"], since=since, until=until)
        if number:
            subject = f"{row.site}/{row.command_id}: {number}"
            write_audit(connection, at=now, account_id=None, action="erase-records", subject=subject, outcome="erased")
        gone += number
    return gone


def _due(
    site_id: str, schedule: Schedule, holds: tuple[Hold, ...]
) -> tuple[tuple[Table, tuple[str, ...], ColumnElement[bool]], ...]:
    def free(at: ColumnElement[float], about: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        return [_free(hold, at, about) for hold in holds]

    # What is open waits for somebody to decide; when the authority is long over there is nothing left to decide.
    over = true() if schedule.ended else false()
    here = exists().where(
        device.c.site == site_id, device.c.device_id == stay.c.device_id, device.c.last_seen >= schedule.presence
    )
    return (
        (
            finding,
            ("site", "finding_id"),
            and_(
                finding.c.site == site_id,
                or_(finding.c.state == "closed", and_(over, finding.c.device_id.is_not(None))),
                finding.c.last_seen < schedule.findings,
                *free(finding.c.last_seen, finding.c.device_id),
            ),
        ),
        (
            stay,
            ("site", "session_id"),
            and_(
                stay.c.site == site_id,
                # One that never ended is of a box that went dark meanwhile: its device was not seen since either.
                or_(
                    stay.c.ended < schedule.presence,
                    and_(stay.c.ended.is_(None), stay.c.started < schedule.presence, ~here),
                ),
                *free(stay.c.started, stay.c.device_id),
            ),
        ),
        (
            proposal,
            ("site", "proposal_id"),
            and_(
                proposal.c.site == site_id,
                or_(proposal.c.state != "open", over),
                proposal.c.raised_at < schedule.presence,
                *free(proposal.c.raised_at, proposal.c.device_id),
            ),
        ),
        (
            device,
            ("site", "device_id"),
            and_(
                device.c.site == site_id,
                device.c.last_seen < schedule.presence,
                *free(device.c.last_seen, device.c.device_id),
            ),
        ),
        (
            event,
            ("source", "id"),
            and_(
                event.c.site == site_id,
                event.c.received_at < schedule.box,
                *free(event.c.received_at, _about("device_id")),
            ),
        ),
        (
            request,
            ("site", "request_id"),
            and_(
                request.c.site == site_id,
                or_(request.c.state == "answered", over),
                request.c.at < schedule.household,
                *free(request.c.at, request.c.device_id),
            ),
        ),
        (
            told,
            ("account_id", "about"),
            and_(told.c.site == site_id, told.c.at < schedule.commands),
        ),
        (
            # What people wrote about a case is kept as long as what they decided in it.
            note,
            ("note_id",),
            and_(note.c.site == site_id, note.c.at < schedule.commands, *free(note.c.at, note.c.device_id)),
        ),
        (
            gap,
            ("site", "started", "cause"),
            and_(gap.c.site == site_id, gap.c.ended < schedule.box),
        ),
        (
            bundle,
            ("site", "bundle_id"),
            # What was handed out can be told by its digest as long as the order for it is known.
            and_(
                bundle.c.site == site_id, bundle.c.state.in_(("gone", "failed")), bundle.c.built_at < schedule.commands
            ),
        ),
        (
            command,
            ("command_id",),
            and_(
                command.c.site == site_id,
                command.c.created_at < schedule.commands,
                command.c.state.not_in(("waiting", "sent", "needs-second")),
                # A document in force is the newest such command, however old.
                command.c.body["action"].as_string() != "set-authority",
            ),
        ),
    )


def _empty_bundles(connection: Connection, site_id: str, schedule: Schedule) -> int:
    """Erase what was put together to hand out; that it was, by whom and with what digest stays with the orders."""
    due = and_(bundle.c.site == site_id, bundle.c.state != "gone", bundle.c.built_at < schedule.copies)
    names = connection.execute(select(bundle.c.bundle_id).where(due).limit(AT_ONCE)).scalars().all()
    for name in names:
        for table in (bundle_file, bundle_part):
            connection.execute(delete(table).where(table.c.site == site_id, table.c.bundle_id == name))
        same = and_(bundle.c.site == site_id, bundle.c.bundle_id == name)
        connection.execute(update(bundle).where(same).values(state="gone", problem="Ask for it anew if it is needed."))
    return len(names)


def _blank(connection: Connection, site_id: str, schedule: Schedule, holds: tuple[Hold, ...]) -> int:
    """Empty events of content that is due."""
    gone = 0
    for types, before in ((_FOUND, schedule.findings), (_PRESENT, schedule.presence), (_ASKED, schedule.household)):
        which = [event.c.site == site_id, event.c.type.in_(types), event.c.received_at < before]
        free = [_free(hold, event.c.received_at, _about("device_id")) for hold in holds]
        keys = select(event.c.source, event.c.id).where(*which, *free).limit(AT_ONCE)
        for row in connection.execute(keys).all():
            same = and_(event.c.source == row.source, event.c.id == row.id)
            connection.execute(update(event).where(same).values(**_BLANK))
            gone += 1
    return gone


def _free(hold: Hold, at: ColumnElement[float], about: ColumnElement[Any]) -> ColumnElement[bool]:
    inside = and_(at >= hold.since, at < hold.until)
    if hold.device_id is not None:
        inside = and_(inside, or_(about == hold.device_id, about.is_(None)))
    return not_(inside)


def _held(holds: tuple[Hold, ...]) -> Callable[[ColumnElement[Any]], list[ColumnElement[bool]]]:
    """That no hold keeps a row of that time; of whichever device it speaks."""
    return lambda at: [_free(hold, at, null()) for hold in holds]


def _erase(connection: Connection, table: Table, key: tuple[str, ...], which: ColumnElement[bool]) -> int:
    rows = connection.execute(select(*(table.c[name] for name in key)).where(which).limit(AT_ONCE)).all()
    for row in rows:
        same = and_(*(table.c[name] == value for name, value in zip(key, row, strict=True)))
        connection.execute(delete(table).where(same))
    return len(rows)


def _about(name: str) -> ColumnElement[str]:
    found: ColumnElement[str] = event.c.payload[name].as_string()
    return found


def _span(payload: Mapping[str, Any], received: float) -> tuple[float, float]:
    """From when to when an event speaks of its device; when it came, where it does not say."""
    first = payload.get("started") or payload.get("first_seen") or payload.get("raised_at")
    last = payload.get("ended") or payload.get("last_seen") or payload.get("raised_at")
    return (at_of(first) if first else received), (at_of(last) if last else received)
