"""Heads of boxes' ledgers: judged, kept, and counter-signed where they continue what was counter-signed before (R68).

In: `Head` and `LedgerSeed` as they arrive, in any order. Out: rows that are only ever added, `HeadCosigned` to the box,
and a finding where two heads contradict each other: a box was copied or set back, or its log was altered. From then
on nothing of that log (site and epoch) is counter-signed any more. A box that says its head with a proof from
elsewhere is told the head that was counter-signed last, and proves from there with its next one.

Bounded: one row a head, at most one a second from a box that behaves (`keeper.ledger.heads`); a proof as `wire.merkle` bounds it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Row, and_, exists, func, select

from dashboard.store import schema
from dashboard.store.own import close_own, raise_own
from wire.base import Payload
from wire.codec import Opened
from wire.findings import FindingKind, Severity
from wire.keys import KeyFileError, verify_key
from wire.ledger import Head, HeadCosigned, LedgerSeed, cosigned_bytes, head_bytes, holds, signed
from wire.merkle import verify_consistency

UNPROVED_HEADS, UNPROVED_SECONDS = 5, 600.0
"""So many heads without proof, over so long, since the last counter-signed one are a finding. An honest box's next head
proves from where it was told to; only its answers being lost for all of that time would make it say so."""


class Verdict(StrEnum):
    """What became of a head."""

    COSIGNED = "cosigned"
    UNPROVED = "unproved"
    """Its proof begins elsewhere; the next one is to begin at what was counter-signed last."""
    LATE = "late"
    """It was overtaken on its way by a larger one."""
    CONFLICT = "conflict"
    """It contradicts one that was counter-signed, or seen."""
    REFUSED = "refused"
    """Of a log with a conflict."""
    UNSIGNED = "unsigned"
    """Its signature is not the box's, or it is not about this box and epoch."""


def take_head(connection: Connection, opened: Opened, now: float, *, signing_key: Ed25519PrivateKey) -> list[Payload]:
    """Judge and keep a head; what the box is told. A handler of `ingest.handlers`, but for the key."""
    head = opened.payload
    if not isinstance(head, Head):
        return []
    site, seq = opened.topic.site, _seq(opened)
    # One worker judges a box's heads at a time, where the database knows row locks; SQLite has one writer anyway.
    connection.execute(select(schema.site.c.site).where(schema.site.c.site == site).with_for_update(key_share=True))
    last = _last(connection, site, head.epoch)
    verdict = _judge(connection, opened, head, seq, last)
    said: HeadCosigned | None = None
    if verdict is Verdict.COSIGNED:
        said = _cosign(head, now, signing_key)
    connection.execute(
        schema.ledger_head.insert().values(
            site=site,
            epoch=head.epoch,
            seq=seq,
            size=head.size,
            root=head.root,
            since=head.since,
            consistency=list(head.consistency),
            at=head.at.model_dump(mode="json", exclude_none=True),
            signature=head.signature,
            received_at=now,
            verdict=verdict.value,
            cosigned_at=None if said is None else said.at.timestamp(),
            cosignature=None if said is None else said.signature,
        )
    )
    if verdict is Verdict.CONFLICT:
        raise_own(
            connection,
            site=site,
            kind=FindingKind.LEDGER_CONFLICT,
            cause=f"ledger-{head.epoch}"[:64],
            severity=Severity.TODAY,
            reasons=(
                "The box gave two accounts of the same time that cannot both be true.",
                "Nothing of this log is confirmed by the server from now on.",
            ),
            alternatives=(
                "The box's storage was copied, and the copy runs too.",
                "The box's storage was set back to an older copy, for example during a repair.",
            ),
            at=now,
        )
    _told_of_unproved(connection, (site, head.epoch), verdict, last, now)
    if said is not None:
        return [said]
    if verdict in (Verdict.UNPROVED, Verdict.LATE) and last is not None:
        return [_again(head, last, now, signing_key)]
    return []


