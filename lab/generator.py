"""Fills a dashboard's database with many made-up households: the same seed and sizes, the same rows.

In: an engine whose tables are up to date, sizes. Out: rows of the real tables, made of the wire's own payloads by the
code that ingest stores them with; only the long tail of events is written in bulk, each as such a payload again, by
the database itself. Bounded by the sizes; memory holds one household at a time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, bindparam, insert, select, text, update

from dashboard.demo.story import DAY, SITUATIONS, Plan, Situation, device_id, mac, status, tell
from dashboard.ingest.rows import Rows
from dashboard.store import schema
from wire.models import Session, type_of

AT_ONCE = 25
"""Households in one transaction."""
_TAIL = 500_000
"""Events in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much there is to be."""

    households: int = 1000
    devices: int = 20
    events: int = 1_000_000
    officers: int = 16
    days: int = 28
    seed: str = "gatehouse"
    tenant: str = "northmoor"


def fill(engine: Engine, sizes: Sizes, now: float, say: Callable[[str], None] = lambda _: None) -> None:
    """Write everything; the tables are to be empty."""
    with engine.begin() as connection:
        _officers(connection, sizes)
    for first in range(0, sizes.households, AT_ONCE):
        with engine.begin() as connection:
            for number in range(first, min(first + AT_ONCE, sizes.households)):
                household(connection, sizes, number, now)
    say(f"{sizes.households:,} households")
    made = 0
    while made < sizes.events:
        step = min(_TAIL, sizes.events - made)
        with engine.begin() as connection:
            _tail(connection, sizes, made, step, now)
        made += step
        say(f"{made:,} events")
    _analyse(engine)


def site_id(number: int) -> str:
    """Id of the household with a number."""
    return f"site-{number + 1:05d}"


def officer_of(sizes: Sizes, number: int) -> str:
    """Account in charge of the household with a number."""
    return f"acc-made-{number % sizes.officers + 1:03d}"


def _officers(connection: Connection, sizes: Sizes) -> None:
    rows = [
        {"account_id": officer_of(sizes, number), "name": f"Officer {number + 1}", "role": "officer", "failures": 0}
        for number in range(sizes.officers)
    ]
    connection.execute(insert(schema.account), rows)


def household(connection: Connection, sizes: Sizes, number: int, now: float) -> None:
    """One household with its person, devices, stays, findings and what was decided about them."""
    site, seed = site_id(number), f"{sizes.seed}/{number}"
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    officer = officer_of(sizes, number)
    heard = now - (chance.uniform(1, 60) if chance.random() > 0.02 else chance.uniform(3600, 3 * DAY))
    said = status(heard).model_dump(mode="json", exclude_none=True)
    connection.execute(
        insert(schema.site).values(
            site=site,
            tenant=sizes.tenant,
            title=f"NM-{number + 1:05d}",
            verify_key="A" * 44,
            seal_key="A" * 44,
            status=said,
            status_at=heard,
            status_id=f"0made-s{int(heard)}",
            heard_at=heard,
        )
    )
    connection.execute(
        insert(schema.assignment).values(site=site, account_id=officer, since=now - sizes.days * DAY, by=officer)
    )
    person = f"{number + 1:032x}"
    risk = chance.choice(("low", "medium", "medium", "high", "very-high"))
    changed = {"revision": 1, "changed_at": now - sizes.days * DAY, "by": officer}
    connection.execute(
        insert(schema.person).values(
            person_id=person, tenant=sizes.tenant, reference=f"REF{number + 1:05d}", risk=risk, **changed
        )
    )
    connection.execute(
        insert(schema.home).values(site=site, person_id=person, since=now - sizes.days * DAY, by=officer)
    )
    rows = Rows(connection, now)
    plan = Plan(seed=seed, devices=sizes.devices, days=sizes.days, situations=_situations(chance, sizes.devices))
    for payload in tell(plan, now):
        rows.store(site, payload, payload.model_dump(mode="json", exclude_none=True))
    rows.flush()
    _reviews(connection, site, officer, chance, now)


def _situations(chance: random.Random, devices: int) -> tuple[Situation, ...]:
    """Few households have much that is open; all have a past."""
    opened = [item for item in SITUATIONS if item.closed is None]
    closed = [item for item in SITUATIONS if item.closed is not None]
    wanted = chance.choices((0, 1, 3, len(opened)), (60, 25, 12, 3))[0]
    found = chance.sample(opened, wanted) + [chance.choice(closed) for _ in range(chance.randrange(4, 16))]
    return tuple(item for item in found if item.device is None or item.device < devices)


def _reviews(connection: Connection, site: str, officer: str, chance: random.Random, now: float) -> None:
    finding = schema.finding.c
    query = select(finding.finding_id, finding.last_seen, finding.severity).where(finding.site == site)
    rows = []
    for found in connection.execute(query.order_by(finding.finding_id)).all():
        if chance.random() < 0.7:
            at = found.last_seen + chance.uniform(0.1, 1) * (now - found.last_seen)
            said = {"action": "none", "outcome": "explained", "reason": "Looked at and talked about.", "by": officer}
            rows.append(
                {
                    "site": site,
                    "finding_id": found.finding_id,
                    "version": 1,
                    "state": "settled",
                    "at": at,
                    "severity": found.severity,
                    "revision": 1,
                    **said,
                }
            )
    if rows:
        connection.execute(insert(schema.review), rows)
        keys = ("site", "finding_id", "version", "action", "outcome", "reason", "by", "at")
        acts = [
            {key: row[key] for key in keys} | {"act": "decide", "token": f"{site}-{row['finding_id']}"} for row in rows
        ]
        connection.execute(insert(schema.review_act), acts)
        decided = and_(schema.finding.c.site == site, schema.finding.c.finding_id == bindparam("which"))
        looked = [{"which": row["finding_id"], "looked": row["at"]} for row in rows]
        connection.execute(update(schema.finding).where(decided).values(looked_at=bindparam("looked")), looked)


_EVENTS = {
    "postgresql": """
