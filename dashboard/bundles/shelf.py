"""Bundles at the dashboard: built on a box, fetched part by part, completed, certified, read (R68, N12).

In: `BundleBuilt` and `BundlePart` as boxes say them (handlers of `ingest.handlers`), rounds. Out: rows of `bundle`, sealed
parts, orders that ask for what is missing, and for the pages `bundles_of`, `certify`, `chunk_of`.

States: `fetching` (parts are missing), `arrived` (all are here, to be completed where the keys are: `finishing`), `complete`,
`failed` (with the reason in words), `gone` (its time here is over: `store.retention`). Bounded: `MAX_BUNDLES` a household, the parts that the box named, one order at a time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from dashboard.store.schema import bundle, bundle_file, bundle_part, command
from wire.acts import FetchBundle
from wire.base import Payload
from wire.bundles import MAX_PARTS, PART_OCTETS, SEALED_MORE, BundleBuilt, BundlePart
from wire.codec import Opened

MAX_BUNDLES = 32
MOST_SHOWN = 100
WINDOW = 256
"""Parts that one order asks for: five mebibytes."""
ASK_AGAIN = 20.0
"""Seconds without a new part after which what is missing is asked for again."""
LIFETIME = 600.0
MAX_STATEMENT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """A bundle as the pages show it."""

    site: str
    bundle_id: str
    state: str
    problem: str
    parts: int
    arrived: int
    """Parts that are here."""
    records: int
    built_at: float
    """Unix seconds."""
    expires: float
    """When the box deletes its own."""
    completed_at: float | None
    octets: int | None
    sha256: str | None
    """Of the finished zip."""
    certified_by: str | None
    certified_at: float | None
    certified_text: str | None


# --- what boxes say -----------------------------------------------------------------------------


def take_built(connection: Connection, opened: Opened, now: float) -> list[Payload]:
    """A box built a bundle, or could not. It counts only where it was asked for from here."""
    said = opened.payload
    site = opened.topic.site
    if not isinstance(said, BundleBuilt) or _row(connection, site, said.bundle_id) is not None:
        return []
    asked = _order(connection, site, said.bundle_id)
    kept = (bundle.c.site == site) & bundle.c.state.not_in(("failed", "gone"))
    held = connection.execute(select(func.count()).select_from(bundle).where(kept)).scalar_one()
    if asked is None or held >= MAX_BUNDLES:
        return []
    fits = 0 < said.parts <= MAX_PARTS and said.octets <= said.parts * PART_OCTETS
    problem = said.problem or ("" if fits else "What the box says of the bundle cannot be.")
    connection.execute(
        insert(bundle).values(
            site=site,
            bundle_id=said.bundle_id,
            state="failed" if problem else "fetching",
            problem=problem,
            by=asked,
            parts=said.parts,
            data_octets=said.octets,
            data_sha256=said.sha256,
            records=said.records,
            built_at=said.at.timestamp(),
            expires=said.expires.timestamp(),
            asked_at=None,
            progress_at=now,
        )
    )
    return []


def take_part(connection: Connection, opened: Opened, now: float) -> list[Payload]:
    """A part came; what is here already, or of no bundle that is being fetched, changes nothing."""
    said = opened.payload
    site = opened.topic.site
    if not isinstance(said, BundlePart):
        return []
    row = _row(connection, site, said.bundle_id)
    try:
        sealed = base64.b64decode(said.data, validate=True)
    except binascii.Error:
        return []
    if row is None or row["state"] != "fetching" or said.number >= row["parts"]:
        return []
    if len(sealed) > PART_OCTETS + SEALED_MORE:
        return []
    key = (
        (bundle_part.c.site == site)
        & (bundle_part.c.bundle_id == said.bundle_id)
        & (bundle_part.c.number == said.number)
    )
    if connection.execute(select(bundle_part.c.number).where(key)).first() is not None:
        return []
    connection.execute(insert(bundle_part).values(site=site, bundle_id=said.bundle_id, number=said.number, data=sealed))
    whole = _arrived(connection, site, said.bundle_id) == row["parts"]
    _change(connection, site, said.bundle_id, progress_at=now, **({"state": "arrived"} if whole else {}))
    return []


def ask_missing(connection: Connection, *, tenant: str, now: float) -> int:
    """Ask boxes for parts that are missing, one order a bundle at a time; how many orders."""
    from dashboard.store.schema import site as sites  # noqa: PLC0415 - `site` is a value everywhere else here

    statement = (
        select(bundle)
        .join(sites, sites.c.site == bundle.c.site)
        .where(sites.c.tenant == tenant, bundle.c.state == "fetching")
        .order_by(bundle.c.built_at)
        .limit(MAX_BUNDLES)
    )
    asked = 0
    for row in connection.execute(statement).mappings().all():
        if row["expires"] <= now:
            why = "Its time on the box was over before all of it had come. Ask for it anew."
            _change(connection, row["site"], row["bundle_id"], state="failed", problem=why)
            continue
        if row["asked_at"] is not None and now - row["asked_at"] < LIFETIME and _waits(connection, row, now):
            continue
        first, window = _next_missing(connection, row)
        quiet = now - max(row["progress_at"], row["asked_at"] or 0.0) >= ASK_AGAIN
        if row["asked_at"] is not None and not quiet and first < row["asked_upto"]:
            continue
        _send(connection, row, first, window, now)
        _change(connection, row["site"], row["bundle_id"], asked_at=now, asked_upto=first + window)
        asked += 1
    _release(connection, tenant=tenant, now=now)
    return asked


def _release(connection: Connection, *, tenant: str, now: float) -> None:
    """Tell boxes, once each, of bundles that are complete here: asked for what lies behind the end, they delete theirs."""
    from dashboard.store.schema import site as sites  # noqa: PLC0415 - as above

    statement = (
        select(bundle)
        .join(sites, sites.c.site == bundle.c.site)
        .where(sites.c.tenant == tenant, bundle.c.state == "complete", bundle.c.expires > now)
        .where(bundle.c.asked_upto <= bundle.c.parts)
        .limit(MAX_BUNDLES)
    )
    for row in connection.execute(statement).mappings().all():
        _send(connection, row, row["parts"], 1, now)
        _change(connection, row["site"], row["bundle_id"], asked_upto=row["parts"] + 1)


def _send(connection: Connection, row: Any, first: int, count: int, now: float) -> None:
    order = FetchBundle(bundle_id=row["bundle_id"], first=first, count=count)
    name = f"{row['site']}/{row['bundle_id']}/{first}/{now!r}"
    connection.execute(
        insert(command).values(
            command_id=hashlib.sha256(name.encode()).hexdigest()[:32],
            site=row["site"],
            device_id=None,
            body=order.model_dump(mode="json", exclude_none=True),
            reason="",
            by=row["by"],
            created_at=now,
            expires_at=now + LIFETIME,
            state="waiting",
            detail="",
        )
    )


# --- for the pages ------------------------------------------------------------------------------


def bundles_of(connection: Connection, site: str) -> list[Shelved]:
    """Bundles of a household, the newest first; at most `MOST_SHOWN`."""
    query = select(bundle).where(bundle.c.site == site).order_by(bundle.c.built_at.desc()).limit(MOST_SHOWN)
    rows = connection.execute(query).mappings()
    return [
        Shelved(
            site=site,
            bundle_id=row["bundle_id"],
            state=row["state"],
            problem=row["problem"],
            parts=row["parts"],
            arrived=_arrived(connection, site, row["bundle_id"]),
            records=row["records"],
            built_at=row["built_at"],
            expires=row["expires"],
            completed_at=row["completed_at"],
            octets=row["octets"],
            sha256=row["sha256"],
            certified_by=row["certified_by"],
            certified_at=row["certified_at"],
            certified_text=row["certified_text"],
        )
        for row in rows.all()
    ]


def certify(connection: Connection, *, site: str, bundle_id: str, by: str, text: str, now: float) -> bool:
    """Add a certifying officer's statement: the bundle is completed anew with it. False where that cannot be."""
    row = _row(connection, site, bundle_id)
    text = " ".join(text.split())[:MAX_STATEMENT]
    if row is None or row["state"] != "complete" or row["certified_by"] is not None or not text:
        return False
    _change(connection, site, bundle_id, state="arrived", certified_by=by, certified_at=now, certified_text=text)
    return True


