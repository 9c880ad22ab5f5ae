"""What the tabs of a household are given: its devices, its box, its person and its notes (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import ActForm, Asked, Choice, Fact, Moment
from dashboard.pages.contexts_bar import HouseholdBar
from dashboard.pages.contexts_device import DeviceRow, ProposalCard
from dashboard.pages.contexts_household import Box, LookForm
from dashboard.pages.contexts_install import InForm


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkForm:
    """The form that says of several devices whose they are."""

    target: str
    """Where it is sent."""
    choices: tuple[Choice, ...]
    """Standings."""
    days: str
    """Typed number of days for a guest."""
    reason: str
    """Typed reason."""
    ticked: tuple[str, ...]
    """Ids of devices that are ticked."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesPage:
    """*Devices*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    total: str
    """How many devices there are of what was asked for, in words."""
    standings: tuple[Choice, ...]
    """Standings to filter by."""
    times: tuple[Choice, ...]
    """Times of last being seen to filter by."""
    text: str
    """Text to filter by."""
    filtered: bool
    """Whether a filter is set."""
    devices: tuple[tuple[str, DeviceRow], ...]
    """Id and row; not registered first, then latest seen."""
    before: str
    """Link to the devices before these; empty for none."""
    after: str
    """Link to those after these; empty for none."""
    csv: str
    """Link to these as a file; empty where it may not be taken."""
    proposals: tuple[ProposalCard, ...]
    """Devices that may be one, the most probable first."""
    asked: tuple[Asked, ...]
    """Decisions about devices, and about the whole household, newest first."""
    bulk: BulkForm | None
    """None for who may only look, and where there is no device."""
    look: LookForm | None
    """The form that lets the box look round; None for who may only look."""
    in_use: str
    """Where one may look whether a registered device is in use; empty for who may only look."""
    cannot_see: tuple[str, ...]
    """What this list does not cover (R20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRow:
    """A device about to be given a standing."""

    device_id: str
    """Its id."""
    name: str
    """What it is called or looks like now."""
    looks_like: str
    """What it looks like."""
    now: str
    """Its standing now, in words."""
    label: str
    """Typed or known label."""
    error: str
    """What is wrong with the label; empty for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPage:
    """*Confirm whose these devices are*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    target: str
    """Where it is sent."""
    token: str
    """Makes two sendings of the form one command a device."""
    standing: str
    """As the wire says it."""
    becomes: str
    """In words."""
    means: str
    """What it means for what is kept."""
    days: str
    """Number of days for a guest; empty for others."""
    reason: str
    """Typed reason."""
    rows: tuple[BulkRow, ...]
    """The devices."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRow:
    """A registered device and whether it is in use."""

    device: str
    """In words."""
    address: str
    """Link to it."""
    state: str
    """Here, quiet or left, since when, in words."""
    key: str
    """here, asleep, flapping or left: the shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InUsePage:
    """*In use now* (R51): made once, never by itself again."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    target: str
    """Where one looks again."""
    rows: tuple[UseRow, ...]
    """Registered devices."""
    trouble: str
    """Why this may be out of date; empty for nothing."""
    at: Moment
    """When it was looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxPage:
    """*Box health*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    box: Box
    """Health of the box."""
    facts: tuple[Fact, ...]
    """Clock, storage, certificate and what else the box says of itself."""
    asked: tuple[Asked, ...]
    """Commands about the whole household, newest first."""
    arranged: str
    """What is arranged with the box, in words."""
    arrangements_address: str
    """Link to that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPage:
    """*Person and homes*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    entered: bool
    """Whether a person is entered."""
    facts: tuple[Fact, ...]
    """Reference, risk, how often to look."""
    homes: tuple[tuple[str, str, Moment], ...]
    """Homes: title, link (empty for one that who asks may not see), since when (R48)."""
    changes: tuple[tuple[Moment, str, str], ...]
    """What was changed: when, by whom, what; newest first."""
    forms: tuple[ActForm, ...]
    """Forms; empty for who may only look."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """A note."""

    anchor: str
    """Element id."""
    at: Moment
    """When it was written."""
    by: str
    """Agency and account."""
    heading: str
    """Heading of the risk review, in words; empty for none."""
    about: str
    """Finding or device that it is about, in words; empty for none."""
    about_address: str
    """Link to that."""
    lines: tuple[str, ...]
    """Its text."""
    corrects: str
    """Element id of the note that it puts right; empty for none."""
    corrected: bool
    """A later note puts this one right."""
    correct_address: str
    """Link to the form that puts it right; empty for who may only look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesPage:
    """*Notes*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    headings: tuple[Choice, ...]
    """Headings to filter by."""
    notes: tuple[NoteRow, ...]
    """Newest first."""
    before: str
    """Link to later notes; empty for none."""
    after: str
    """Link to earlier notes; empty for none."""
    form: ActForm | None
    """The form; None for who may only look."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxLine:
    """A box in the list for engineers: nothing about persons."""

    site: str
    """The box's reference."""
    address: str
    """Link to its page."""
    sentence: str
    """Reporting or not."""
    reporting: bool
    """Whether it was heard of lately."""
    heard: Moment | None
    """When; None if never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxesPage:
    """*Boxes*."""

    summary: str
    """How many report."""
    boxes: tuple[BoxLine, ...]
    """Those that do not report first."""
    left_out: int
    """Boxes beyond the most that are shown."""
    stock: str
    """Where boxes are entered; empty for who may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxDetailPage:
    """*Box*, for engineers: nothing about persons or devices."""

    site: str
    """The box's reference."""
    box: Box
    """Its health."""
    facts: tuple[Fact, ...]
    """Clock, storage, certificate and what else the box says of itself."""
    revoke: str
    """Where it is revoked; empty for who may not."""
    update: str
    """How the release stands that it was told of last; empty for who does not keep boxes."""
    again: ActForm | None
    """Tells it of that once more; None where there is nothing to."""
    errors: tuple[tuple[str, str], ...]
    """What is wrong with what was typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """A box that waits to be fitted."""

    site: str
    """The box's reference."""
    fingerprint: str
    """Of its key, as on its label."""
    entered: Moment
    """When."""
    locked: bool
    """Wrong codes were tried too often."""
    remove: str
    """Where it is taken out of stock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPage:
    """*Boxes in stock*."""

    summary: str
    """How many wait."""
    boxes: tuple[StockRow, ...]
    """The latest first."""
    left_out: int
    """More that are not shown."""
    form: InForm
    """To enter boxes."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokePage:
    """*Revoke the box*."""

    site: str
    """The box's reference."""
    revoked: Moment | None
    """When it was; None where it is not."""
    cut: Moment | None
    """When its session was ended; None while that is not known."""
    form: InForm | None
    """None where it is revoked."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A passphrase of a home's Wi-Fi; never the passphrase itself."""

    key_id: str
    """What the box knows it by."""
    label: str
    """For which device, or for whom."""
    purpose: str
    """In words."""
    devices: tuple[tuple[str, str], ...]
    """Devices that joined with it: name and link."""
    state: str
    """What became of it, in words."""
    end: str
    """Where it is ended; empty where it cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WifiPage:
    """*Wi-Fi* of a household."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    facts: tuple[Fact, ...]
    """Its name, and how it is."""
    trouble: str
    """That the last change is under way or did not work, with what to do; empty where it did."""
    keys: tuple[KeyRow, ...]
    """Passphrases that count."""
    ended: tuple[KeyRow, ...]
    """Those that were ended, the latest first."""
    others: tuple[str, ...]
    """Ids that devices joined with and that were not made here."""
    forms: tuple[InForm, ...]
    """Empty for who may only look."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage:
    """*Turn off the private address*."""

    kinds: tuple[tuple[str, tuple[str, ...]], ...]
    """Kind of device and the steps on it."""