def _told_of_unproved(
    connection: Connection, log: tuple[str, str], verdict: Verdict, last: Row[tuple[object, ...]] | None, now: float
) -> None:
    """Raise, or close, the finding about a box that does not prove that its log goes on from what was confirmed."""
    site, epoch = log
    cause = f"unproved-{epoch}"[:64]
    if verdict is Verdict.COSIGNED:
        because = "The box has shown that its log goes on from what was confirmed."
        close_own(connection, site=site, kind=FindingKind.LEDGER_CONFLICT, cause=cause, because=because, at=now)
    elif verdict is Verdict.UNPROVED and last is not None:
        table = schema.ledger_head.c
        count, first = connection.execute(
            select(func.count(), func.min(table.received_at)).where(
                table.site == site,
                table.epoch == epoch,
                table.verdict == Verdict.UNPROVED.value,
                table.received_at >= last._mapping["cosigned_at"],  # noqa: SLF001 - SQLAlchemy's public name for it
            )
        ).one()
        if count >= UNPROVED_HEADS and now - first >= UNPROVED_SECONDS:
            raise_own(
                connection,
                site=site,
                kind=FindingKind.LEDGER_CONFLICT,
                cause=cause,
                severity=Severity.TODAY,
                reasons=(
                    "The box does not show that its log goes on from what the server had confirmed.",
                    "Until it does, nothing new of it is confirmed.",
                ),
                alternatives=(
                    "What the server answers does not reach the box.",
                    "The box's storage was altered or exchanged.",
                ),
                at=now,
                since=first,
            )


def take_seed(connection: Connection, opened: Opened, now: float) -> list[Payload]:
    """Keep the seed of a stretch; the first one for its number stands."""
    seed = opened.payload
    if isinstance(seed, LedgerSeed):
        table = schema.ledger_seed
        key = and_(table.c.site == opened.topic.site, table.c.epoch == seed.epoch, table.c.stretch == seed.stretch)
        if not connection.execute(select(exists().where(key))).scalar():
            connection.execute(
                table.insert().values(
                    site=opened.topic.site,
                    epoch=seed.epoch,
                    stretch=seed.stretch,
                    begins=seed.begins,
                    seed=seed.seed,
                    received_at=now,
                )
            )
    return []


def _judge(  # noqa: PLR0911 - one return a case reads best
    connection: Connection, opened: Opened, head: Head, seq: int, last: Row[tuple[object, ...]] | None
) -> Verdict:
    site = opened.topic.site
    if not _is_own(connection, opened, head):
        return Verdict.UNSIGNED
    table = schema.ledger_head.c
    log = and_(table.site == site, table.epoch == head.epoch, table.verdict != Verdict.UNSIGNED.value)
    if connection.execute(select(exists().where(log, table.verdict == Verdict.CONFLICT.value))).scalar():
        return Verdict.REFUSED
    if connection.execute(select(exists().where(log, table.size == head.size, table.root != head.root))).scalar():
        return Verdict.CONFLICT
    if head.since > head.size:
        return Verdict.CONFLICT  # by its own word the server counter-signed more than this log holds
    if last is None:
        return Verdict.COSIGNED if head.size else Verdict.UNPROVED
    fields = last._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    if head.size < fields["size"]:
        return Verdict.CONFLICT if seq > fields["seq"] else Verdict.LATE
    if head.size == fields["size"]:
        return Verdict.LATE
    begun = fields["root"]
    if head.since != fields["size"]:  # the box has not heard of the last one yet; what it proves from is looked at
        wanted = select(table.root).where(log, table.size == head.since, table.verdict == Verdict.COSIGNED.value)
        begun = connection.execute(wanted.limit(1)).scalar()
    return _continued(head, begun, whole=head.since == fields["size"])


def _continued(head: Head, begun: str | None, *, whole: bool) -> Verdict:
    """Whether a head continues the one of size `since` and root `begun`; `whole`: that is the last one."""
    if begun is None:
        return Verdict.UNPROVED
    continues = verify_consistency(
        first=head.since,
        second=head.size,
        proof=[bytes.fromhex(item) for item in head.consistency],
        first_root=bytes.fromhex(begun),
        second_root=bytes.fromhex(head.root),
    )
    if not continues:
        return Verdict.CONFLICT
    return Verdict.COSIGNED if whole else Verdict.UNPROVED


