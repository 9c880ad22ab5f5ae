"""What the pages read of devices: which are one, whether they are there, and when they were.

In: an open SQLAlchemy connection and plain values. Out: frozen rows. A device that counts as part of
another one (its root) is not a row of its own: what is asked for by its id is answered with the root.
Bounded: every read has a most; a chain of devices is followed for at most `MOST_STEPS` steps, so that
rows that arrived out of order, or name each other, end nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, case, cast, func, or_, select, tuple_

from dashboard.store.queries import in_scope
from dashboard.store.schema import device, finding, proposal, site, stay
from wire.base import Standing

_ADDRESS = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){1,5}")
MOST_DEVICES = 200
MOST_STEPS = 8
MOST_PARTS = 256
MOST_STAYS = 50
MOST_PROPOSALS = 20
MOST_QUESTIONS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDevice:
    """A whole device."""

    device_id: str
    standing: str
    label: str | None
    looks_like: dict[str, Any] | None
    quarantined: bool
    first_seen: float
    last_seen: float
    addresses: list[dict[str, Any]]
    correction: dict[str, Any] | None
    presence: dict[str, Any] | None
    merged_into: str | None
    key_id: str | None
    visibility: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProposal:
    """Two devices that may be one."""

    proposal_id: str
    device_id: str
    other_id: str
    probability: float
    state: str
    raised_at: float
    reasons: list[str]
    against: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An open proposal that no open finding leads to."""

    site: str
    proposal_id: str
    device_id: str
    other_id: str
    probability: float
    raised_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStay:
    """One stay of a device."""

    session_id: str
    mac: str
    started: float
    ended: float | None
    asleep_seconds: int
    ended_because: str | None


def _counts_alone() -> ColumnElement[bool]:
    # A device is not hidden behind one that is not here, behind itself, or behind one that hides behind it.
    other = device.alias("other")
    behind = select(other.c.device_id).where(
        other.c.site == device.c.site,
        other.c.device_id == device.c.merged_into,
        other.c.device_id != device.c.device_id,
        or_(other.c.merged_into.is_(None), other.c.merged_into != device.c.device_id),
    )
    return or_(device.c.merged_into.is_(None), ~behind.exists())


def devices_of(connection: Connection, site_id: str) -> tuple[StoredDevice, ...]:
    """Devices of a household: unregistered first, then latest seen; at most `MOST_DEVICES`."""
    unknown_first = case((device.c.standing == Standing.UNKNOWN, 0), else_=1)
    query = (
        _devices()
        .where(device.c.site == site_id, _counts_alone())
        .order_by(unknown_first, device.c.last_seen.desc(), device.c.device_id)
        .limit(MOST_DEVICES)
    )
    return tuple(StoredDevice(**row) for row in connection.execute(query).mappings())


def count_devices(connection: Connection, site_id: str) -> int:
    """Devices of a household; those that count as part of another one are not counted on their own."""
    query = select(func.count()).where(device.c.site == site_id, _counts_alone())
    return connection.execute(query).scalar_one()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which devices of a household to list; what is empty asks nothing."""

    standing: str = ""
    text: str = ""
    """Part of a label or of what it looks like, or the first octets of a hardware address (`02:00:5e`)."""
    since: float | None = None
    """Seen then or later; Unix seconds."""


def devices_like(
    connection: Connection, site_id: str, wanted: Wanted, *, offset: int, limit: int
) -> tuple[tuple[StoredDevice, ...], int]:
    """Some of a household's devices of that kind, in the order of `devices_of`; and how many there are in all."""
    conditions = [device.c.site == site_id, _counts_alone()]
    if wanted.standing:
        conditions.append(device.c.standing == wanted.standing)
    if wanted.since is not None:
        conditions.append(device.c.last_seen >= wanted.since)
    if wanted.text:
        looks = device.c.looks_like["text"].as_string()
        # The list of addresses is JSON text; an address in it begins after a quotation mark, and no key has a colon.
        addresses = func.lower(cast(device.c.addresses, String))
        found = [item.icontains(wanted.text, autoescape=True) for item in (device.c.label, looks)]
        if _ADDRESS.fullmatch(wanted.text.lower()):
            found.append(addresses.contains(f'"{wanted.text.lower()}'))
        conditions.append(or_(*found))
    unknown_first = case((device.c.standing == Standing.UNKNOWN, 0), else_=1)
    query = (
        _devices()
        .where(*conditions)
        .order_by(unknown_first, device.c.last_seen.desc(), device.c.device_id)
        .limit(limit)
        .offset(offset)
    )
    number = connection.execute(select(func.count()).select_from(device).where(*conditions)).scalar_one()
    return tuple(StoredDevice(**row) for row in connection.execute(query).mappings()), number


