"""What waits in all households of a tenant, by cause: what *Today* and *Households* read.

In: an open SQLAlchemy connection. Out: frozen rows. Findings of a household with one cause are one item;
one that names no cause belongs with those of its kind. What somebody has decided about waits no more. Findings
for information wait for nobody and are only counted. Bounded: at most `MOST_CAUSES` causes, `MOST_NAMED` findings of each; counts are of all.
The statements are as many however many findings there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import ColumnElement, Connection, and_, distinct, func, or_, select, tuple_

from dashboard.store.devices import StoredDevice, roots
from dashboard.store.queries import in_scope, rank, waits_for_nobody
from dashboard.store.schema import finding, site

MOST_CAUSES = 500
MOST_NAMED = 4
MOST_BOXES = 500

_key = func.coalesce(finding.c.cause, finding.c.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFinding:
    """An open finding with what is known of its device, without its payload."""

    site: str
    finding_id: str
    kind: str
    severity: str
    device_id: str | None
    raised_at: float
    last_seen: float
    count: int
    device: StoredDevice | None
    """The device that it counts as part of, where that is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Open findings of one household that belong together."""

    site: str
    key: str
    number: int
    """All of them, named below or not."""
    kinds: int
    """Of how many kinds they are."""
    raised_at: float
    """When the oldest was."""
    last_seen: float
    """When the latest was."""
    worst: int
    """Rank of the worst: its place in `Severity`."""
    findings: tuple[OpenFinding, ...]
    """The worst, oldest first; empty only where they were not to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How much is open in a household."""

    causes: int
    findings: int
    informs: int
    """For information alone."""


def open_causes(
    connection: Connection,
    tenant: str,
    *,
    without: Collection[str],
    within: ColumnElement[bool] | None = None,
    shown: tuple[int, int] = (MOST_CAUSES, MOST_CAUSES),
    devices: bool = True,
) -> tuple[Cause, ...]:
    """Causes that wait for an officer, worst first, then oldest.

    Args:
        connection: open.
        tenant: whose.
        without: kinds that wait for nobody.
        within: households to look at (`charge.sees`); so in all of these.
        shown: of how many households, and how many causes of each, the findings are read; others have none.
        devices: whether what is known of their devices is read too.
    """
    groups = (
        select(
            finding.c.site,
            _key.label("key"),
            func.count().label("number"),
            func.count(distinct(finding.c.kind)).label("kinds"),
            func.min(finding.c.raised_at).label("raised_at"),
            func.max(finding.c.last_seen).label("last_seen"),
            func.min(rank).label("worst"),
        )
        .join(site, site.c.site == finding.c.site)
        .where(site.c.tenant == tenant, in_scope(within), *_waiting(without))
        .group_by(finding.c.site, _key)
        .order_by(func.min(rank), func.min(finding.c.raised_at), finding.c.site, _key)
        .limit(MOST_CAUSES)
    )
    rows = connection.execute(groups).mappings().all()
    named = _named(connection, _first([(row["site"], row["key"]) for row in rows], *shown), without, devices=devices)
    return tuple(Cause(**row, findings=tuple(named.get((row["site"], row["key"]), ()))) for row in rows)


def count_waiting(
    connection: Connection, tenant: str, *, without: Collection[str], within: ColumnElement[bool] | None = None
) -> dict[str, Waits]:
    """How much is open, by household that has anything open."""
    informs = waits_for_nobody
    waits = and_(~informs, finding.c.looked_at.is_(None))
    query = (
        select(
            finding.c.site,
            func.count(distinct(_key)).filter(waits).label("causes"),
            func.count().filter(waits).label("findings"),
            func.count().filter(informs).label("informs"),
        )
        .join(site, site.c.site == finding.c.site)
        .where(
            site.c.tenant == tenant,
            in_scope(within),
            finding.c.state == "open",
            or_(informs, finding.c.looked_at.is_(None)),
            finding.c.kind.not_in(sorted(without)),
        )
        .group_by(finding.c.site)
    )
    return {
        site_id: Waits(causes=causes, findings=findings, informs=number)
        for site_id, causes, findings, number in connection.execute(query)
    }


def ailing(
    connection: Connection, tenant: str, *, kinds: Collection[str], within: ColumnElement[bool] | None = None
) -> tuple[tuple[str, str, int], ...]:
    """(household, kind, number) of open findings of these kinds; at most `MOST_BOXES`."""
    query = (
        select(finding.c.site, finding.c.kind, func.count())
        .join(site, site.c.site == finding.c.site)
        .where(
            site.c.tenant == tenant,
            in_scope(within),
            finding.c.state == "open",
            ~waits_for_nobody,
            finding.c.kind.in_(sorted(kinds)),
        )
        .group_by(finding.c.site, finding.c.kind)
        .order_by(finding.c.site, finding.c.kind)
        .limit(MOST_BOXES)
    )
    return tuple((row[0], row[1], row[2]) for row in connection.execute(query))


def _first(keys: Sequence[tuple[str, str]], homes: int, each: int) -> list[tuple[str, str]]:
    """The first keys of the households that come first."""
    wanted = set(islice(dict.fromkeys(site_id for site_id, _ in keys), homes))
    seen: Counter[str] = Counter()
    found = []
    for key in keys:
        seen[key[0]] += 1
        if key[0] in wanted and seen[key[0]] <= each:
            found.append(key)
    return found


def _named(
    connection: Connection, keys: Sequence[tuple[str, str]], without: Collection[str], *, devices: bool
) -> dict[tuple[str, str], list[OpenFinding]]:
    order = (rank, finding.c.raised_at, finding.c.finding_id)
    numbered = (
        select(
            finding.c.site,
            _key.label("key"),
            finding.c.finding_id,
            finding.c.kind,
            finding.c.severity,
            finding.c.device_id,
            finding.c.raised_at,
            finding.c.last_seen,
            finding.c["count"].label("count"),
            func.row_number().over(partition_by=(finding.c.site, _key), order_by=order).label("place"),
        )
        .where(*_waiting(without), tuple_(finding.c.site, _key).in_(keys))
        .subquery()
    )
    query = select(numbered).where(numbered.c.place <= MOST_NAMED).order_by(numbered.c.place)
    rows = connection.execute(query).mappings().all()
    about = {(row["site"], row["device_id"]) for row in rows if row["device_id"] is not None}
    known = roots(connection, about) if devices else {}
    found: dict[tuple[str, str], list[OpenFinding]] = {}
    for row in rows:
        fields = {name: row[name] for name in row if name not in {"key", "place"}}
        device = known.get((row["site"], row["device_id"]))
        found.setdefault((row["site"], row["key"]), []).append(OpenFinding(**fields, device=device))
    return found


def _waiting(without: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        finding.c.state == "open",
        finding.c.looked_at.is_(None),
        ~waits_for_nobody,
        finding.c.kind.not_in(sorted(without)),
    )
