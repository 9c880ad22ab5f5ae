"""What the pages about authority, two people and requests of the home are given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import ActForm, Asked, Fact, Moment
from dashboard.pages.contexts_bar import HouseholdBar


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A signed document that is held here."""

    name: str
    """Its reference and number."""
    state: str
    """What became of it at the box, in words."""
    facts: tuple[Fact, ...]
    """Its dates and the rest of its head."""
    clauses: tuple[Fact, ...]
    """Clause by clause, in words."""
    consents: tuple[Fact, ...]
    """Who was told and who agreed, by reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Something that an act opened and another one ends."""

    text: str
    """What."""
    detail: str
    """Of what, until when, why."""
    form: ActForm | None
    """The form that ends it; None for who may only look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawPage:
    """*Order and notices*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    recording: str
    """Whether the box records, in words."""
    authority: str
    """What is in force, as the box says."""
    documents: tuple[Document, ...]
    """Those held here, the highest number first."""
    notices: tuple[tuple[Moment, str], ...]
    """Notices that the box shows in the home: since when, and the language's code; newest first."""
    person_address: str
    """Link to who it is about."""
    handed_address: str
    """Link to records collected to hand out."""
    requests_address: str
    """Link to what the home asked for."""
    upload: ActForm | None
    """The form for a signed document; None for who may only look, or where no issuer is known."""
    held: tuple[Standing, ...]
    """Records kept for a case."""
    asked: tuple[Asked, ...]
    """What was asked, newest first."""
    forms: tuple[ActForm, ...]
    """What can be asked for; empty for who may only look."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLawPage:
    """*Records of a device*: unmasking, erasing, a code for its own page."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    back: str
    """Link to the device."""
    device: str
    """The device in a few words."""
    code: str
    """A one-time code that was just made; shown this once."""
    code_until: Moment | None
    """Until when it works."""
    asked: tuple[Asked, ...]
    """What was asked about it, newest first."""
    forms: tuple[ActForm, ...]
    """What can be asked for."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """Something that somebody in the home asked for."""

    anchor: str
    """Element id."""
    kind: str
    """What it is, in words."""
    text: str
    """In their own words."""
    device: str
    """From which device, and whether that was proved."""
    device_address: str
    """Link to the device; empty where none is known."""
    at: Moment
    """When."""
    until: Moment | None
    """For a guest: until when they say they stay."""
    answer: str
    """What an officer did about it; empty while it is open."""
    form: ActForm | None
    """The form that answers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsPage:
    """*Requests from the home*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    open: tuple[RequestRow, ...]
    """Those that wait, oldest first."""
    answered: tuple[RequestRow, ...]
    """The latest that were answered, newest first."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRow:
    """Records that were collected to hand out."""

    name: str
    """Its reference."""
    state: str
    """How far it is, in words."""
    facts: tuple[Fact, ...]
    """When, how many records, its digest, who certified it."""
    address: str
    """Where it can be downloaded; empty while it cannot."""
    certify: ActForm | None
    """The form that certifies it; None where that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedPage:
    """*Records handed out*: bundles for a court, and a person's own records."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    bundles: tuple[BundleRow, ...]
    """The newest first."""
    asked: tuple[Asked, ...]
    """What was asked, newest first."""
    ask: ActForm | None
    """The form that asks for another; None for who may only look."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""