INSERT INTO event (source, id, site, type, digest, received_at, payload)
SELECT 'urn:gatehouse:{tenant}:' || s, '0made-' || n, s, '{type}', encode(sha256(convert_to(s || n, 'UTF8')), 'hex'),
       {began} + {width} * (n + 0.5) / {all}, replace('{payload}', '@', n::text)::json
FROM (SELECT n, 'site-' || lpad((n % {households} + 1)::text, 5, '0') AS s FROM generate_series({first}, {last}) AS n) AS t
""",
    "sqlite": """
INSERT INTO event (source, id, site, type, digest, received_at, payload)
SELECT 'urn:gatehouse:{tenant}:' || s, '0made-' || n, s, '{type}', printf('%064x', n),
       {began} + {width} * (n + 0.5) / {all}, replace('{payload}', '@', n)
FROM (WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last})
      SELECT n, printf('site-%05d', n % {households} + 1) AS s FROM c)
""",
}


def _tail(connection: Connection, sizes: Sizes, made: int, step: int, now: float) -> None:
    """Events as they were kept: each a stay that came and went."""
    stay = next(item for item in tell(Plan(seed=sizes.seed, devices=1, days=3), now) if isinstance(item, Session))
    # The one number in it that differs from event to event.
    payload = stay.model_copy(update={"session_id": "stay-@", "device_id": device_id(0), "mac": mac(sizes.seed, 0)})
    statement = _EVENTS[connection.dialect.name].format(
        tenant=sizes.tenant,
        type=type_of(stay).ce_type,
        began=now - sizes.days * DAY,
        width=sizes.days * DAY,
        all=sizes.events,
        payload=payload.model_dump_json(exclude_none=True),
        households=sizes.households,
        first=made,
        last=made + step - 1,
    )
    connection.exec_driver_sql(statement.replace("%", "%%") if connection.dialect.name == "postgresql" else statement)


def _analyse(engine: Engine) -> None:
    """Let the database count what there is, as it does by itself in time."""
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