def chunk_of(connection: Connection, site: str, bundle_id: str, number: int, *, sha256: str | None) -> bytes | None:
    """A chunk of a finished bundle, from 0; None after the last, or where the bundle is not (any more) that of the digest."""
    row = _row(connection, site, bundle_id)
    if row is None or row["state"] != "complete" or row["sha256"] != sha256:
        return None
    key = (bundle_file.c.site == site) & (bundle_file.c.bundle_id == bundle_id) & (bundle_file.c.number == number)
    chunk = connection.execute(select(bundle_file.c.data).where(key)).scalar_one_or_none()
    return None if chunk is None else bytes(chunk)


# --- rows ---------------------------------------------------------------------------------------


def _row(connection: Connection, site: str, bundle_id: str) -> dict[str, Any] | None:
    statement = select(bundle).where(bundle.c.site == site, bundle.c.bundle_id == bundle_id)
    row = connection.execute(statement).mappings().first()
    return None if row is None else dict(row)


def _change(connection: Connection, site: str, bundle_id: str, **values: Any) -> None:
    which = (bundle.c.site == site) & (bundle.c.bundle_id == bundle_id)
    connection.execute(update(bundle).where(which).values(**values))


def _arrived(connection: Connection, site: str, bundle_id: str) -> int:
    which = (bundle_part.c.site == site) & (bundle_part.c.bundle_id == bundle_id)
    return connection.execute(select(func.count()).select_from(bundle_part).where(which)).scalar_one()


def _next_missing(connection: Connection, row: Any) -> tuple[int, int]:
    """The first part that is missing, and how many to ask for from there."""
    which = (bundle_part.c.site == row["site"]) & (bundle_part.c.bundle_id == row["bundle_id"])
    here = set(connection.execute(select(bundle_part.c.number).where(which)).scalars())
    first = next(number for number in range(row["parts"] + 1) if number not in here)
    return first, max(1, min(WINDOW, row["parts"] - first))


def _order(connection: Connection, site: str, bundle_id: str) -> str | None:
    """Who asked for a bundle of this name at this household; None where nobody did."""
    statement = (
        select(command.c.by, command.c.body)
        .where(command.c.site == site, command.c.body["bundle_id"].as_string() == bundle_id)
        .order_by(command.c.created_at)
    )
    for row in connection.execute(statement):
        if row.body.get("action") == "build-bundle":
            return str(row.by)
    return None


def _waits(connection: Connection, row: Any, now: float) -> bool:
    """Whether an order for parts of it is still on its way: a box that is away is not asked anew all the time."""
    wanted = command.c.body["bundle_id"].as_string() == row["bundle_id"]
    on_its_way = command.c.state.in_(("waiting", "sent")) & (command.c.expires_at > now)
    statement = select(command.c.body).where(command.c.site == row["site"], wanted, on_its_way)
    return any(body.get("action") == "fetch-bundle" for body in connection.execute(statement).scalars())