def _is_own(connection: Connection, opened: Opened, head: Head) -> bool:
    topic, epoch = opened.topic, opened.envelope.id.rpartition("-")[0]
    if (head.tenant, head.site, head.epoch) != (topic.tenant, topic.site, epoch):
        return False
    key = connection.execute(select(schema.site.c.verify_key).where(schema.site.c.site == topic.site)).scalar()
    try:
        return key is not None and holds(head.signature, head_bytes(head), [verify_key(key)])
    except KeyFileError:
        return False


def _cosign(head: Head, now: float, signing_key: Ed25519PrivateKey) -> HeadCosigned:
    return _signed(head, head.size, head.root, now, signing_key)


def _again(head: Head, last: Row[tuple[object, ...]], now: float, signing_key: Ed25519PrivateKey) -> HeadCosigned:
    """The head that was counter-signed last, signed as of now.

    A box goes back to it only for what is newer than all that it heard (the server may come from a backup).
    """
    fields = last._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return _signed(head, fields["size"], fields["root"], now, signing_key)


def _signed(head: Head, size: int, root: str, now: float, signing_key: Ed25519PrivateKey) -> HeadCosigned:
    at = datetime.fromtimestamp(round(now * 1000) / 1000, UTC)
    message = cosigned_bytes(tenant=head.tenant, site=head.site, epoch=head.epoch, size=size, root=root, at=at)
    return HeadCosigned(epoch=head.epoch, size=size, root=root, at=at, signature=signed(signing_key, message))


def _last(connection: Connection, site: str, epoch: str) -> Row[tuple[object, ...]] | None:
    table = schema.ledger_head.c
    statement = (
        select(schema.ledger_head)
        .where(table.site == site, table.epoch == epoch, table.verdict == Verdict.COSIGNED.value)
        .order_by(table.size.desc())
        .limit(1)
    )
    return connection.execute(statement).one_or_none()


def _seq(opened: Opened) -> int:
    return int(opened.envelope.id.rpartition("-")[2])


# --- for those who read ------------------------------------------------------------------------


def heads_of(connection: Connection, site: str, epoch: str) -> list[Row[tuple[object, ...]]]:
    """Every head of a log that came with its box's signature, the smallest first."""
    table = schema.ledger_head.c
    statement = (
        select(schema.ledger_head)
        .where(table.site == site, table.epoch == epoch, table.verdict != Verdict.UNSIGNED.value)
        .order_by(table.size, table.seq)
    )
    return list(connection.execute(statement))


def seeds_of(connection: Connection, site: str, epoch: str) -> list[LedgerSeed]:
    """Seeds of a log's stretches, in order."""
    table = schema.ledger_seed.c
    statement = (
        select(table.epoch, table.stretch, table.begins, table.seed)
        .where(table.site == site, table.epoch == epoch)
        .order_by(table.stretch)
    )
    return [
        LedgerSeed(epoch=row.epoch, stretch=row.stretch, begins=row.begins, seed=row.seed)
        for row in connection.execute(statement)
    ]


def latest_roots(connection: Connection) -> list[Row[tuple[object, ...]]]:
    """The largest counter-signed head of each log (site, epoch, size, root), in order of site and epoch."""
    table = schema.ledger_head
    largest = (
        select(table.c.site, table.c.epoch, func.max(table.c.size).label("size"))
        .where(table.c.verdict == Verdict.COSIGNED.value)
        .group_by(table.c.site, table.c.epoch)
        .subquery()
    )
    statement = (
        select(table.c.site, table.c.epoch, table.c.size, table.c.root)
        .join(
            largest,
            and_(table.c.site == largest.c.site, table.c.epoch == largest.c.epoch, table.c.size == largest.c.size),
        )
        .where(table.c.verdict == Verdict.COSIGNED.value)
        .order_by(table.c.site, table.c.epoch)
    )
    return list(connection.execute(statement))
