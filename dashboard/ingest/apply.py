"""Opened messages in, rows, receipts and answers out, in the caller's transaction.

Idempotent and free of order: an event is known by (source, id); a device, finding, proposal, stay or
a box's arrangements by the revision. The same id with another payload is not accepted and not receipted; it is a refusal
(`event-conflict`), because a box that says two things under one id was copied or set back. Several workers may write
at once: a batch holds the households that it is about.
A status is a heartbeat, not an event: it only updates its site; one from another database of the box ends what was
arranged with the one before. What cannot be read yet is kept as it was
signed, receipted, and read again (`read_again`) by a newer version. Bounded by the caller's batch.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, tuple_, update
from sqlalchemy.exc import OperationalError

from dashboard.ingest.handlers import MAX_ANSWERS, Handlers
from dashboard.ingest.opening import Refusal, Unread, refused
from dashboard.ingest.rows import Rows
from dashboard.store import schema
from dashboard.store.coverage import keep_gaps
from dashboard.store.own import is_own, raise_own
from wire.base import Payload
from wire.box import BoxStatus
from wire.codec import Envelope, Opened, read_payload, topic_for
from wire.findings import Finding, FindingKind, Severity
from wire.topics import Channel

_EVENT_ID = re.compile(r"([a-z0-9]{1,32})-([0-9]{1,15})")
_STATUS_ID = re.compile(r"([a-z0-9]{1,32})-s([0-9]{1,15})")
_LOOKED_UP = 500
"""Ids asked for in one statement."""
_log = logging.getLogger(__name__)
_NONE: Handlers = MappingProxyType({})


@dataclass(slots=True, kw_only=True)
class Applied:
    """What a batch came to."""

    numbers: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    """Sequence numbers to receipt, per (site, epoch): what is new and what was already here."""
    refusals: list[Refusal] = field(default_factory=list)
    answers: list[tuple[str, Payload]] = field(default_factory=list)
    """What handlers have to say to which site, once this is committed."""
    stored: int = 0
    repeated: int = 0


def apply(
    connection: Connection,
    batch: Sequence[Opened | Unread],
    now: float,
    *,
    handlers: Handlers = _NONE,
    careful: bool = False,
) -> Applied:
    """Write a batch. `now` is Unix seconds. Database errors are the caller's to handle.

    With `careful`, each message is written by itself and one that the database will not have is a refusal: slower,
    for a batch that failed as a whole.
    """
    return _Work(connection, now, handlers, careful=careful).run(batch)


class _Work:
    """One batch being written."""

    def __init__(self, connection: Connection, now: float, handlers: Handlers, *, careful: bool) -> None:
        self._connection = connection
        self._now = now
        self._handlers = handlers
        self._careful = careful
        self._rows = Rows(connection, now)
        self._done = Applied()
        # Sites of which there is news. A last will is the broker's word that the box is gone, and a broker
        # that repeats old messages must not make a silent box look alive: neither counts as hearing from it.
        self._heard: set[str] = set()
        self._later: list[Opened] = []
        self._conflicts: dict[str, int] = {}

    def run(self, batch: Sequence[Opened | Unread]) -> Applied:
        hold_sites(self._connection, {opened.topic.site for opened in batch})
        known = _known_digests(self._connection, batch)
        for opened in batch:
            if opened.topic.channel in (Channel.STATUS, Channel.TELEMETRY):
                self._attempt(opened, self._outside)
            else:
                self._event(opened, known)
        self._rows.flush()
        for opened in self._later:
            self._hand_on(opened)
        for site, count in self._conflicts.items():
            _say_conflict(self._connection, site, count, self._now)
        if self._heard:
            self._connection.execute(
                update(schema.site).where(schema.site.c.site.in_(self._heard)).values(heard_at=self._now)
            )
        return self._done

    def _outside(self, opened: Opened | Unread) -> None:
        """What is outside the outbox: a status, or telemetry for a handler."""
        assert isinstance(opened, Opened)  # noqa: S101 - `opening` refuses what it cannot read there
        if isinstance(opened.payload, BoxStatus):
            if _status(self._connection, opened, opened.payload) and opened.payload.online:
                self._heard.add(opened.topic.site)
        else:
            self._hand_on(opened)

    def _event(self, opened: Opened | Unread, known: dict[tuple[str, str], str]) -> None:
        site = opened.topic.site
        number = _EVENT_ID.fullmatch(opened.envelope.id)
        if number is None:
            self._done.refusals.append(refused(site, "an event's id is epoch-number"))
            return
        if isinstance(opened, Opened) and _is_ours(opened.payload):
            self._done.refusals.append(refused(site, "a finding with an id of the dashboard's own"))
            return
        key = (opened.envelope.source, opened.envelope.id)
        if key not in known:
            if not self._attempt(opened, self._keep):
                return
            known[key] = opened.digest
            self._done.stored += 1
            self._heard.add(site)
        elif known[key] == opened.digest:
            self._done.repeated += 1
        else:
            self._conflicts[site] = self._conflicts.get(site, 0) + 1
            self._done.refusals.append(
                Refusal(action="event-conflict", site=site, why=f"{opened.envelope.id} came with another payload")
            )
            return
        self._done.numbers.setdefault((site, number[1]), set()).add(int(number[2]))

    def _attempt(self, opened: Opened | Unread, work: Callable[[Opened | Unread], None]) -> bool:
        if not self._careful:
            work(opened)
            return True
        answered = len(self._done.answers)
        try:
            with self._connection.begin_nested():
                work(opened)
                self._rows.flush()
                for later in self._later:
                    self._hand_on(later)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler finds wrong with one message is that message's end
            self._rows = Rows(self._connection, self._now)
            del self._done.answers[answered:]
            self._done.refusals.append(refused(opened.topic.site, f"cannot be stored: {type(error).__name__}"))
            return False
        finally:
            self._later.clear()
        return True

    def _keep(self, opened: Opened | Unread) -> None:
        site = opened.topic.site
        plain = _plain(opened.payload) if isinstance(opened, Opened) else {}
        self._rows.event(
            {
                "source": opened.envelope.source,
                "id": opened.envelope.id,
                "site": site,
                "type": opened.envelope.type,
                "digest": opened.digest,
                "received_at": self._now,
                "payload": plain,
                "unread": opened.text if isinstance(opened, Unread) else None,
            }
        )
        if isinstance(opened, Unread):
            self._done.refusals.append(Refusal(action="message-unread", site=site, why=opened.why))
            return
        self._rows.store(site, opened.payload, plain)
        if type(opened.payload) in self._handlers:
            self._later.append(opened)

    def _hand_on(self, opened: Opened) -> None:
        handler = self._handlers.get(type(opened.payload))
        if handler is not None:
            for answer in islice(handler(self._connection, opened, self._now), MAX_ANSWERS):
                self._done.answers.append((opened.topic.site, answer))


def hold_sites(connection: Connection, sites: Collection[str]) -> None:
    """Let no other worker write about these households until this transaction is over.

    In one order, so that two of them never wait for each other. SQLite has one writer anyway.
    """
    if sites and connection.dialect.name != "sqlite":
        table = schema.site.c
        # Not the key: a row that refers to a household may come meanwhile.
        held = select(table.site).where(table.site.in_(sites)).order_by(table.site).with_for_update(key_share=True)
        connection.execute(held).all()


def _is_ours(payload: Payload) -> bool:
    return isinstance(payload, Finding) and is_own(payload.finding_id)


def _say_conflict(connection: Connection, site: str, count: int, now: float) -> None:
    """Two things under one id: an officer should know, not only the audit (R69)."""
    raise_own(
        connection,
        site=site,
        kind=FindingKind.LEDGER_CONFLICT,
        cause="same-id",
        severity=Severity.TODAY,
        reasons=(
            "Two different messages came under one number, both signed with this box's key.",
            f"The first is kept. {count} that contradict it were refused just now.",
        ),
        alternatives=("The box's storage was copied.", "Its storage was set back to an earlier state."),
        at=now,
    )


def _known_digests(connection: Connection, batch: Sequence[Opened | Unread]) -> dict[tuple[str, str], str]:
    asked: dict[str, list[str]] = {}
    for opened in batch:
        asked.setdefault(opened.envelope.source, []).append(opened.envelope.id)
    table = schema.event.c
    known: dict[tuple[str, str], str] = {}
    for source, ids in asked.items():
        for start in range(0, len(ids), _LOOKED_UP):
            statement = select(table.id, table.digest).where(
                table.source == source, table.id.in_(ids[start : start + _LOOKED_UP])
            )
            known.update(((source, row.id), row.digest) for row in connection.execute(statement))
    return known


def read_again(
    connection: Connection, now: float, *, after: tuple[str, str], most: int, handlers: Handlers = _NONE
) -> tuple[str, str] | None:
    """Read what an older version kept without reading it, at most `most` events after the key `after`.

    Each goes the way of a new one, to its handler too; the answers are late and not sent. Returns the key of the last
    one looked at, None when there are no more. What still cannot be read stays.
    """
    table = schema.event.c
    key = tuple_(table.source, table.id)
    statement = (
        select(table.source, table.id, table.site, table.type, table.digest, table.unread, schema.site.c.tenant)
        .join(schema.site, schema.site.c.site == table.site)
        .where(table.unread.is_not(None), key > after)
        .order_by(table.source, table.id)
        .limit(most)
    )
    last: tuple[str, str] | None = None
    for row in connection.execute(statement).mappings().all():
        last = (row["source"], row["id"])
        try:
            payload = read_payload(row["type"], row["unread"].encode())
            if _is_ours(payload):
                continue
            with connection.begin_nested():
                rows = Rows(connection, now)
                rows.store(row["site"], payload, _plain(payload))
                rows.flush()
                if (handler := handlers.get(type(payload))) is not None:
                    deque(handler(connection, _again(row, payload, now), now), maxlen=0)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - as in `_attempt`: it stays, and the next is looked at
            _log.info("an event is kept unread: %s", type(error).__name__)
            continue
        connection.execute(
            update(schema.event)
            .where(table.source == row["source"], table.id == row["id"])
            .values(payload=_plain(payload), unread=None)
        )
    return last


def _again(row: RowMapping, payload: Payload, now: float) -> Opened:
    """What was kept, as if it had come now; when it was sealed is not known any more."""
    topic = topic_for(payload, tenant=row["tenant"], site=row["site"])
    envelope = Envelope(
        id=row["id"],
        source=row["source"],
        type=row["type"],
        time=datetime.fromtimestamp(now, UTC),
        sequence=row["id"].rpartition("-")[2],
    )
    return Opened(topic=topic, envelope=envelope, payload=payload, digest=row["digest"])


def _status(connection: Connection, opened: Opened, status: BoxStatus) -> bool:
    """Keep a box's newest status; true if this is it. The last will (made at connect, delivered later) only says it is gone."""
    table = schema.site.c
    row = connection.execute(
        select(table.status, table.status_at, table.status_id).where(table.site == opened.topic.site)
    ).one()
    at = status.at.timestamp()
    values: dict[str, Any]
    if not status.online and row.status is not None:
        values = {"status": {**row.status, "online": False}}
    elif _is_newer(opened.envelope.id, at, row.status_id, row.status_at):
        values = {"status": _plain(status), "status_at": at, "status_id": opened.envelope.id}
        if _begun_anew(opened.envelope.id, row.status_id):
            connection.execute(delete(schema.arrangements).where(schema.arrangements.c.site == opened.topic.site))
        if status.gaps and values["status"].get("gaps") != (row.status or {}).get("gaps"):
            keep_gaps(connection, opened.topic.site, status.gaps)
    else:
        return False
    connection.execute(update(schema.site).where(table.site == opened.topic.site).values(**values))
    return True


def _is_newer(id_: str, at: float, old_id: str | None, old_at: float | None) -> bool:
    """By number within one database of the box, whose clock may jump; by time across two of them."""
    new, old = _STATUS_ID.fullmatch(id_), _STATUS_ID.fullmatch(old_id or "")
    if new is None:
        return False
    if old is not None and new[1] == old[1]:
        return int(new[2]) > int(old[2])
    return old_at is None or at > old_at


def _begun_anew(id_: str, old_id: str | None) -> bool:
    """Whether the box has another database than before: what was arranged with the old one holds no more (R30)."""
    new, old = _STATUS_ID.fullmatch(id_), _STATUS_ID.fullmatch(old_id or "")
    return new is not None and old is not None and new[1] != old[1]


def _plain(payload: Payload) -> dict[str, Any]:
    return payload.model_dump(mode="json", exclude_none=True)
