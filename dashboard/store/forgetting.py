"""A device is erased from what people signed or handed over about it: roll-calls of visits, and history of another operator.

In: an open SQLAlchemy connection, a household, a device, a span of time. Out: how many places it was erased from. The
line of a roll-call stays as a number, for the visit took place; a finding of the history goes with its reviews. What a
signed record's digest was of is not there any more, so it says how much is gone, under a digest of what is left.
What people wrote in their own words is theirs, and stays. Bounded by what one household has of visits and history in that
span, which retention bounds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from dashboard.store.schema import history, visit, visit_line
from dashboard.store.visits import digest_of

ERASED = "erased"
"""Key of a record that says how many lines are gone, and the digest of the rest."""


def forget_device(connection: Connection, *, site_id: str, device_id: str, since: float, until: float) -> int:
    """Erase a device from visits and from handed-over history between two moments (Unix seconds); a second time: 0."""
    return sum(work(connection, site_id, device_id, since, until) for work in (_lines, _records, _handed_over))


def as_signed(record: Mapping[str, Any], digest: str | None) -> bool:
    """Whether a record is what was signed, or what erasing left of it."""
    erased = record.get(ERASED)
    if not isinstance(erased, dict):
        return digest_of(record) == digest
    return digest_of({key: value for key, value in record.items() if key != ERASED}) == erased.get("digest")


def lines_erased(record: Mapping[str, Any]) -> int:
    """How many lines of a roll-call were erased."""
    erased = record.get(ERASED)
    return int(erased.get("lines", 0)) if isinstance(erased, dict) else 0


def without(record: Mapping[str, Any], device_id: str) -> dict[str, Any] | None:
    """A visit's record without a device; None where it does not name it."""
    lines = record.get("lines")
    if not isinstance(lines, list) or not any(_names(line, device_id) for line in lines):
        return None
    gone = [line for line in lines if _names(line, device_id)]
    texts = {str(line.get("name", "")) for line in gone} | {device_id}
    left = {key: value for key, value in record.items() if key != ERASED} | {
        "lines": [{"number": line.get("number", 0)} if _names(line, device_id) else line for line in lines],
        "to_ask": [item for item in record.get("to_ask", ()) if item not in texts],
    }
    number = lines_erased(record) + len(gone)
    return left | {ERASED: {"lines": number, "digest": digest_of(left)}}


def _names(line: Any, device_id: str) -> bool:
    return isinstance(line, dict) and line.get("device_id") == device_id


def _lines(connection: Connection, site_id: str, device_id: str, since: float, until: float) -> int:
    within = select(visit.c.visit_id).where(
        visit.c.site == site_id, visit.c.started_at >= since, visit.c.started_at < until
    )
    mine = and_(visit_line.c.site == site_id, visit_line.c.device_id == device_id, visit_line.c.visit_id.in_(within))
    return connection.execute(delete(visit_line).where(mine)).rowcount


def _records(connection: Connection, site_id: str, device_id: str, since: float, until: float) -> int:
    query = (
        select(visit.c.visit_id, visit.c.record)
        .where(visit.c.site == site_id, visit.c.started_at >= since, visit.c.started_at < until)
        .order_by(visit.c.visit_id)
    )
    gone = 0
    for row in connection.execute(query).mappings().all():
        left = None if row["record"] is None else without(row["record"], device_id)
        if left is not None:
            this = and_(visit.c.site == site_id, visit.c.visit_id == row["visit_id"])
            connection.execute(update(visit).where(this).values(record=left))
            gone += 1
    return gone


def _handed_over(connection: Connection, site_id: str, device_id: str, since: float, until: float) -> int:
    query = (
        select(history.c.pack_id, history.c.part, history.c.number, history.c.text)
        .where(history.c.site == site_id, history.c.at >= since, history.c.at < until)
        .where(history.c.text.contains(device_id, autoescape=True), history.c.part.in_(("finding", "visit")))
        .order_by(history.c.pack_id, history.c.part, history.c.number)
    )
    gone = 0
    findings: set[tuple[str, str]] = set()
    for row in connection.execute(query).mappings().all():
        this = and_(
            *(history.c[name] == row[name] for name in ("pack_id", "part", "number")), history.c.site == site_id
        )
        body = json.loads(row["text"])
        if row["part"] == "finding" and _names(body.get("payload"), device_id):
            findings.add((row["pack_id"], str(body.get("finding_id"))))
            gone += connection.execute(delete(history).where(this)).rowcount
        elif row["part"] == "visit":
            left = without(body.get("record") or {}, device_id)
            if left is not None:
                text = json.dumps(body | {"record": left})
                gone += connection.execute(update(history).where(this).values(text=text)).rowcount
    return gone + _reviews(connection, site_id, findings)


def _reviews(connection: Connection, site_id: str, findings: set[tuple[str, str]]) -> int:
    if not findings:
        return 0
    query = (
        select(history.c.pack_id, history.c.part, history.c.number, history.c.text)
        .where(history.c.site == site_id, history.c.part == "review")
        .where(history.c.pack_id.in_({pack for pack, _finding in findings}))
        .order_by(history.c.pack_id, history.c.number)
    )
    gone = 0
    for row in connection.execute(query).mappings().all():
        if (row["pack_id"], str(json.loads(row["text"]).get("finding_id"))) in findings:
            this = and_(*(history.c[name] == row[name] for name in ("pack_id", "part", "number")))
            gone += connection.execute(delete(history).where(history.c.site == site_id, this)).rowcount
    return gone
