"""Erases what the dashboard has kept for long enough, by the same classes and periods as a box (R64, N17).

In: what the newest document held of a household says, else settings. Out: rows gone, and one line of the audit that
says how many and of what, never what they held. Holds that a box confirmed are kept here too. The audit itself stays:
it holds no content. On SQLite what is erased is overwritten (`secure_delete`), and a rollback journal is cut to nothing
when its transaction ends.
Bounded: a purge erases at most `AT_ONCE` rows of a table and says whether more is due.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, not_, or_, select, update

from dashboard.store.law import acts_of, documents_of
from dashboard.store.queries import write_audit
from dashboard.store.schema import command, device, event, finding, proposal, request, site, stay, told
from wire.authority import Authority, AuthorityError, parse_signed

DAY = 86400.0
AT_ONCE = 5000
DEFAULT_DAYS: Mapping[str, Mapping[str, int]] = {
    "prevent": {"presence": 90, "findings": 180, "household": 90, "commands": 730, "box": 730, "ended": 28},
    "detect": {"presence": 180, "findings": 365, "household": 180, "commands": 730, "box": 730, "ended": 90},
}
"""As the box's own table has them; the shorter ones count where no document is held here."""
_FOUND = ("gatehouse.finding.v1",)
_PRESENT = ("gatehouse.device.v1", "gatehouse.proposal.v1", "gatehouse.session.v1")
_ASKED = ("gatehouse.request.v1",)
ERASED = "gatehouse.erased"
"""Type of an event whose content is gone. Its id and digest stay a while, so that a repetition is not taken for news."""
_BLANK: Mapping[str, Any] = {"type": ERASED, "payload": {}, "unread": None}
CONFIRMED_DAYS = 2.0
"""So long what a box says late of an erased time is erased here too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Records of this span are kept for a case."""

    since: float
    until: float
    device_id: str | None
    """None: of all devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Until when rows of a household are due to be erased; Unix seconds."""

    presence: float
    findings: float
    household: float
    commands: float
    box: float


def schedule_of(document: Authority | None, now: float) -> Schedule:
    """Before which moment rows are old enough to be erased."""
    days = dict(DEFAULT_DAYS[document.purpose if document is not None else "prevent"])
    if document is not None:
        said = {keep.data_class: keep.days for keep in getattr(document, "retention", None) or ()}
        days["presence"] = days["household"] = said.get("presence", days["presence"])
        days["findings"] = said.get("list_hits", days["findings"])
        days["commands"] = days["box"] = said.get("box", days["box"])
        ended = document.not_after.timestamp() + days["ended"] * DAY
        if now >= ended:
            # What is about devices goes so long after the authority has ended, however young it is.
            return Schedule(
                presence=now, findings=now, household=now, commands=now - days["commands"] * DAY, box=now - 730 * DAY
            )
    return Schedule(
        presence=now - days["presence"] * DAY,
        findings=now - days["findings"] * DAY,
        household=now - days["household"] * DAY,
        commands=now - days["commands"] * DAY,
        box=now - days["box"] * DAY,
    )


def holds_of(connection: Connection, site_id: str, now: float) -> tuple[Hold, ...]:
    """Holds that a box confirmed and nobody ended."""
    asked = acts_of(connection, site_id, ("set-hold", "end-hold"))
    ended = {
        item.body.get("hold_id") for item in asked if item.body["action"] == "end-hold" and item.state == "applied"
    }
    found = []
    for item in asked:
        body = item.body
        if body["action"] != "set-hold" or item.state != "applied" or body.get("hold_id") in ended:
            continue
        if _at(body.get("review")) > now:
            found.append(
                Hold(since=_at(body.get("since")), until=_at(body.get("until")), device_id=body.get("device_id"))
            )
    return tuple(found)


