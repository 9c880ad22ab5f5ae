"""Payloads of the messages between a box and its dashboard, version 1.

One pydantic model a message; `TYPES` maps the CloudEvents `type` to its model, its channel and
its direction, and everything generated (AsyncAPI, golden files) starts from there. A payload
travels signed and sealed (see `wire.codec`); none holds a name of a person.

Compatible changes add optional fields; anything else is a new type with a higher version.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import Field

from wire.base import Confidence, Correction, Count, Id, Mac, Payload, Revision, Standing, Text, Time
from wire.batch import Batch
from wire.box import Arrangements, BoxStatus
from wire.bundles import BundleBuilt, BundlePart
from wire.findings import Finding
from wire.household import HouseholdRequest, Notice
from wire.ledger import Head, HeadCosigned, LedgerSeed
from wire.orders import Order
from wire.timing import TimeAnswer, TimeRequest
from wire.topics import Channel


class JoinedBy(StrEnum):
    """How an address came to be counted as a device's."""

    KEY = "passphrase"
    """It joined with the passphrase that is this device's own."""
    IDENTIFIER = "identifier"
    """It showed an identifier that a person has confirmed once as this device's."""
    PERSON = "person"
    """A person confirmed the proposal."""


class Address(Payload):
    """A hardware address a device has used."""

    mac: Mac
    locally_administered: bool
    first_seen: Time
    last_seen: Time
    rotating: bool | None = None
    """The device makes up a new address from time to time; false: it keeps a made-up one. None: not known."""
    joined_by: JoinedBy | None = None
    """None for the address that the device was first known by."""


class LooksLike(Payload):
    """What a device appears to be, how sure, and why."""

    text: Text
    confidence: Confidence
    """Of what `text` says; that may be a wider kind than `category`."""
    reasons: tuple[Text, ...] = Field(max_length=16)
    category: str | None = Field(default=None, max_length=20)
    """Such as phone, tablet, laptop, tv; `docs/wire.md` has the list."""
    category_confidence: Confidence | None = None
    """Of `category` alone; None where the box does not say."""
    os_family: str | None = Field(default=None, max_length=40)
    vendor: str | None = Field(default=None, max_length=80)
    model: str | None = Field(default=None, max_length=80)
    conflicts: tuple[Text, ...] | None = Field(default=None, max_length=8)
    """What speaks against it; None where nothing does."""


class PresenceState(StrEnum):
    """Whether a device is there."""

    HERE = "here"
    ASLEEP = "asleep"
    """Quiet, as phones are that doze; not gone."""
    LEFT = "left"
    FLAPPING = "flapping"
    """It comes and goes many times in a short while."""


class Visibility(Payload):
    """How much of what a device did in a day the box could put a name to (N10)."""

    day: Time
    """Midnight UTC it began at."""
    connections: Count
    named: Confidence
    """Share of the connections to addresses that an answer of the DNS or a hello named."""
    octets_named: Confidence | None = None
    """Share of the octets; None where volumes may not be kept."""


class Presence(Payload):
    """Whether a device is there, since when."""

    state: PresenceState
    since: Time


class Device(Payload):
    """A device as it stands at `revision` (R11, R13)."""

    device_id: Id
    revision: Revision
    standing: Standing
    label: str | None = Field(default=None, max_length=80)
    """Name given by an officer; a locked field that evidence never overwrites."""
    looks_like: LooksLike | None = None
    addresses: tuple[Address, ...] = Field(max_length=32)
    first_seen: Time
    last_seen: Time
    quarantined: bool = False
    correction: Correction | None = None
    presence: Presence | None = None
    merged_into: Id | None = None
    """It counts as part of that device until a person splits them again; it is not shown on its own."""
    key_id: str | None = Field(default=None, max_length=64)
    """The passphrase that is this device's own."""
    visibility: Visibility | None = None
    """Of the last day with any traffic; None where signs may not be kept."""


class Proposal(Payload):
    """Two devices may be one (N8, R17). Nothing is joined until a person says so."""

    proposal_id: Id
    revision: Revision
    device_id: Id
    """The one seen first, which would stay."""
    other_id: Id
    """The one that would count as part of it."""
    probability: Confidence
    reasons: tuple[Text, ...] = Field(max_length=16)
    against: tuple[Text, ...] = Field(default=(), max_length=16)
    state: Literal["open", "confirmed", "refused", "withdrawn"]
    raised_at: Time


