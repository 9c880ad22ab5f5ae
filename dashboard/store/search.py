"""Search over what an account may see: households by name or reference, devices by hardware address, findings by name.

In: an open SQLAlchemy connection, `sees` (a condition on `schema.site`), and a text that was made tidy. Out: frozen rows.
Nothing is looked up outside (R42), and no payload is read: names of findings have a column of their own with an index.
Bounded: each list has at most `MOST` rows; one statement a list.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, String, and_, cast, func, or_, select, union

from dashboard.store.caseload import named
from dashboard.store.names import after_key
from dashboard.store.schema import device, finding, home, person, site

MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHousehold:
    """A household."""

    site: str
    title: str
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDevice:
    """A device that has, or had, the address."""

    site: str
    title: str
    device_id: str
    label: str | None
    standing: str
    last_seen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFinding:
    """A finding about the name, or a name that belongs to it."""

    site: str
    title: str
    finding_id: str
    kind: str
    severity: str
    state: str
    last_seen: float
    looked_at: float | None


def households(connection: Connection, sees: ColumnElement[bool], text: str) -> tuple[FoundHousehold, ...]:
    """Households of whose names or references the text is a part."""
    query = (
        select(site.c.site, site.c.title, person.c.reference)
        .join_from(site, home, home.c.site == site.c.site, isouter=True)
        .join(person, person.c.person_id == home.c.person_id, isouter=True)
        .where(sees, named(text))
        .order_by(site.c.title, site.c.site)
        .limit(MOST)
    )
    return tuple(FoundHousehold(**row) for row in connection.execute(query).mappings())


def devices(connection: Connection, sees: ColumnElement[bool], mac: str) -> tuple[FoundDevice, ...]:
    """Devices with a hardware address, or with one that begins so (`02:00:5e:00:53:01` or the first octets of it)."""
    # The list of addresses is JSON text; an address in it begins after a quotation mark.
    held = func.lower(cast(device.c.addresses, String))
    query = (
        select(
            device.c.site,
            site.c.title,
            device.c.device_id,
            device.c.label,
            device.c.standing,
            device.c.last_seen,
        )
        .join(site, site.c.site == device.c.site)
        .where(sees, held.like(f'%"{mac}%'))
        .order_by(device.c.last_seen.desc(), device.c.site, device.c.device_id)
        .limit(MOST)
    )
    return tuple(FoundDevice(**row) for row in connection.execute(query).mappings())


def findings(connection: Connection, sees: ColumnElement[bool], key: str) -> tuple[FoundFinding, ...]:
    """Findings about a name, or about one that belongs to it; `key` is of `store.names`. The latest first."""
    first, last = after_key(key)
    fields = [finding.c[name] for name in ("site", "finding_id", "kind", "severity", "state", "last_seen", "looked_at")]
    # Each column by its own index, and only then those that may be seen: the names are few among all findings.
    about = union(
        *(
            select(*fields).where(or_(column == key, and_(column >= first, column < last)))
            for column in (finding.c.name_key, finding.c.asked_key)
        )
    ).subquery()
    query = (
        select(about, site.c.title)
        .join(site, site.c.site == about.c.site)
        .where(sees)
        .order_by(about.c.last_seen.desc(), about.c.site, about.c.finding_id)
        .limit(MOST)
    )
    return tuple(FoundFinding(**row) for row in connection.execute(query).mappings())
