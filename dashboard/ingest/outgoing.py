"""What the dashboard says to boxes, signed and sealed: receipts and commands.

Bounded: a receipt holds at most `MAX_RANGES` ranges, more become further receipts; one poll takes at
most `MAX_COMMANDS` commands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, and_, func, or_, select, update

from dashboard.demo import TENANT_PREFIX
from dashboard.second import LAPSED, NEEDS_SECOND
from dashboard.store import schema
from wire.base import Payload
from wire.codec import WireError, payload_json, seal, topic_for
from wire.keys import KeyFileError, seal_key
from wire.models import Command, Receipt, type_of
from wire.orders import Order

MAX_RANGES = 256
MAX_COMMANDS = 100
MOST_REASON = 300
"""Characters of a reason that travel."""
ANSWER_GRACE = 60.0
"""Seconds past its expiry in which a box's answer to a command may still arrive."""
_ORDER: TypeAdapter[Order] = TypeAdapter(Order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to publish."""

    topic: str
    body: bytes
    expires_at: float | None = None
    """Unix seconds after which the broker need not keep it."""


class Writer:
    """Signs with the dashboard's key and numbers what it writes; `run` makes ids differ between starts."""

    def __init__(self, *, tenant: str, signing_key: Ed25519PrivateKey, run: str) -> None:
        self._tenant = tenant
        self._signing_key = signing_key
        self._run = run
        self._count = 0

    def write(self, payload: Payload, *, site: str, box_key: str, now: float, sequence: int | None = None) -> Outgoing:
        """Sign and seal a payload for a box.

        Raises:
            WireError: too large.
            KeyFileError: `box_key` is not a key.
        """
        self._count += 1
        topic = topic_for(payload, tenant=self._tenant, site=site)
        body = seal(
            payload_json(payload),
            type_=type_of(payload).ce_type,
            topic=topic,
            id_=f"{self._run}-{self._count}",
            sequence=self._count if sequence is None else sequence,
            at=datetime.fromtimestamp(now, UTC),
            signer=self._signing_key,
            recipient=seal_key(box_key),
        )
        return Outgoing(topic=str(topic), body=body)


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers as inclusive ranges, ascending."""
    spans: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if spans and spans[-1][1] + 1 == number:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def receipts(numbers: Iterable[int], *, epoch: str, now: float) -> list[Receipt]:
    """Receipts over sequence numbers of one site and epoch."""
    spans = ranges(numbers)
    at = datetime.fromtimestamp(now, UTC)
    return [
        Receipt(epoch=epoch, ranges=tuple(spans[start : start + MAX_RANGES]), at=at)
        for start in range(0, len(spans), MAX_RANGES)
    ]


def expire(connection: Connection, now: float) -> int:
    """Close commands that no longer count. How many.

    The states are ours, not the box's word: `unsent` never left here; `unanswered` did, and may have been followed.
    """
    table = schema.command.c
    closed = 0
    ends = (("waiting", "unsent", now), ("sent", "unanswered", now - ANSWER_GRACE), (NEEDS_SECOND, LAPSED, now))
    for old, new, limit in ends:
        late = and_(table.state == old, table.expires_at <= limit)
        closed += connection.execute(update(schema.command).where(late).values(state=new)).rowcount
    return closed


def due_commands(connection: Connection, now: float, *, again: Iterable[str]) -> list[Row[tuple[object, ...]]]:
    """Commands to send: those waiting, and of those in `again` what is sent, unanswered and still counts.

    None to a box that was revoked: whoever has it is told nothing more.
    """
    table = schema.command.c
    statement = (
        select(schema.command, schema.site.c.seal_key)
        .join(schema.site, schema.site.c.site == table.site)
        .where(
            or_(table.state == "waiting", and_(table.state == "sent", table.command_id.in_(list(again)))),
            schema.site.c.revoked_at.is_(None),
            ~schema.site.c.tenant.startswith(TENANT_PREFIX, autoescape=True),  # a scripted box answers there
            table.expires_at > now,
        )
        .order_by(table.created_at, table.command_id)
        .limit(MAX_COMMANDS)
    )
    return list(connection.execute(statement))


def send_command(connection: Connection, row: Row[tuple[object, ...]], writer: Writer, now: float) -> Outgoing | None:
    """Number a command on first sending, mark it sent and write it; None when it cannot be written.

    The mark is committed before the message goes out: a crash between the two leaves a command that
    is sent again after a while, never one with two numbers.
    """
    table = schema.command.c
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    sequence = fields["sequence"]
    if sequence is None:
        highest = connection.execute(select(func.max(table.sequence)).where(table.site == fields["site"])).scalar()
        # Old commands are erased in time, and a restore loses the latest: their numbers are not given again.
        home = schema.site.c.site == fields["site"]
        floor = connection.execute(select(schema.site.c.sequence_floor).where(home)).scalar()
        sequence = max(highest or 0, floor or 0) + 1
        connection.execute(update(schema.site).where(home).values(sequence_floor=sequence))
    change: dict[str, object] = {"sequence": sequence, "state": "sent"}
    outgoing: Outgoing | None = None
    try:
        command = Command(
            command_id=fields["command_id"],
            sequence=sequence,
            issued_at=datetime.fromtimestamp(fields["seconded_at"] or fields["created_at"], UTC),
            expires_at=datetime.fromtimestamp(fields["expires_at"], UTC),
            by=fields["by"],
            second=fields["second"],
            break_glass=True if fields["break_glass"] else None,
            reason=" ".join(fields["reason"].split())[:MOST_REASON] or None,
            body=_ORDER.validate_python(fields["body"]),
        )
        written = writer.write(command, site=fields["site"], box_key=fields["seal_key"], now=now, sequence=sequence)
        outgoing = Outgoing(topic=written.topic, body=written.body, expires_at=fields["expires_at"])
    except (ValidationError, WireError, KeyFileError):
        change = {"state": "unsent"}
    connection.execute(update(schema.command).where(table.command_id == fields["command_id"]).values(**change))
    return outgoing
