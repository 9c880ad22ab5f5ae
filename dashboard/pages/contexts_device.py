"""What pages about devices are given: rows, evidence, and the forms that decide (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Asked, Choice, Fact, Moment, SeverityMark
from dashboard.pages.contexts_bar import HouseholdBar


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRow:
    """A hardware address that a device has used."""

    text: str
    """The address."""
    kind: str
    """Whose choice it is and whether it changes, in words."""
    first_seen: Moment
    """First seen."""
    last_seen: Moment
    """Last seen."""
    joined: str
    """Why it counts as this device's; empty for the one the device was first known by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device of the household."""

    anchor: str
    """Element id."""
    name: str
    """Label given by an officer, or that there is none."""
    standing: str
    """Standing in words."""
    standing_key: str
    """Standing as the wire says it, for the tag's colour."""
    looks_like: str
    """What it appears to be."""
    sure: str
    """How sure of that; empty if unknown."""
    reasons: tuple[str, ...]
    """Why it appears so."""
    first_seen: Moment
    """First seen."""
    last_seen: Moment
    """Last seen."""
    private: bool
    """Whether it hides its own hardware address (the locally administered bit)."""
    quarantined: bool
    """Whether the box holds it off the internet."""
    address: str
    """Link to its own page."""
    presence: str
    """Whether it is there and since when, in words; empty if the box has not said."""
    presence_key: str
    """here, asleep, flapping or left: the shape; empty if the box has not said."""
    against: tuple[str, ...]
    """What speaks against what it appears to be."""
    corrected: bool
    """Whether an officer said what it is."""
    visibility: str
    """How much of what it did the box could put a name to, one sentence; empty if the box has not said."""
    addresses: tuple[AddressRow, ...]
    """Hardware addresses used, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StayRow:
    """A time in which a device was there."""

    started: Moment
    """When it joined."""
    ended: Moment | None
    """When it left; None while it is there."""
    lasted: str
    """How long, in words; empty while it is there."""
    quiet: str
    """How much of that it was quiet, in words; empty for none."""
    because: str
    """How the box knows that it left; empty if it does not say."""
    mac: str
    """The address it used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalCard:
    """Two devices that may be one."""

    anchor: str
    """Element id."""
    sentence: str
    """The question with its probability."""
    sure: str
    """How sure, as a word of the yardstick."""
    state: str
    """Waits for an answer, and the like, in words."""
    open: bool
    """Whether it waits for an answer."""
    sent: str
    """The latest answer that was sent and what became of it; empty if none was."""
    sent_address: str
    """Link to that."""
    stays: str
    """The device that would stay, in words."""
    stays_address: str
    """Link to it."""
    goes: str
    """The device that would count as part of it, in words."""
    goes_address: str
    """Link to it."""
    reasons: tuple[str, ...]
    """What speaks for it."""
    against: tuple[str, ...]
    """What speaks against it."""
    raised: Moment
    """Since when."""
    address: str
    """Link to where it is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoned:
    """What the forms have in common: each asks for a reason."""

    target: str
    """Where it is sent."""
    token: str
    """Makes two sendings of the same form one command."""
    reason: str
    """Typed reason."""
    errors: tuple[tuple[str, str], ...]
    """Field and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded(Reasoned):
    """A form that is folded away until somebody wants it."""

    opened: bool
    """Shown open: it was sent and something is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Reasoned):
    """The form that says what a device is."""

    heading: str
    """What the form does."""
    folded: bool
    """Shown behind a disclosure, as nothing asks for it now."""
    choices: tuple[Choice, ...]
    """Standings."""
    label: str
    """Typed or known label."""
    days: str
    """Typed number of days for a guest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectForm(Folded):
    """The form that says what a device is, whatever it shows of itself."""

    categories: tuple[Choice, ...]
    """Kinds of device; the first leaves it to the box."""
    os_family: str
    """Typed or known system."""
    vendor: str
    """Typed or known maker."""
    model: str
    """Typed or known model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitForm(Folded):
    """The form that takes addresses out of a device again."""

    addresses: tuple[Choice, ...]
    """Addresses to tick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyForm(Folded):
    """The form that says what a Wi-Fi passphrase is for."""

    key_id: str
    """Typed or known reference of the passphrase."""
    purposes: tuple[Choice, ...]
    """What it may be for."""
    days: str
    """Typed number of days for a visitor's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerForm(Reasoned):
    """The form that says whether two devices are one."""

    choices: tuple[Choice, ...]
    """The answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """A finding about the device."""

    sentence: str
    """What was seen."""
    state: str
    """Open or Closed."""
    last_seen: Moment
    """Latest support."""
    severity: SeverityMark
    """How soon to look."""
    address: str
    """Link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePage:
    """*Device*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    heading: str
    """The device in a few words."""
    device: DeviceRow
    """The device."""
    parts: tuple[Fact, ...]
    """Kind, system, maker, model, and who said so."""
    key_id: str
    """Reference of the Wi-Fi passphrase that is its own; empty if there is none."""
    proposals: tuple[ProposalCard, ...]
    """Other devices that it may be, or was said to be."""
    opened: tuple[FindingLine, ...]
    """Open findings about it and what counts as part of it."""
    closed: tuple[FindingLine, ...]
    """Closed ones, the latest."""
    findings_left_out: int
    """Findings about it beyond the most that are shown."""
    stays: tuple[StayRow, ...]
    """When it was there, latest first."""
    stays_left_out: int
    """Stays beyond the most that are shown."""
    asked: tuple[Asked, ...]
    """Commands about it, newest first."""
    register: Register | None
    """The form that says whose it is; None for who may only look."""
    correct: CorrectForm | None
    """The form that says what it is; None for who may only look."""
    split: SplitForm | None
    """The form that takes addresses out; None if there is only one."""
    key: KeyForm | None
    """The form about its Wi-Fi passphrase; None for who may only look."""
    agent_address: str
    """Link to where a report of software on it can be handed in; empty for who may only look."""
    law_address: str
    """Link to what can be asked for about its records; empty for who may only look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPage:
    """*Take addresses out?*: what it means, before it is sent."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    device: str
    """The device, in words."""
    device_address: str
    """Link back."""
    target: str
    """Where the form is sent."""
    token: str
    """Makes two sendings of the same form one command."""
    macs: tuple[str, ...]
    """Addresses that go."""
    rest: tuple[str, ...]
    """Addresses that stay."""
    reason: str
    """Typed reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalPage:
    """*One device or two?*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    card: ProposalCard
    """The question."""
    devices: tuple[DeviceRow, ...]
    """The two, as far as they are known."""
    asked: tuple[Asked, ...]
    """Answers sent earlier, newest first."""
    answer: AnswerForm | None
    """The form; None if it waits for no answer, or for who may only look."""
