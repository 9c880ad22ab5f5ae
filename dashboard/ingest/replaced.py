"""Gives a box that took another's place what the dashboard knew of the home: authority, devices, arrangements (N15).

In: rows of `replacement`, what the new box says of itself, what is stored of the old one. Out: commands, in two steps:
the newest document that two people put in force, unless it was withdrawn, with the pauses since; then, once the box
records, devices, passphrases and arrangements.
Findings that the old box left open are closed. Bounded: `AT_ONCE` households a round, `MOST_DEVICES` devices,
`MOST_COMMANDS` commands a household.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, delete, insert, select, update

from dashboard.second import needs_second
from dashboard.store.law import at_of, documents_in_force
from dashboard.store.own import PREFIX
from dashboard.store.queries import write_audit
from dashboard.store.schema import arrangements, command, device, finding, replacement, site, transfer
from wire.acts import MAX_RESTORED, PauseRecording, Restored, RestoreDevices, SetAuthority
from wire.base import Correction
from wire.box import Arrangements
from wire.models import Address
from wire.orders import AddWatch, BindPassphrase, Order, QuietRule, SetAway

AT_ONCE = 20
MOST_DEVICES = 512
MOST_COMMANDS = 700
MOST_STOPS = 50
LIFETIME = 24 * 3600.0
_EPOCH = re.compile(r"([a-z0-9]{1,32})-s[0-9]{1,15}")
_WHY = "The box was replaced"
_PENDING = ("waiting", "sent")


def epoch_of(status_id: str | None) -> str | None:
    """Which database of a box wrote a status."""
    found = _EPOCH.fullmatch(status_id or "")
    return None if found is None else found[1]


def replace_box(connection: Connection, *, site_id: str, verify_key: str, seal_key: str, now: float) -> None:
    """Enter a new box's keys: the old one's are refused from now on, and what the home had is given to the new one."""
    row = connection.execute(select(site.c.status_id).where(site.c.site == site_id)).one()
    connection.execute(
        update(site)
        .where(site.c.site == site_id)
        # Without the old status, whatever the new box's clock says its first status counts.
        # If the old box was revoked, the new one is not.
        .values(verify_key=verify_key, seal_key=seal_key, status=None, status_at=None, status_id=None, revoked_at=None)
    )
    earlier = (replacement.c.site == site_id) & replacement.c.done_at.is_(None)
    connection.execute(update(replacement).where(earlier).values(done_at=now))
    connection.execute(insert(replacement).values(site=site_id, at=now, old_epoch=epoch_of(row.status_id)))
    for old, new in (("waiting", "unsent"), ("sent", "unanswered")):
        which = (command.c.site == site_id) & (command.c.state == old)
        connection.execute(update(command).where(which).values(state=new))
    _close_findings(connection, site_id, now)
    write_audit(connection, at=now, account_id=None, action="replace-box", subject=site_id, outcome="done")


def restore(connection: Connection, *, tenant: str, now: float) -> int:
    """Take each replaced box one step further; how many commands were queued."""
    query = (
        select(replacement, site.c.status, site.c.status_id)
        .join(site, site.c.site == replacement.c.site)
        .where(site.c.tenant == tenant, replacement.c.done_at.is_(None))
        .order_by(replacement.c.at)
        .limit(AT_ONCE)
    )
    queued = 0
    for row in connection.execute(query).mappings().all():
        epoch = epoch_of(row["status_id"])
        if epoch is None or epoch == row["old_epoch"]:
            continue  # the new box has not been heard of
        key = (replacement.c.site == row["site"]) & (replacement.c.at == row["at"])
        tag = _tag(row["site"], row["at"])
        if row["new_epoch"] is None:
            queued += _queue_authority(connection, row["site"], tag, now)
            connection.execute(update(replacement).where(key).values(new_epoch=epoch))
        elif row["asked_at"] is None:
            if isinstance(row["status"], dict) and row["status"].get("recording") is True:
                queued += _queue_home(connection, row["site"], tag, row["at"], now)
                connection.execute(update(replacement).where(key).values(asked_at=now))
        elif not _waits(connection, row["site"], tag):
            connection.execute(update(replacement).where(key).values(done_at=now))
            outcome = "done" if _all_applied(connection, row["site"], tag) else "not all applied"
            write_audit(connection, at=now, account_id=None, action="restore-box", subject=row["site"], outcome=outcome)
    return queued


def _queue_authority(connection: Connection, site_id: str, tag: str, now: float) -> int:
    """The newest document that two people put in force, given by the same two; then what stopped recording since.

    Where a consent was withdrawn since, nothing is put in force: that takes two people and another document.
    """
    given = next(iter(documents_in_force(connection, site_id)), None)
    stops = () if given is None else _stops(connection, site_id, given.created_at, now)
    why = "no document" if given is None else "withdrawn" if "withdraw-consent" in {row.action for row in stops} else ""
    if given is None or why:
        write_audit(connection, at=now, account_id=None, action="restore-box", subject=site_id, outcome=why)
        return 0
    order = SetAuthority(document=given.body["document"])
    _queue(connection, site_id, f"{tag}-a", order, by=given.by, second=given.second, now=now)
    for number, row in enumerate(stops, 1):
        pause = PauseRecording.model_validate(row.body)
        _queue(connection, site_id, f"{tag}-a{number}", pause, by=row.by, second=None, now=now, after=number)
    return 1 + len(stops)


def _stops(connection: Connection, site_id: str, since: float, now: float) -> tuple[Any, ...]:
    """Withdrawals, and pauses that are not over, that were asked for since, oldest first; also where the box's answer is lost."""
    action = command.c.body["action"].as_string()
    query = (
        select(action.label("action"), command.c.body, command.c.by, command.c.state)
        .where(
            command.c.site == site_id,
            command.c.created_at >= since,
            action.in_(("withdraw-consent", "pause-recording", "resume-recording")),
            command.c.state.in_(("applied", "sent", "unanswered")),
        )
        .order_by(command.c.created_at.desc())
        .limit(MOST_STOPS)
    )
    found: list[Any] = []
    resumed = False
    for row in connection.execute(query).all():
        resumed = resumed or (row.action == "resume-recording" and row.state == "applied")
        until = row.body.get("until")
        if row.action == "withdraw-consent" or (
            row.action == "pause-recording" and not resumed and (until is None or at_of(until) > now)
        ):
            found.append(row)
    return tuple(reversed(found))


