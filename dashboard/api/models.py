"""What the interface answers with. Times are RFC 3339 in UTC; text that came from a network is harmless to print.

Logged names are written `example[.]test`, as on the pages, so that no program that shows them makes a link (R42).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field

from dashboard.api.frame import Model

Item = TypeVar("Item")
Moment = Annotated[datetime, Field(description="RFC 3339, UTC.")]


def moment(at: float) -> datetime:
    """A stored time."""
    return datetime.fromtimestamp(at, UTC)


def moment_or_none(at: float | None) -> datetime | None:
    """As `moment`; None stays None."""
    return None if at is None else moment(at)


class Page(Model, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next: str | None = Field(description="Give it as `cursor` to go on; null at the end.")


class ListQuery(Model):
    """Which part of a list."""

    cursor: str = Field(default="", max_length=400, description="`next` of the part before; empty for the first.")
    limit: int = Field(default=50, ge=1, le=200, description="Items of a part.")


class FindingsQuery(ListQuery):
    """Which findings."""

    state: str = Field(default="", pattern="^(open|closed|)$", description="Only those in this state.")


class Me(Model):
    """Whose token it is."""

    account: str
    name: str
    role: str
    rights: list[str]
    service: bool
    token: str = Field(description="The token's reference, not the token.")
    expires: Moment


class Household(Model):
    """A household in the charge of the token's account."""

    site: str
    title: str
    heard: Moment | None = Field(description="When its box was last heard of.")
    recording: bool | None = Field(description="Whether the box may record; null if it has not said.")
    authority: str = Field(description="What it may do, in the box's words.")
    open_findings: int = Field(description="Findings that wait for a decision.")
    for_information: int = Field(description="Open findings for information alone.")
    worst: str | None = Field(description="Severity of the worst open finding.")


class Finding(Model):
    """Something that was seen about a device, never about a person."""

    site: str
    finding: str
    kind: str
    severity: str
    state: str
    device: str | None
    cause: str | None = Field(description="Findings of one cause belong together.")
    sentence: str
    why: str
    sure: str
    first_seen: Moment
    last_seen: Moment
    raised: Moment
    count: int
    clause: str = Field(description="Clause of the document under which it was made.")
    rule: str
    reasons: list[str]
    alternatives: list[str] = Field(description="What else could explain it.")
    matched: dict[str, str] = Field(description="Name and list, where a name was matched; never a link.")
    closed_because: str


class Address(Model):
    """A hardware address that a device has used."""

    mac: str
    first_seen: Moment
    last_seen: Moment
    locally_administered: bool


class Device(Model):
    """A device; one that counts as part of another names it."""

    site: str
    device: str
    standing: str
    label: str
    looks_like: str
    confidence: float | None
    quarantined: bool
    first_seen: Moment
    last_seen: Moment
    addresses: list[Address]
    merged_into: str | None
    passphrase: str | None = Field(description="Reference of the passphrase that is its own.")


class Stay(Model):
    """One stay of a device at home."""

    stay: str
    device: str
    mac: str
    started: Moment
    ended: Moment | None
    asleep_seconds: int
    ended_because: str


class Proposal(Model):
    """Two devices that may be one."""

    site: str
    proposal: str
    device: str = Field(description="Would stay.")
    other: str = Field(description="Would count as part of it.")
    probability: float
    state: str
    raised: Moment
    reasons: list[str]
    against: list[str]


class Command(Model):
    """Something that was asked of a box."""

    site: str
    command: str
    action: str
    text: str = Field(description="What was asked for, in words.")
    state: str
    says: str = Field(description="What became of it, in words.")
    done: bool
    device: str | None
    reason: str
    by: str
    asked: Moment
    expires: Moment
    answered: Moment | None
    second: str | None = Field(description="Account that agreed or refused.")
    emergency: bool


class Document(Model):
    """A signed document that is held here."""

    authority: str
    number: int
    sha256: str
    stored: Moment
    by: str
    document: str = Field(description="As it was signed.")


class Request(Model):
    """What somebody at home asked for."""

    request: str
    kind: str
    device: str | None
    proved: bool = Field(description="Whether it was proved that it came from that device.")
    text: str
    at: Moment
    until: Moment | None
    state: str
    note: str
    answered: Moment | None


class Bundle(Model):
    """Records collected to hand out."""

    bundle: str
    state: str
    problem: str
    parts: int
    arrived: int
    records: int
    built: Moment
    completed: Moment | None
    octets: int | None
    sha256: str | None
    certified: Moment | None


class Arrangements(Model):
    """What officers arranged with a box, as it last said."""

    said: Moment | None
    arrangements: dict[str, Any] = Field(description="As the wire's model has it; see docs/asyncapi.json.")


class AuditLine(Model):
    """Who did what."""

    number: int
    at: Moment
    account: str | None
    action: str
    subject: str
    outcome: str
    digest: str = Field(description="Chains it to the line before.")


class Taken(Model):
    """A decision that was taken in, by the rules of the page's form."""

    command: str | None = Field(description="Reference of what is sent to the box; null where nothing is.")
    address: str | None = Field(description="Where to ask what became of it; null where it is done.")
    see: str = Field(description="The page on which it is shown.")
    code: str | None = Field(description="A code to give out, for the one time that it can be read; else null.")
