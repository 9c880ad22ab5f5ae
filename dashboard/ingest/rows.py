"""Payloads into rows of the tables, many at a time: one statement a table, however many messages.

In: payloads that were accepted. Out: rows, on `flush`. Of several revisions of one thing the highest is written, and
only over a lower one. Bounded by the caller's batch.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from dashboard.store import schema
from dashboard.store.names import name_key
from wire.base import Payload
from wire.box import Arrangements
from wire.findings import Finding, Severity
from wire.models import CommandResult, Device, Outcome, Proposal, Session

_KEYS: dict[Table, tuple[str, ...]] = {
    schema.device: ("site", "device_id"),
    schema.finding: ("site", "finding_id"),
    schema.proposal: ("site", "proposal_id"),
    schema.stay: ("site", "session_id"),
    schema.arrangements: ("site",),
}


class Rows:
    """Rows that wait to be written together."""

    def __init__(self, connection: Connection, now: float) -> None:
        """`now` is Unix seconds: when this is stored."""
        self._connection = connection
        self._now = now
        self._events: list[dict[str, Any]] = []
        self._newest: dict[Table, dict[tuple[str, ...], dict[str, Any]]] = {}

    def event(self, row: dict[str, Any]) -> None:
        """One event as it came."""
        self._events.append(row)

    def store(self, site: str, payload: Payload, plain: dict[str, Any]) -> None:
        """What an event says, in its own table; `plain` is the payload as JSON values."""
        match payload:
            case Device() as device:
                self._put(schema.device, _device_row(site, device, plain))
            case Finding() as finding:
                self._put(schema.finding, _finding_row(site, finding, plain, self._now))
            case Proposal() as proposal:
                self._put(schema.proposal, _proposal_row(site, proposal))
            case Session() as stay:
                self._put(schema.stay, _stay_row(site, stay))
            case Arrangements() as arranged:  # at once: a status of another database of the box ends it
                row = {"site": site, "revision": arranged.revision, "payload": plain, "stored_at": self._now}
                _write(self._connection, schema.arrangements, [row])
            case CommandResult() as result:
                _result(self._connection, site, result, self._now)
            case _:
                pass

    def flush(self) -> None:
        """Write what waits."""
        if self._events:
            self._connection.execute(schema.event.insert(), self._events)
            self._events = []
        for table, rows in self._newest.items():
            _write(self._connection, table, list(rows.values()))
        self._newest = {}

    def _put(self, table: Table, row: dict[str, Any]) -> None:
        rows = self._newest.setdefault(table, {})
        key = tuple(row[name] for name in _KEYS[table])
        if key not in rows or rows[key]["revision"] < row["revision"]:
            rows[key] = row


def _write(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or replace those of a lower revision; a row of the same or a higher one stays."""
    key = _KEYS[table]
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    fresh = {name: insert.excluded[name] for name in rows[0] if name not in key}
    if table is schema.finding:
        fresh["looked_at"] = _still_looked_at(insert.excluded)
    statement = insert.on_conflict_do_update(
        index_elements=list(key), set_=fresh, where=insert.excluded.revision > table.c.revision
    )
    connection.execute(statement, rows)


def _still_looked_at(new: Any) -> ColumnElement[Any]:
    """When somebody decided about a finding; nothing where it became worse, or came again after it was over (R37)."""
    old = schema.finding.c
    places = {severity.value: place for place, severity in enumerate(Severity)}
    worse = case(places, value=new.severity, else_=9) < case(places, value=old.severity, else_=9)
    again = and_(new.state == "open", old.state != "open")
    return case((or_(worse, again), None), else_=old.looked_at)


def _device_row(site: str, device: Device, plain: dict[str, Any]) -> dict[str, Any]:
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


def _finding_row(site: str, finding: Finding, plain: dict[str, Any], now: float) -> dict[str, Any]:
    hit = finding.hit
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
        "payload": plain,
        "stored_at": now,
        "name_key": None if hit is None else name_key(hit.name),
        "asked_key": None if hit is None else name_key(hit.asked),
    }


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
