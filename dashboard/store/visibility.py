"""How much of what a device did the box could put a name to, day by day (N10), as its messages told it.

In: an open SQLAlchemy connection. Out: frozen rows. Bounded: `MOST_READ` messages are read; none holds a name.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import Connection, select

from dashboard.store.schema import event
from wire.models import Visibility

MOST_READ = 2000
_TYPE = "gatehouse.device.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A day of a device."""

    at: float
    """Midnight UTC it began at; Unix seconds."""
    connections: int
    share: float
    """Of the connections that could be named."""


def named_days(
    connection: Connection, site_id: str, ids: Collection[str], since: float
) -> dict[str, tuple[Named, ...]]:
    """Days of these devices, by device, the earliest first; the latest message about a day counts."""
    about = event.c.payload["device_id"].as_string()
    said = event.c.payload["visibility"]
    query = (
        select(about.label("device_id"), said.label("said"))
        .where(event.c.site == site_id, event.c.received_at >= since, event.c.type == _TYPE, about.in_(sorted(ids)))
        .order_by(event.c.received_at.desc())
        .limit(MOST_READ)
    )
    found: dict[str, dict[float, Named]] = {}
    for row in connection.execute(query):
        if not row.said:
            continue
        try:
            day = Visibility.model_validate(row.said)
        except ValidationError:
            continue  # of another version
        at = day.day.timestamp()
        found.setdefault(row.device_id, {}).setdefault(at, Named(at=at, connections=day.connections, share=day.named))
    return {device_id: tuple(sorted(days.values(), key=lambda named: named.at)) for device_id, days in found.items()}