def device_of(connection: Connection, site_id: str, device_id: str) -> StoredDevice | None:
    """One device of a household, as it is stored: perhaps part of another one."""
    query = _devices().where(device.c.site == site_id, device.c.device_id == device_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else StoredDevice(**row)


def roots(connection: Connection, wanted: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], StoredDevice]:
    """By (site, device id): the device, or the one it counts as part of; those that are not known are left out."""
    at = {key: key for key in wanted}
    found: dict[tuple[str, str], StoredDevice] = {}
    own: dict[tuple[str, str], StoredDevice] = {}
    for _ in range(MOST_STEPS):
        asked = set(at.values())
        if not asked:
            break
        query = (
            _devices().add_columns(device.c.site).where(tuple_(device.c.site, device.c.device_id).in_(sorted(asked)))
        )
        rows: dict[tuple[str, str], StoredDevice] = {}
        for row in connection.execute(query).mappings():
            fields = dict(row)
            site_id = fields.pop("site")
            rows[site_id, fields["device_id"]] = StoredDevice(**fields)
        own = own or rows
        onward: dict[tuple[str, str], tuple[str, str]] = {}
        for key, place in at.items():
            one = rows.get(place)
            if one is None:
                continue
            if one.merged_into == key[1]:
                found[key] = own[key]  # they name each other: each is its own
                continue
            found[key] = one
            if one.merged_into is not None:
                onward[key] = (key[0], one.merged_into)
        at = onward
    return found


def devices_named(connection: Connection, site_id: str, ids: Collection[str]) -> dict[str, StoredDevice]:
    """As `roots`, within one household."""
    known = roots(connection, {(site_id, device_id) for device_id in ids})
    return {device_id: row for (_, device_id), row in known.items()}


def parts(connection: Connection, site_id: str, device_id: str) -> tuple[str, ...]:
    """A device's id and those of all that count as part of it; at most `MOST_PARTS`."""
    known = [device_id]
    newest = [device_id]
    for _ in range(MOST_STEPS):
        query = select(device.c.device_id).where(device.c.site == site_id, device.c.merged_into.in_(newest))
        newest = [item for item in connection.execute(query.limit(MOST_PARTS)).scalars() if item not in known]
        known += newest
        if not newest or len(known) >= MOST_PARTS:
            break
    return tuple(known[:MOST_PARTS])


def parts_of_all(connection: Connection, site_id: str, ids: Collection[str]) -> dict[str, str]:
    """As `parts` for several devices at once: by the id of each part, the device that it counts as part of."""
    root = {device_id: device_id for device_id in ids}
    newest = set(root)
    for _ in range(MOST_STEPS):
        query = (
            select(device.c.device_id, device.c.merged_into)
            .where(device.c.site == site_id, device.c.merged_into.in_(sorted(newest)))
            .limit(MOST_PARTS)
        )
        found = {row.device_id: root[row.merged_into] for row in connection.execute(query) if row.device_id not in root}
        root |= found
        newest = set(found)
        if not newest:
            break
    return root


def stays_of(connection: Connection, site_id: str, ids: Sequence[str]) -> tuple[StoredStay, ...]:
    """Latest stays of these devices, newest first; at most `MOST_STAYS`."""
    query = (
        select(stay.c.session_id, stay.c.mac, stay.c.started, stay.c.ended, stay.c.asleep_seconds, stay.c.ended_because)
        .where(stay.c.site == site_id, stay.c.device_id.in_(sorted(ids)))
        .order_by(stay.c.started.desc(), stay.c.session_id)
        .limit(MOST_STAYS)
    )
    return tuple(StoredStay(**row) for row in connection.execute(query).mappings())


def count_stays(connection: Connection, site_id: str, ids: Sequence[str]) -> int:
    """Stays of these devices."""
    query = select(func.count()).where(stay.c.site == site_id, stay.c.device_id.in_(sorted(ids)))
    return connection.execute(query).scalar_one()


