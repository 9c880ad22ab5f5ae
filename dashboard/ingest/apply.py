"""Opened messages in, rows and receipts out, in the caller's transaction.

Idempotent and free of order: an event is known by (source, id); a device, finding, proposal, stay or
a box's arrangements by the revision. The same id with another payload is not accepted and not receipted; it is a refusal
(`event-conflict`), because a box that says two things under one id was copied or set back.
A status is a heartbeat, not an event: it only updates its site; one from another database of the box ends what was
arranged with the one before. What cannot be read yet is kept as it was
signed, receipted, and read again (`read_again`) by a newer version.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError, StatementError

from dashboard.ingest.opening import Refusal, Unread, refused
from dashboard.store import schema
from wire.base import Payload
from wire.box import Arrangements, BoxStatus
from wire.codec import Opened, WireError, read_payload
from wire.findings import Finding
from wire.models import CommandResult, Device, Outcome, Proposal, Session

_EVENT_ID = re.compile(r"([a-z0-9]{1,32})-([0-9]{1,15})")
_STATUS_ID = re.compile(r"([a-z0-9]{1,32})-s([0-9]{1,15})")


@dataclass(slots=True, kw_only=True)
class Applied:
    """What a batch came to."""

    numbers: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    """Sequence numbers to receipt, per (site, epoch): what is new and what was already here."""
    refusals: list[Refusal] = field(default_factory=list)
    stored: int = 0
    repeated: int = 0


def apply(connection: Connection, batch: Sequence[Opened | Unread], now: float) -> Applied:
    """Write a batch. `now` is Unix seconds. Database errors are the caller's to handle."""
    done = Applied()
    known = _known_digests(connection, batch)
    # Sites of which there is news. A last will is the broker's word that the box is gone, and a broker
    # that repeats old messages must not make a silent box look alive: neither counts as hearing from it.
    heard: set[str] = set()
    for opened in batch:
        site = opened.topic.site
        if isinstance(opened, Opened) and isinstance(opened.payload, BoxStatus):
            if _status(connection, opened, opened.payload) and opened.payload.online:
                heard.add(site)
            continue
        number = _EVENT_ID.fullmatch(opened.envelope.id)
        if number is None:
            done.refusals.append(refused(site, "an event's id is epoch-number"))
            continue
        key = (opened.envelope.source, opened.envelope.id)
        if key not in known:
            known[key] = opened.digest
            _event(connection, opened, now)
            if isinstance(opened, Unread):
                done.refusals.append(Refusal(action="message-unread", site=site, why=opened.why))
            done.stored += 1
            heard.add(site)
        elif known[key] == opened.digest:
            done.repeated += 1
        else:
            done.refusals.append(
                Refusal(action="event-conflict", site=site, why=f"{opened.envelope.id} came with another payload")
            )
            continue
        done.numbers.setdefault((site, number[1]), set()).add(int(number[2]))
    if heard:
        connection.execute(update(schema.site).where(schema.site.c.site.in_(heard)).values(heard_at=now))
    return done


def _known_digests(connection: Connection, batch: Sequence[Opened | Unread]) -> dict[tuple[str, str], str]:
    keys = {(opened.envelope.source, opened.envelope.id) for opened in batch}
    table = schema.event.c
    statement = select(table.source, table.id, table.digest).where(tuple_(table.source, table.id).in_(sorted(keys)))
    return {(row.source, row.id): row.digest for row in connection.execute(statement)}


def _event(connection: Connection, opened: Opened | Unread, now: float) -> None:
    site = opened.topic.site
    connection.execute(
        schema.event.insert().values(
            source=opened.envelope.source,
            id=opened.envelope.id,
            site=site,
            type=opened.envelope.type,
            digest=opened.digest,
            received_at=now,
            payload=_plain(opened.payload) if isinstance(opened, Opened) else {},
            unread=opened.text if isinstance(opened, Unread) else None,
        )
    )
    if isinstance(opened, Opened):
        _store(connection, site, opened.payload, now)


def read_again(connection: Connection, now: float, *, after: tuple[str, str], most: int) -> tuple[str, str] | None:
    """Read what an older version kept without reading it, at most `most` events after the key `after`.

    Returns the key of the last one looked at, None when there are no more. What still cannot be read stays.
    """
    table = schema.event.c
    key = tuple_(table.source, table.id)
    statement = (
        select(table.source, table.id, table.site, table.type, table.unread)
        .where(table.unread.is_not(None), key > after)
        .order_by(table.source, table.id)
        .limit(most)
    )
    last: tuple[str, str] | None = None
    for row in connection.execute(statement).all():
        last = (row.source, row.id)
        try:
            payload = read_payload(row.type, row.unread.encode())
            with connection.begin_nested():
                _store(connection, row.site, payload, now)
        except OperationalError:
            raise
        except (WireError, StatementError, OverflowError):
            continue
        connection.execute(
            update(schema.event)
            .where(table.source == row.source, table.id == row.id)
            .values(payload=_plain(payload), unread=None)
        )
    return last


def _store(connection: Connection, site: str, payload: Payload, now: float) -> None:
    match payload:
        case Device() as device:
            _newest(connection, schema.device, ("site", "device_id"), _device_row(site, device))
        case Finding() as finding:
            _newest(connection, schema.finding, ("site", "finding_id"), _finding_row(site, finding, now))
        case Proposal() as proposal:
            _newest(connection, schema.proposal, ("site", "proposal_id"), _proposal_row(site, proposal))
        case Session() as stay:
            _newest(connection, schema.stay, ("site", "session_id"), _stay_row(site, stay))
        case Arrangements() as arranged:
            _newest(connection, schema.arrangements, ("site",), _arranged_row(site, arranged, now))
        case CommandResult() as result:
            _result(connection, site, result, now)
        case _:
            pass


