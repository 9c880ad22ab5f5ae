"""A scripted box: puts a made-up household into the tables by the way of ingest, and answers what is asked of it.

In: an open transaction, a household that belongs to the demonstration. Out: rows as a real box's messages leave them, by
the same function (`ingest.apply`). A command is followed where the demonstration shows it (a standing, an answer to a
proposal), else it is only said that it was; one that takes two people is agreed to by a second that there is not.
Bounded: `AT_ONCE` commands a look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from dashboard.demo.story import status
from dashboard.ingest.apply import apply
from dashboard.store.schema import command, device, event, finding, proposal, site
from wire.base import Correction, Payload, Standing
from wire.codec import Envelope, Opened, payload_json, topic_for
from wire.findings import Finding
from wire.models import Address, CommandResult, Device, LooksLike, Outcome, Presence, Proposal, type_of

AT_ONCE = 20
BEAT_SECONDS = 45.0
SECOND_SECONDS = 2.0
"""After so long the second person that there is not agrees."""
SECOND = "a second person"
_EPOCH = "0demo"


def say(connection: Connection, *, site_id: str, payloads: Iterable[Payload], now: float) -> int:
    """Send payloads as the box would, numbered on from what it said before; how many were new."""
    source = f"urn:gatehouse:demo:{site_id}"
    sent = connection.execute(select(func.count()).where(event.c.site == site_id)).scalar_one()
    batch = []
    for number, payload in enumerate(payloads, start=sent + 1):
        body = payload_json(payload)
        batch.append(
            Opened(
                # The topic is the demonstration's own; of the tenant only the household's row speaks.
                topic=topic_for(payload, tenant="demo", site=site_id),
                envelope=Envelope(
                    id=f"{_EPOCH}-{number}",
                    source=source,
                    type=type_of(payload).ce_type,
                    time=datetime.fromtimestamp(now, UTC),
                    sequence=str(number),
                ),
                payload=payload,
                digest=hashlib.sha256(body).hexdigest(),
            )
        )
    return apply(connection, batch, now).stored


def beat(connection: Connection, *, site_id: str, now: float) -> None:
    """Be heard of, as a box that reports every minute."""
    heard = connection.execute(select(site.c.heard_at).where(site.c.site == site_id)).scalar_one()
    if heard is None or not 0 <= now - heard < BEAT_SECONDS:
        said = status(now).model_dump(mode="json", exclude_none=True)
        connection.execute(
            update(site)
            .where(site.c.site == site_id)
            .values(heard_at=now, status=said, status_at=now, status_id=f"{_EPOCH}-s{int(now)}")
        )


def answer(connection: Connection, *, site_id: str, now: float) -> int:
    """Follow what waits; how many commands were answered."""
    waits = command.c.state == "needs-second"
    agreed = (command.c.site == site_id) & waits & (command.c.created_at <= now - SECOND_SECONDS)
    connection.execute(
        update(command).where(agreed).values(state="waiting", second=SECOND, seconded_at=now, second_reason="Agreed")
    )
    rows = connection.execute(
        select(command.c.command_id, command.c.body)
        .where(command.c.site == site_id, command.c.state == "waiting")
        .order_by(command.c.created_at)
        .limit(AT_ONCE)
    ).all()
    for row in rows:
        last = connection.execute(select(func.max(command.c.sequence)).where(command.c.site == site_id)).scalar()
        which = command.c.command_id == row.command_id
        connection.execute(update(command).where(which).values(state="sent", sequence=(last or 0) + 1))
        at = datetime.fromtimestamp(now, UTC)
        said: list[Payload] = list(_follow(connection, site_id, row.body, at))
        said.append(CommandResult(command_id=row.command_id, outcome=Outcome.APPLIED, at=at))
        say(connection, site_id=site_id, payloads=said, now=now)
    return len(rows)


def _follow(connection: Connection, site_id: str, body: dict[str, Any], at: datetime) -> Iterable[Payload]:
    match body.get("action"):
        case "set-standing":
            yield from _set_standing(connection, site_id, body, at)
        case "answer-proposal":
            yield from _answer_proposal(connection, site_id, body)
        case _:
            return


def _set_standing(connection: Connection, site_id: str, body: dict[str, Any], at: datetime) -> Iterable[Payload]:
    row = connection.execute(
        select(device).where(device.c.site == site_id, device.c.device_id == body.get("device_id"))
    ).one_or_none()
    if row is None:
        return
    told = _device(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    standing = Standing(str(body["standing"]))
    change: dict[str, Any] = {"revision": told.revision + 1, "standing": standing}
    if body.get("label"):
        change["label"] = str(body["label"])
    yield told.model_copy(update=change)
    opened = select(finding.c.payload).where(
        finding.c.site == site_id,
        finding.c.device_id == told.device_id,
        finding.c.kind == "unregistered-device",
        finding.c.state == "open",
    )
    for payload in connection.execute(opened).scalars().all():
        was = Finding.model_validate(payload)
        yield was.model_copy(
            update={
                "revision": was.revision + 1,
                "state": "closed",
                "closed_because": "An officer has said what the device is.",
                "last_seen": at,
            }
        )


def _answer_proposal(connection: Connection, site_id: str, body: dict[str, Any]) -> Iterable[Payload]:
    row = connection.execute(
        select(proposal).where(proposal.c.site == site_id, proposal.c.proposal_id == body.get("proposal_id"))
    ).one_or_none()
    if row is None or row.state != "open":
        return
    fields = {name: row._mapping[name] for name in Proposal.model_fields if name in row._mapping}  # noqa: SLF001 - as above
    fields["raised_at"] = datetime.fromtimestamp(row.raised_at, UTC)
    confirmed = body.get("confirm") is True
    yield Proposal(**{**fields, "revision": row.revision + 1, "state": "confirmed" if confirmed else "refused"})
    if confirmed:
        other = connection.execute(
            select(device).where(device.c.site == site_id, device.c.device_id == row.other_id)
        ).one_or_none()
        if other is not None:
            told = _device(other._mapping)  # noqa: SLF001 - as above
            yield told.model_copy(update={"revision": told.revision + 1, "merged_into": row.device_id})


def _device(row: Any) -> Device:
    """A stored device as the payload it was."""
    return Device(
        device_id=row["device_id"],
        revision=row["revision"],
        standing=Standing(row["standing"]),
        label=row["label"],
        looks_like=None if row["looks_like"] is None else LooksLike.model_validate(row["looks_like"]),
        addresses=tuple(Address.model_validate(item) for item in row["addresses"]),
        first_seen=datetime.fromtimestamp(row["first_seen"], UTC),
        last_seen=datetime.fromtimestamp(row["last_seen"], UTC),
        quarantined=row["quarantined"],
        correction=None if row["correction"] is None else Correction.model_validate(row["correction"]),
        presence=None if row["presence"] is None else Presence.model_validate(row["presence"]),
        merged_into=row["merged_into"],
        key_id=row["key_id"],
    )