def open_proposals(connection: Connection, site_id: str) -> tuple[StoredProposal, ...]:
    """Open proposals of a household, the most probable first; at most `MOST_PROPOSALS`."""
    return _proposals_where(connection, proposal.c.site == site_id, proposal.c.state == "open")


def count_proposals(connection: Connection, site_id: str) -> int:
    """Open proposals of a household."""
    query = select(func.count()).where(proposal.c.site == site_id, proposal.c.state == "open")
    return connection.execute(query).scalar_one()


def questions(
    connection: Connection,
    tenant: str,
    *,
    least: float,
    told: Collection[str],
    within: ColumnElement[bool] | None = None,
) -> tuple[tuple[Question, ...], dict[str, int]]:
    """Open proposals of a tenant that no open finding leads to, and how many there are in each household.

    Args:
        connection: open.
        tenant: whose.
        least: probability under which a proposal is left out.
        told: kinds of finding whose page shows the proposals about their device.
        within: households to look at (`charge.sees`).

    Returns:
        The most probable, at most `MOST_QUESTIONS`; and the number of all, by household that has any.
    """
    leads = (
        select(finding.c.finding_id)
        .where(
            finding.c.site == proposal.c.site,
            finding.c.state == "open",
            finding.c.kind.in_(sorted(told)),
            or_(finding.c.device_id == proposal.c.device_id, finding.c.device_id == proposal.c.other_id),
        )
        .exists()
    )
    wanted = (
        site.c.tenant == tenant,
        in_scope(within),
        proposal.c.state == "open",
        proposal.c.probability >= least,
        ~leads,
    )
    of_tenant = proposal.join(site, site.c.site == proposal.c.site)
    rows = (
        select(
            proposal.c.site,
            proposal.c.proposal_id,
            proposal.c.device_id,
            proposal.c.other_id,
            proposal.c.probability,
            proposal.c.raised_at,
        )
        .select_from(of_tenant)
        .where(*wanted)
        .order_by(proposal.c.probability.desc(), proposal.c.raised_at, proposal.c.proposal_id)
        .limit(MOST_QUESTIONS)
    )
    numbers = select(proposal.c.site, func.count()).select_from(of_tenant).where(*wanted).group_by(proposal.c.site)
    return (
        # By place: to look up the names of some hundred rows took longer than to read them.
        tuple(
            Question(
                site=of, proposal_id=item, device_id=one, other_id=other, probability=probability, raised_at=raised_at
            )
            for of, item, one, other, probability, raised_at in connection.execute(rows)
        ),
        {row[0]: row[1] for row in connection.execute(numbers)},
    )


def proposals_about(connection: Connection, site_id: str, ids: Sequence[str]) -> tuple[StoredProposal, ...]:
    """Proposals about these devices that were not withdrawn: open ones first; at most `MOST_PROPOSALS`."""
    named = sorted(ids)
    return _proposals_where(
        connection,
        proposal.c.site == site_id,
        or_(proposal.c.device_id.in_(named), proposal.c.other_id.in_(named)),
        proposal.c.state != "withdrawn",
    )


def proposal_of(connection: Connection, site_id: str, proposal_id: str) -> StoredProposal | None:
    """One proposal of a household."""
    found = _proposals_where(connection, proposal.c.site == site_id, proposal.c.proposal_id == proposal_id)
    return found[0] if found else None


def _proposals_where(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[StoredProposal, ...]:
    query = (
        select(
            proposal.c.proposal_id,
            proposal.c.device_id,
            proposal.c.other_id,
            proposal.c.probability,
            proposal.c.state,
            proposal.c.raised_at,
            proposal.c.reasons,
            proposal.c.against,
        )
        .where(*conditions)
        .order_by(case((proposal.c.state == "open", 0), else_=1), proposal.c.probability.desc(), proposal.c.proposal_id)
        .limit(MOST_PROPOSALS)
    )
    return tuple(StoredProposal(**row) for row in connection.execute(query).mappings())


def _devices() -> Select[Any]:
    return select(
        device.c.device_id,
        device.c.standing,
        device.c.label,
        device.c.looks_like,
        device.c.quarantined,
        device.c.first_seen,
        device.c.last_seen,
        device.c.addresses,
        device.c.correction,
        device.c.presence,
        device.c.merged_into,
        device.c.key_id,
        device.c.visibility,
    )