def _device_row(site: str, device: Device) -> dict[str, Any]:
    plain = _plain(device)
    return {
        "site": site,
        "device_id": device.device_id,
        "revision": device.revision,
        "standing": device.standing.value,
        "label": device.label,
        "looks_like": plain.get("looks_like"),
        "quarantined": device.quarantined,
        "first_seen": device.first_seen.timestamp(),
        "last_seen": device.last_seen.timestamp(),
        "addresses": plain["addresses"],
        "correction": plain.get("correction"),
        "presence": plain.get("presence"),
        "merged_into": device.merged_into,
        "key_id": device.key_id,
        "visibility": plain.get("visibility"),
    }


def _proposal_row(site: str, proposal: Proposal) -> dict[str, Any]:
    return {
        "site": site,
        "proposal_id": proposal.proposal_id,
        "revision": proposal.revision,
        "device_id": proposal.device_id,
        "other_id": proposal.other_id,
        "probability": proposal.probability,
        "state": proposal.state,
        "raised_at": proposal.raised_at.timestamp(),
        "reasons": list(proposal.reasons),
        "against": list(proposal.against),
    }


def _stay_row(site: str, stay: Session) -> dict[str, Any]:
    return {
        "site": site,
        "session_id": stay.session_id,
        "revision": stay.revision,
        "device_id": stay.device_id,
        "mac": stay.mac,
        "started": stay.started.timestamp(),
        "ended": None if stay.ended is None else stay.ended.timestamp(),
        "asleep_seconds": stay.asleep_seconds,
        "ended_because": stay.ended_because,
    }


def _finding_row(site: str, finding: Finding, now: float) -> dict[str, Any]:
    return {
        "site": site,
        "finding_id": finding.finding_id,
        "revision": finding.revision,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "device_id": finding.device_id,
        "cause": finding.cause,
        "state": finding.state,
        "first_seen": finding.first_seen.timestamp(),
        "last_seen": finding.last_seen.timestamp(),
        "raised_at": finding.raised_at.timestamp(),
        "count": finding.count,
        "payload": _plain(finding),
        "stored_at": now,
    }


def _arranged_row(site: str, arranged: Arrangements, now: float) -> dict[str, Any]:
    return {"site": site, "revision": arranged.revision, "payload": _plain(arranged), "stored_at": now}


def _newest(connection: Connection, table: Table, key: tuple[str, ...], row: dict[str, Any]) -> None:
    """Insert a row, or replace one of a lower revision; a row of the same or a higher one stays."""
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table).values(row)
    fresh = {name: insert.excluded[name] for name in row if name not in key}
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=list(key), set_=fresh, where=insert.excluded.revision > table.c.revision
        )
    )


def _result(connection: Connection, site: str, result: CommandResult, now: float) -> None:
    """Note a box's answer, however late; the first one stands, save that `applied` overrules a lesser one.

    A command is sent again while unanswered, and a box may say of the repetition that it came out of sequence.
    """
    overruled = ["waiting", "sent", "unanswered"]
    if result.outcome is Outcome.APPLIED:
        overruled += [Outcome.EXPIRED.value, Outcome.OUT_OF_SEQUENCE.value]
    command = schema.command.c
    connection.execute(
        update(schema.command)
        .where(and_(command.command_id == result.command_id, command.site == site, command.state.in_(overruled)))
        .values(state=result.outcome.value, detail=result.detail, answered_at=now)
    )


def _status(connection: Connection, opened: Opened, status: BoxStatus) -> bool:
    """Keep a box's newest status; true if this is it. The last will (made at connect, delivered later) only says it is gone."""
    table = schema.site.c
    row = connection.execute(
        select(table.status, table.status_at, table.status_id).where(table.site == opened.topic.site)
    ).one()
    at = status.at.timestamp()
    values: dict[str, Any]
    if not status.online and row.status is not None:
        values = {"status": {**row.status, "online": False}}
    elif _is_newer(opened.envelope.id, at, row.status_id, row.status_at):
        values = {"status": _plain(status), "status_at": at, "status_id": opened.envelope.id}
        if _begun_anew(opened.envelope.id, row.status_id):
            connection.execute(delete(schema.arrangements).where(schema.arrangements.c.site == opened.topic.site))
    else:
        return False
    connection.execute(update(schema.site).where(table.site == opened.topic.site).values(**values))
    return True


def _is_newer(id_: str, at: float, old_id: str | None, old_at: float | None) -> bool:
    """By number within one database of the box, whose clock may jump; by time across two of them."""
    new, old = _STATUS_ID.fullmatch(id_), _STATUS_ID.fullmatch(old_id or "")
    if new is None:
        return False
    if old is not None and new[1] == old[1]:
        return int(new[2]) > int(old[2])
    return old_at is None or at > old_at


def _begun_anew(id_: str, old_id: str | None) -> bool:
    """Whether the box has another database than before: what was arranged with the old one holds no more (R30)."""
    new, old = _STATUS_ID.fullmatch(id_), _STATUS_ID.fullmatch(old_id or "")
    return new is not None and old is not None and new[1] != old[1]


def _plain(payload: Payload) -> dict[str, Any]:
    return payload.model_dump(mode="json", exclude_none=True)