class Session(Payload):
    """One stay of a device, from joining to leaving (R13)."""

    session_id: Id
    revision: Revision
    device_id: Id
    mac: Mac
    started: Time
    ended: Time | None = None
    asleep_seconds: Count = 0
    """How much of it the device was quiet, as phones are that doze."""
    ended_because: Text | None = None


class Command(Payload):
    """An order from the dashboard, signed, in sequence and expiring. The box's rules decide."""

    command_id: Id
    sequence: Revision
    """Strictly rising per site; the box refuses what it has passed."""
    issued_at: Time
    expires_at: Time
    by: Id
    """Opaque reference of the account that asked."""
    second: Id | None = None
    """Another account, that agreed; see `wire.acts.NEEDS_TWO`."""
    break_glass: Literal[True] | None = None
    """One person acts in an emergency (`wire.acts.BREAKABLE`), for `BREAK_SECONDS` at most."""
    reason: Text | None = None
    """Why, in the words of who asked."""
    body: Order


class Outcome(StrEnum):
    """What became of a command."""

    APPLIED = "applied"
    REFUSED = "refused"
    EXPIRED = "expired"
    OUT_OF_SEQUENCE = "out-of-sequence"


class CommandResult(Payload):
    """The box's answer to a command."""

    command_id: Id
    outcome: Outcome
    detail: Text = ""
    at: Time


class Receipt(Payload):
    """The server has committed these; only now may the box forget them (not on a PUBACK)."""

    epoch: Id
    ranges: tuple[tuple[Count, Count], ...] = Field(min_length=1, max_length=256)
    """Inclusive ranges of sequence numbers."""
    at: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageType:
    """How one payload travels."""

    ce_type: str
    model: type[Payload]
    channel: Channel
    name: str
    up: bool
    """True from box to dashboard."""


TYPES: dict[str, MessageType] = {
    entry.ce_type: entry
    for entry in (
        MessageType(ce_type="gatehouse.batch.v1", model=Batch, channel=Channel.EVENT, name="batch", up=True),
        MessageType(ce_type="gatehouse.finding.v1", model=Finding, channel=Channel.EVENT, name="finding", up=True),
        MessageType(ce_type="gatehouse.device.v1", model=Device, channel=Channel.STATE, name="device", up=True),
        MessageType(ce_type="gatehouse.proposal.v1", model=Proposal, channel=Channel.STATE, name="proposal", up=True),
        MessageType(ce_type="gatehouse.session.v1", model=Session, channel=Channel.EVENT, name="session", up=True),
        MessageType(
            ce_type="gatehouse.arrangements.v1", model=Arrangements, channel=Channel.STATE, name="arrangements", up=True
        ),
        MessageType(ce_type="gatehouse.status.v1", model=BoxStatus, channel=Channel.STATUS, name="box", up=True),
        MessageType(
            ce_type="gatehouse.result.v1", model=CommandResult, channel=Channel.RESULT, name="command", up=True
        ),
        MessageType(
            ce_type="gatehouse.request.v1", model=HouseholdRequest, channel=Channel.EVENT, name="request", up=True
        ),
        MessageType(ce_type="gatehouse.notice.v1", model=Notice, channel=Channel.EVENT, name="notice", up=True),
        MessageType(ce_type="gatehouse.head.v1", model=Head, channel=Channel.EVENT, name="head", up=True),
        MessageType(ce_type="gatehouse.seed.v1", model=LedgerSeed, channel=Channel.EVENT, name="seed", up=True),
        MessageType(ce_type="gatehouse.bundle.v1", model=BundleBuilt, channel=Channel.EVENT, name="bundle", up=True),
        MessageType(ce_type="gatehouse.part.v1", model=BundlePart, channel=Channel.TELEMETRY, name="part", up=True),
        MessageType(ce_type="gatehouse.time.v1", model=TimeRequest, channel=Channel.TELEMETRY, name="time", up=True),
        MessageType(ce_type="gatehouse.told-time.v1", model=TimeAnswer, channel=Channel.CMD, name="time", up=False),
        MessageType(ce_type="gatehouse.cosigned.v1", model=HeadCosigned, channel=Channel.CMD, name="head", up=False),
        MessageType(ce_type="gatehouse.command.v1", model=Command, channel=Channel.CMD, name="command", up=False),
        MessageType(ce_type="gatehouse.receipt.v1", model=Receipt, channel=Channel.CMD, name="receipt", up=False),
    )
}


_OF_MODEL = {entry.model: entry for entry in TYPES.values()}


def type_of(payload: Payload) -> MessageType:
    """The entry of `TYPES` for a payload's class."""
    return _OF_MODEL[type(payload)]