def purge(connection: Connection, *, tenant: str, now: float) -> bool:
    """Erase what is due in every household; true where more is left than one round takes."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    left = False
    for site_id in connection.execute(select(site.c.site).where(site.c.tenant == tenant)).scalars().all():
        counted: dict[str, int] = {}
        schedule = schedule_of(_document(connection, site_id), now)
        holds = holds_of(connection, site_id, now)
        for table, key, which in _due(site_id, schedule, holds):
            gone = _erase(connection, table, key, which)
            counted[table.name] = counted.get(table.name, 0) + gone
            left = left or gone >= AT_ONCE
        gone = _blank(connection, site_id, schedule, holds)
        counted["event"] = counted.get("event", 0) + gone
        left = left or gone >= AT_ONCE
        if any(counted.values()):
            said = ", ".join(f"{name} {number}" for name, number in counted.items() if number)
            write_audit(
                connection, at=now, account_id=None, action="erase", subject=f"{site_id}: {said}", outcome="erased"
            )
    return left


def erase_device(connection: Connection, *, site_id: str, device_id: str, since: float, until: float) -> int:
    """Erase what is stored here of a device that should not have been recorded (R65); how many rows."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    payload = event.c.payload["device_id"].as_string()
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
    told_of = and_(
        event.c.site == site_id,
        event.c.type.in_((*_FOUND, *_PRESENT)),
        payload == device_id,
        event.c.received_at >= since,
        event.c.received_at < until + DAY,
    )
    return gone + int(connection.execute(update(event).where(told_of).values(**_BLANK)).rowcount)


def erase_confirmed(connection: Connection, *, tenant: str, now: float) -> int:
    """Erase here what boxes have erased at an officer's word; how many rows."""
    query = (
        select(command.c.site, command.c.body, command.c.created_at, command.c.command_id)
        .join(site, site.c.site == command.c.site)
        .where(
            site.c.tenant == tenant,
            command.c.body["action"].as_string() == "erase-records",
            command.c.state == "applied",
            command.c.answered_at > now - CONFIRMED_DAYS * DAY,
        )
        .limit(AT_ONCE)
    )
    gone = 0
    for row in connection.execute(query).all():
        since = _at(row.body.get("since")) if row.body.get("since") else 0.0
        until = _at(row.body.get("until")) if row.body.get("until") else row.created_at
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

    payload = event.c.payload["device_id"].as_string()
    return (
        (
            finding,
            ("site", "finding_id"),
            and_(
                finding.c.site == site_id,
                finding.c.state == "closed",
                finding.c.last_seen < schedule.findings,
                *free(finding.c.last_seen, finding.c.device_id),
            ),
        ),
        (
            stay,
            ("site", "session_id"),
            and_(
                stay.c.site == site_id,
                stay.c.ended < schedule.presence,
                *free(stay.c.started, stay.c.device_id),
            ),
        ),
        (
            proposal,
            ("site", "proposal_id"),
            and_(
                proposal.c.site == site_id,
                proposal.c.state != "open",
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
            and_(event.c.site == site_id, event.c.received_at < schedule.box, *free(event.c.received_at, payload)),
        ),
        (
            request,
            ("site", "request_id"),
            and_(
                request.c.site == site_id,
                request.c.state == "answered",
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


def _blank(connection: Connection, site_id: str, schedule: Schedule, holds: tuple[Hold, ...]) -> int:
    """Empty events of content that is due."""
    payload = event.c.payload["device_id"].as_string()
    gone = 0
    for types, before in ((_FOUND, schedule.findings), (_PRESENT, schedule.presence), (_ASKED, schedule.household)):
        which = [event.c.site == site_id, event.c.type.in_(types), event.c.received_at < before]
        free = [_free(hold, event.c.received_at, payload) for hold in holds]
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


def _erase(connection: Connection, table: Table, key: tuple[str, ...], which: ColumnElement[bool]) -> int:
    rows = connection.execute(select(*(table.c[name] for name in key)).where(which).limit(AT_ONCE)).all()
    for row in rows:
        same = and_(*(table.c[name] == value for name, value in zip(key, row, strict=True)))
        connection.execute(delete(table).where(same))
    return len(rows)


def _document(connection: Connection, site_id: str) -> Authority | None:
    for row in documents_of(connection, site_id):
        try:
            return parse_signed(row.document.encode()).document
        except AuthorityError:
            continue
    return None


def _at(text: object) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0
