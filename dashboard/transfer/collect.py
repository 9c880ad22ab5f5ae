"""What is handed over of a household: its person, devices, and half a year of history.

In: an open SQLAlchemy connection and a household. Out: a `Pack`. Only what the dashboard holds leaves; of devices that
are not the person's own it holds presence alone. Bounded: `MOST_OF_PART` rows a part, the newest; what is beyond that is
counted in `left_out`. The number of statements does not depend on how much there is.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from dashboard.ingest.replaced import restorable
from dashboard.store.cases import person_of
from dashboard.store.schema import account, authority_document, finding, note, review_act, site, visit, visit_addendum
from dashboard.transfer.pack import Item, Pack, Whom

SINCE_SECONDS = 183 * 86400.0
"""Six months."""
MOST_OF_PART = 4000


def collect(connection: Connection, *, site_id: str, tenant: str, operator: str, now: float) -> Pack:
    """All that goes."""
    since = now - SINCE_SECONDS
    title = connection.execute(select(site.c.title).where(site.c.site == site_id)).scalar_one()
    known = person_of(connection, site_id)
    items: list[Item] = []
    left_out = 0
    for part, table, at, where, fields in _PARTS:
        mine = (table.c.site == site_id) & (table.c[at] >= since)
        if where is not None:
            mine &= where
        number = connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
        left_out += max(0, number - MOST_OF_PART)
        query = select(*(table.c[name] for name in fields)).where(mine).order_by(table.c[at].desc()).limit(MOST_OF_PART)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        items += [_item(part, row, at) for row in rows]
    return Pack(
        operator=operator,
        tenant=tenant,
        title=title,
        since=since,
        whom=None if known is None else Whom(reference=known.reference, name=known.name, risk=str(known.risk)),
        devices=tuple(restorable(connection, site_id, now)),
        history=tuple(_named(connection, items)),
        left_out=left_out,
    )


_PARTS: tuple[tuple[Any, Table, str, ColumnElement[bool] | None, tuple[str, ...]], ...] = (
    ("finding", finding, "last_seen", None, ("finding_id", "state", "last_seen", "payload")),
    (
        "review",
        review_act,
        "at",
        None,
        ("finding_id", "version", "act", "action", "outcome", "reason", "by", "at"),
    ),
    (
        "visit",
        visit,
        "started_at",
        visit.c.state == "signed",
        ("visit_id", "started_at", "signed_at", "by", "record", "digest"),
    ),
    ("visit", visit_addendum, "at", None, ("visit_id", "text", "by", "at")),
    (
        "note",
        note,
        "at",
        None,
        ("note_id", "at", "by", "agency", "heading", "finding_id", "device_id", "corrects", "text"),
    ),
    (
        "document",
        authority_document,
        "stored_at",
        None,
        ("sha256", "authority_id", "number", "document", "stored_at", "accepted_at"),
    ),
)
"""Part, table, its time, a further condition, and the columns that go."""


def _item(part: Any, row: dict[str, Any], at: str) -> Item:
    return Item(part=part, at=row[at], body=row)


def _named(connection: Connection, items: list[Item]) -> list[Item]:
    """Accounts by name: an id of here says nothing there."""
    ids = sorted({str(item.body["by"]) for item in items if "by" in item.body})
    names: dict[str, str] = {}
    for start in range(0, len(ids), 500):
        query = select(account.c.account_id, account.c.name).where(account.c.account_id.in_(ids[start : start + 500]))
        names |= {row.account_id: row.name for row in connection.execute(query)}
    return [
        item.model_copy(update={"body": item.body | {"by": names.get(str(item.body["by"]), "an account")}})
        if "by" in item.body
        else item
        for item in items
    ]