def _queue_home(connection: Connection, site_id: str, tag: str, replaced_at: float, now: float) -> int:
    by = connection.execute(
        select(command.c.by).where(command.c.site == site_id).order_by(command.c.created_at.desc()).limit(1)
    ).scalar_one_or_none()
    if by is None:
        by = _took_in(connection, site_id)
    if by is None:
        return 0  # nobody ever asked anything of the old box: it had nothing but what it saw
    number = 0
    for order, giver in _orders(connection, site_id, by, replaced_at, now):
        if number >= MOST_COMMANDS:
            break
        _queue(connection, site_id, f"{tag}-{number:03}", order, by=giver, second=None, now=now, after=number + 1)
        number += 1
    connection.execute(delete(arrangements).where(arrangements.c.site == site_id))
    return number


def _took_in(connection: Connection, site_id: str) -> str | None:
    """Who agreed that a household of another operator is taken in: what was said there is said again in their name."""
    table = transfer.c
    query = select(table.second).where(table.site == site_id, table.way == "in", table.state == "taken")
    return connection.execute(query.order_by(table.done_at.desc()).limit(1)).scalar_one_or_none()


def _orders(
    connection: Connection, site_id: str, by: str, replaced_at: float, now: float
) -> Iterator[tuple[Order, str]]:
    known = restorable(connection, site_id, replaced_at)
    for start in range(0, len(known), MAX_RESTORED):
        yield RestoreDevices(devices=tuple(known[start : start + MAX_RESTORED])), by
    yield from _bound(connection, site_id, now)
    yield from _arranged(connection, site_id, by, now)


def _bound(connection: Connection, site_id: str, now: float) -> Iterator[tuple[Order, str]]:
    """What passphrases are for, as it was said last."""
    bound: dict[str, tuple[BindPassphrase, str]] = {}
    query = (
        select(command.c.body, command.c.by)
        .where(
            command.c.site == site_id,
            command.c.body["action"].as_string() == "bind-passphrase",
            command.c.state == "applied",
        )
        .order_by(command.c.created_at.desc())
        .limit(MOST_DEVICES)
    )
    for row in connection.execute(query):
        order = BindPassphrase.model_validate(row.body)
        bound.setdefault(order.key_id, (order, row.by))
    yield from (one for one in bound.values() if one[0].until is None or one[0].until.timestamp() > now)


def _arranged(connection: Connection, site_id: str, by: str, now: float) -> Iterator[tuple[Order, str]]:
    stored = connection.execute(select(arrangements.c.payload).where(arrangements.c.site == site_id)).scalar()
    try:
        said = Arrangements.model_validate(stored) if stored is not None else Arrangements(revision=1)
    except ValidationError:
        return
    accounts = set(connection.execute(select(command.c.by).where(command.c.site == site_id).distinct()).scalars())
    moment = datetime.fromtimestamp(now, UTC)

    def giver(name: str) -> str:
        return name if name in accounts else by

    for quiet in said.quieted:
        if quiet.until is None or quiet.until > moment:
            yield (
                QuietRule(
                    rule=quiet.rule,
                    device_id=quiet.device_id,
                    subject=quiet.subject,
                    narrow=quiet.subject is not None,
                    reason=quiet.reason or _WHY,
                    until=quiet.until,
                ),
                giver(quiet.by),
            )
    for away in said.away:
        if away.ends > moment:
            order_away = SetAway(
                starts=away.starts, ends=away.ends, device_id=away.device_id, reason=away.reason or _WHY
            )
            yield order_away, giver(away.by)
    for watch in said.watch:
        if watch.expires > moment:
            yield (
                AddWatch(
                    name=watch.name,
                    below=watch.below,
                    excluded=watch.excluded,
                    severity=watch.severity,
                    reason=watch.reason or _WHY,
                    expires=watch.expires,
                ),
                giver(watch.by),
            )


