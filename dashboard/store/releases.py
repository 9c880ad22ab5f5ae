"""Releases of the box's software and who is to have which, as pages and rounds read and write them (R4).

In: an open connection and plain values. Out: frozen rows. Who gets a release when is said by its rings: a share of all
boxes and the moment from which they are told. A box's place among thousand is made of its id alone, so it is the same
for every release and nobody chooses it. Writers are called inside a transaction
and write the audit's line. Bounded: `MOST_RELEASES` releases of a tenant, `MOST_RINGS` rings,
`MOST_ROWS` rows a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from dashboard.store.queries import write_audit
from dashboard.store.schema import box_software, command, release, release_box, release_ring, site
from wire.release import Release, SignedRelease, parts

MOST_RELEASES = 100
MOST_RINGS = 8
MOST_ROWS = 100
SILENT_SECONDS = 3600.0
"""A box that was told and not heard of for so long counts as silent, not as under way."""
SECURITY_SECONDS = 72 * 3600.0
"""Within so long of its start every box is to have a release that mends a fault."""
REFUSED = ("refused", "out_of_sequence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Part of the boxes."""

    share: int
    """In thousandths of all, those of the rings before included."""
    opens_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRelease:
    """A release and how it stands."""

    release_id: str
    board: str
    version: str
    number: int
    security: bool
    expires: float
    added_at: float
    state: str
    """entered, going, halted."""
    started_at: float | None
    started_by: str | None
    changed_at: float | None
    reason: str
    pardoned: int
    statement: str
    rings: tuple[Ring, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many boxes of those that were told, by what became of it."""

    told: int = 0
    has: int = 0
    failed: int = 0
    rolled_back: int = 0
    refused: int = 0
    silent: int = 0

    @property
    def bad(self) -> int:
        """Boxes on which it did not work."""
        return self.failed + self.rolled_back + self.refused

    @property
    def under_way(self) -> int:
        """Boxes that have yet to say how it went."""
        return self.told - self.has - self.bad - self.silent


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxAt:
    """A box and how far it is."""

    site: str
    version: str
    stage: str
    detail: str
    heard_at: float | None


class NotTakenError(ValueError):
    """A statement that is not entered; the text says why."""


def number(version: str) -> int:
    """A version as a number that can be compared."""
    year, month, count = parts(version)
    return (year * 100 + month) * 10_000 + count


def place(site_id: str) -> int:
    """A box's place among thousand, from 0."""
    return int.from_bytes(hashlib.sha256(b"gatehouse/ring\n" + site_id.encode()).digest()[:8], "big") % 1000


# --- releases -----------------------------------------------------------------------------------


def add(connection: Connection, signed: SignedRelease, *, tenant: str, by: str, now: float) -> str:
    """Enter a statement whose signature held; its id. The same one again changes nothing.

    One about the same bundle that was signed later takes the place of the one before: what expires is signed anew.

    Raises:
        NotTakenError: another of the version and board is here, or there are too many.
    """
    plain = signed.release
    release_id = plain.sha256[:32]
    there = connection.execute(
        select(release.c.release_id, release.c.statement).where(
            release.c.tenant == tenant, release.c.board == plain.board, release.c.number == number(plain.version)
        )
    ).one_or_none()
    statement = signed.model_dump_json(exclude_none=True)
    if there is not None:
        if there.statement == statement:
            return str(there.release_id)
        if there.release_id == release_id and _statement(there.statement).release.issued < plain.issued:
            connection.execute(
                update(release)
                .where(release.c.release_id == release_id)
                .values(statement=statement, security=plain.security, expires=plain.expires.timestamp())
            )
            write_audit(connection, at=now, account_id=by, action="enter-release", subject=release_id, outcome="done")
            return release_id
        raise NotTakenError(f"Another statement about version {plain.version} for {plain.board} is here already")
    if connection.scalar(select(release.c.release_id).where(release.c.release_id == release_id)) is not None:
        raise NotTakenError("The same bundle is here already under another version")
    count = connection.scalar(select(func.count()).select_from(release).where(release.c.tenant == tenant)) or 0
    if count >= MOST_RELEASES:
        raise NotTakenError(f"There are {MOST_RELEASES} releases here already")
    connection.execute(
        insert(release).values(
            release_id=release_id,
            tenant=tenant,
            board=plain.board,
            version=plain.version,
            number=number(plain.version),
            statement=statement,
            security=plain.security,
            expires=plain.expires.timestamp(),
            added_at=now,
            by=by,
            state="entered",
            reason="",
            pardoned=0,
        )
    )
    write_audit(connection, at=now, account_id=by, action="enter-release", subject=release_id, outcome="done")
    return release_id


def start(connection: Connection, release_id: str, rings: Sequence[Ring], *, tenant: str, by: str, now: float) -> bool:
    """Have boxes told, ring by ring; False where it was started before or is not there."""
    changed = connection.execute(
        update(release)
        .where(release.c.release_id == release_id, release.c.tenant == tenant, release.c.state == "entered")
        .values(state="going", started_at=now, started_by=by, changed_at=now)
    ).rowcount
    if not changed:
        return False
    connection.execute(
        insert(release_ring),
        [
            {"release_id": release_id, "ring": ring, "share": each.share, "opens_at": each.opens_at}
            for ring, each in enumerate(rings[:MOST_RINGS])
        ],
    )
    write_audit(connection, at=now, account_id=by, action="start-release", subject=release_id, outcome="done")
    return True


def halt(connection: Connection, release_id: str, reason: str, *, tenant: str, by: str | None, now: float) -> bool:
    """Tell no more boxes; `by` None: the service itself did, for too many failures."""
    changed = connection.execute(
        update(release)
        .where(release.c.release_id == release_id, release.c.tenant == tenant, release.c.state == "going")
        .values(state="halted", reason=reason[:300], changed_at=now)
    ).rowcount
    if changed:
        outcome = "done" if by else "automatic"
        write_audit(connection, at=now, account_id=by, action="halt-release", subject=release_id, outcome=outcome)
    return bool(changed)


def resume(connection: Connection, release_id: str, reason: str, *, tenant: str, by: str, now: float) -> bool:
    """Let it go on; failures that are there already do not halt it again."""
    stored = one(connection, tenant, release_id)
    if stored is None or stored.state != "halted":
        return False
    connection.execute(
        update(release)
        .where(release.c.release_id == release_id)
        .values(state="going", reason=reason[:300], changed_at=now, pardoned=progress(connection, stored, now=now).bad)
    )
    write_audit(connection, at=now, account_id=by, action="resume-release", subject=release_id, outcome="done")
    return True


def all_of(connection: Connection, tenant: str, *, state: str | None = None) -> tuple[StoredRelease, ...]:
    """The releases of a tenant, newest version first."""
    wanted = select(release).where(release.c.tenant == tenant)
    if state is not None:
        wanted = wanted.where(release.c.state == state)
    rows = connection.execute(wanted.order_by(release.c.number.desc(), release.c.board).limit(MOST_RELEASES)).all()
    rings: dict[str, list[Ring]] = {}
    ids = [row.release_id for row in rows]
    for ring in connection.execute(
        select(release_ring)
        .where(release_ring.c.release_id.in_(ids))
        .order_by(release_ring.c.release_id, release_ring.c.ring)
        .limit(MOST_RELEASES * MOST_RINGS)
    ):
        rings.setdefault(ring.release_id, []).append(Ring(share=ring.share, opens_at=ring.opens_at))
    return tuple(_stored(row, rings.get(row.release_id, ())) for row in rows)


def one(connection: Connection, tenant: str, release_id: str) -> StoredRelease | None:
    """One release; None where there is none of that id."""
    row = connection.execute(
        select(release).where(release.c.tenant == tenant, release.c.release_id == release_id)
    ).one_or_none()
    if row is None:
        return None
    rings = connection.execute(
        select(release_ring).where(release_ring.c.release_id == release_id).order_by(release_ring.c.ring)
    )
    return _stored(row, [Ring(share=ring.share, opens_at=ring.opens_at) for ring in rings])


def _stored(row: Row[tuple[object, ...]], rings: Sequence[Ring]) -> StoredRelease:
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    names = (
        "release_id", "board", "version", "number", "security", "expires", "added_at", "state", "started_at",
        "started_by", "changed_at", "reason", "pardoned", "statement",
    )  # fmt: skip
    return StoredRelease(rings=tuple(rings), **{name: fields[name] for name in names})


def open_share(stored: StoredRelease, now: float) -> int:
    """Thousandths of the boxes that are told by now."""
    return max((ring.share for ring in stored.rings if ring.opens_at <= now), default=0)


# --- boxes --------------------------------------------------------------------------------------


def became(stored: StoredRelease, now: float) -> ColumnElement[str]:
    """What became of it on a box that was told."""
    here = box_software.c
    about = here.wanted == stored.number
    return case(
        (here.number >= stored.number, "has"),
        (and_(about, here.stage == "failed"), "failed"),
        (and_(about, here.stage == "rolled-back"), "rolled_back"),
        (command.c.state.in_(REFUSED), "refused"),
        (or_(site.c.heard_at.is_(None), site.c.heard_at < now - SILENT_SECONDS), "silent"),
        else_="under_way",
    )


def progress(connection: Connection, stored: StoredRelease, *, now: float, ring: int | None = None) -> Progress:
    """What became of it; `ring`: only of that ring's own boxes."""
    what = became(stored, now)
    within: ColumnElement[bool] = true()
    if ring is not None:
        low = stored.rings[ring - 1].share if ring else 0
        within = and_(box_software.c.place >= low, box_software.c.place < stored.rings[ring].share)
    rows = connection.execute(
        select(what, func.count())
        .select_from(release_box)
        .join(site, site.c.site == release_box.c.site)
        .join(box_software, box_software.c.site == release_box.c.site)
        .outerjoin(command, command.c.command_id == release_box.c.order_id)
        .where(release_box.c.release_id == stored.release_id, within)
        .group_by(what)
    ).all()
    sums = {str(key): int(count) for key, count in rows}
    return Progress(
        told=sum(sums.values()),
        has=sums.get("has", 0),
        failed=sums.get("failed", 0),
        rolled_back=sums.get("rolled_back", 0),
        refused=sums.get("refused", 0),
        silent=sums.get("silent", 0),
    )


def without(connection: Connection, stored: StoredRelease, *, now: float) -> tuple[tuple[str, BoxAt], ...]:
    """Boxes that were told and do not have it, with what became of it; those where it went wrong first."""
    what = became(stored, now).label("became")
    order = case((what.in_(("failed", "rolled_back", "refused")), 0), (what == "silent", 1), else_=2)
    rows = connection.execute(
        select(what, box_software, site.c.heard_at)
        .select_from(release_box)
        .join(site, site.c.site == release_box.c.site)
        .join(box_software, box_software.c.site == release_box.c.site)
        .outerjoin(command, command.c.command_id == release_box.c.order_id)
        .where(
            release_box.c.release_id == stored.release_id,
            or_(box_software.c.number.is_(None), box_software.c.number < stored.number),
        )
        .order_by(order, release_box.c.ordered_at, release_box.c.site)
        .limit(MOST_ROWS)
    )
    return tuple((str(row.became), _box(row)) for row in rows)


def overdue(connection: Connection, stored: StoredRelease, *, tenant: str, now: float) -> tuple[tuple[BoxAt, ...], int]:
    """Boxes that should have a release that mends a fault by now, and do not: the first of them, and how many."""
    if not stored.security or stored.started_at is None or now < stored.started_at + SECURITY_SECONDS:
        return (), 0
    where = and_(
        site.c.tenant == tenant,
        site.c.revoked_at.is_(None),
        box_software.c.board == stored.board,
        box_software.c.number < stored.number,
    )
    joined = select(box_software, site.c.heard_at).join(site, site.c.site == box_software.c.site).where(where)
    count = connection.scalar(select(func.count()).select_from(joined.subquery())) or 0
    rows = connection.execute(joined.order_by(box_software.c.site).limit(MOST_ROWS))
    return tuple(_box(row) for row in rows), int(count)


def _box(row: Row[tuple[object, ...]]) -> BoxAt:
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return BoxAt(
        site=fields["site"],
        version=fields["version"] or "",
        stage=fields["stage"],
        detail=fields["detail"],
        heard_at=fields["heard_at"],
    )


def release_of(stored: StoredRelease) -> Release:
    """What the statement says."""
    return _statement(stored.statement).release


def _statement(text: str) -> SignedRelease:
    return SignedRelease.model_validate_json(text)