def restorable(connection: Connection, site_id: str, before: float) -> list[Restored]:
    """Devices of the old box, with a standing first, then those seen last; one that counts as part of another is not its own."""
    query = (
        select(device)
        .where(device.c.site == site_id, device.c.merged_into.is_(None), device.c.first_seen < before)
        .order_by((device.c.standing == "unknown"), device.c.last_seen.desc(), device.c.device_id)
        .limit(MOST_DEVICES)
    )
    guests = _guests(connection, site_id)
    found: list[Restored] = []
    taken: set[str] = set()
    for row in connection.execute(query).mappings():
        macs = []
        for item in row["addresses"][:32]:
            try:
                macs.append(Address.model_validate(item).mac)
            except ValidationError:
                continue
        if not macs or not taken.isdisjoint(macs):
            continue  # the new box saw one of the addresses already: to it, and so here, that is another device
        taken.update(macs)
        try:
            found.append(
                Restored(
                    device_id=row["device_id"],
                    revision=row["revision"],
                    standing=row["standing"],
                    label=row["label"],
                    macs=tuple(macs),
                    first_seen=datetime.fromtimestamp(row["first_seen"], UTC),
                    last_seen=datetime.fromtimestamp(row["last_seen"], UTC),
                    guest_until=guests.get(row["device_id"]) if row["standing"] == "guest" else None,
                    correction=None if row["correction"] is None else Correction.model_validate(row["correction"]),
                    key_id=row["key_id"],
                )
            )
        except ValidationError:
            continue
    return found


def _guests(connection: Connection, site_id: str) -> dict[str, Any]:
    """When visits end, as it was said last."""
    query = (
        select(command.c.device_id, command.c.body)
        .where(
            command.c.site == site_id,
            command.c.body["action"].as_string() == "set-standing",
            command.c.state == "applied",
        )
        .order_by(command.c.created_at)
        .limit(MOST_DEVICES)
    )
    return {row.device_id: row.body.get("guest_until") for row in connection.execute(query)}


def _queue(
    connection: Connection,
    site_id: str,
    command_id: str,
    order: Order,
    *,
    by: str,
    second: str | None,
    now: float,
    after: int = 0,
) -> None:
    body = order.model_dump(mode="json", exclude_none=True)
    if second is None and needs_second(connection, site_id, body):
        raise ValueError("nothing here goes round two people")
    connection.execute(
        insert(command).values(
            command_id=command_id,
            site=site_id,
            device_id=body.get("device_id"),
            body=body,
            reason=_WHY,
            by=by,
            second=second,
            created_at=now + after / 1e6,  # they are sent in this order
            expires_at=now + LIFETIME,
            state="waiting",
            detail="",
        )
    )
    write_audit(
        connection,
        at=now,
        account_id=None,
        action=body["action"],
        subject=f"{site_id}/{command_id}",
        outcome="asked again",
    )


def _close_findings(connection: Connection, site_id: str, now: float) -> None:
    query = select(finding.c.finding_id, finding.c.revision, finding.c.payload).where(
        finding.c.site == site_id,
        finding.c.state == "open",
        ~finding.c.finding_id.startswith(PREFIX, autoescape=True),
    )
    for row in connection.execute(query).all():
        key = (finding.c.site == site_id) & (finding.c.finding_id == row.finding_id)
        payload = {**row.payload, "state": "closed", "closed_because": _WHY + ".", "revision": row.revision + 1}
        connection.execute(
            update(finding).where(key).values(state="closed", revision=row.revision + 1, payload=payload, stored_at=now)
        )


def _waits(connection: Connection, site_id: str, tag: str) -> bool:
    mine = command.c.command_id.startswith(f"{tag}-", autoescape=True)
    query = select(command.c.command_id).where(command.c.site == site_id, mine, command.c.state.in_(_PENDING))
    return connection.execute(query.limit(1)).first() is not None


def _all_applied(connection: Connection, site_id: str, tag: str) -> bool:
    mine = command.c.command_id.startswith(f"{tag}-", autoescape=True)
    query = select(command.c.command_id).where(command.c.site == site_id, mine, command.c.state != "applied")
    return connection.execute(query.limit(1)).first() is None


def _tag(site_id: str, at: float) -> str:
    return "restore-" + hashlib.sha256(f"{site_id}/{at!r}".encode()).hexdigest()[:16]
