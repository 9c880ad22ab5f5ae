"""What people at the notice page ask and say (porch and keeper), and what keeper and warden settle about it.

A ticket is the porch's own number for an open connection, a token the keeper's for a question; neither means
anything elsewhere. What somebody wrote travels to the keeper and from there sealed to the server; the porch keeps
none of it. Bounded: `MAX_SAID` characters a text, `MAX_UNREAD` devices in one message.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.messages.base import BaseMessage, Mac, Tally

MAX_SAID = 500
"""Most characters of a text: equal to what `wire.household.HouseholdRequest` takes."""

MAX_UNREAD = 64
"""Most addresses that are shown the notice at a time."""

UNREAD_SECONDS = 60.0
"""Longest that a device's first look for a sign-in page is led to the notice (R57, R59)."""

MAX_CODE = 32

Client = Annotated[str, Meta(min_length=2, max_length=45)]
"""An IP address as the listener gives it."""


class FormKind(StrEnum):
    """What somebody in the home wants to say. The values are those of `wire.household.HouseholdRequest.kind`."""

    NOTICE_READ = "notice-read"
    GUEST = "guest"
    CORRECTION = "correction"
    ACCESS = "access"
    COMPLAINT = "complaint"


class Visitor(StrEnum):
    """What kind of device a visitor brought; nobody is asked for a name."""

    PHONE = "phone"
    TABLET = "tablet"
    LAPTOP = "laptop"
    CONSOLE = "console"
    OTHER = "other"


class FormSent(BaseMessage, frozen=True, tag="form-sent"):
    """Porch: somebody sent a form."""

    ticket: Tally
    client: Client
    kind: FormKind
    text: Annotated[str, Meta(max_length=MAX_SAID)] = ""
    visitor: Visitor | None = None
    seconds: Annotated[float, Meta(ge=3600, le=14 * 86400)] | None = None
    """How long the visit is said to last."""
    notice: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")] | None = None
    """Digest of the notice that was shown (see `appliance.notice`)."""


class FormAnswered(BaseMessage, frozen=True, tag="form-answered"):
    """Keeper: whether it was taken; `why` says why not, in plain words."""

    ticket: Tally
    taken: bool
    why: Annotated[str, Meta(max_length=300)] = ""


class OwnPageAsked(BaseMessage, frozen=True, tag="own-page-asked"):
    """Porch: somebody wants to read what the box knows about the device they hold."""

    ticket: Tally
    client: Client
    code: Annotated[str, Meta(max_length=MAX_CODE)] = ""
    """As typed in; empty without one."""


class OwnSection(msgspec.Struct, frozen=True, kw_only=True):
    """A heading and sentences below it."""

    title: str
    lines: tuple[str, ...]


class OwnPage(BaseMessage, frozen=True, tag="own-page"):
    """Keeper: what it knows about that device; without sections where nothing was proved, whatever it knows."""

    ticket: Tally
    sections: tuple[OwnSection, ...] = ()


class WhoIs(BaseMessage, frozen=True, tag="who-is"):
    """Keeper to warden: which device has this IP address at the moment? Neither keeps the question."""

    token: Tally
    ip: Client


class ThisIs(BaseMessage, frozen=True, tag="this-is"):
    """Warden: that one, as the kernel's neighbour table has it."""

    token: Tally
    mac: Mac | None = None
    wireless: bool = False
    """The bridge hears it at the port of an access point. What has copied its address at a cable does not come there."""


class Unread(msgspec.Struct, frozen=True, array_like=True):
    """A device that has not read the notice."""

    mac: Mac
    seconds: Annotated[float, Meta(ge=0, le=UNREAD_SECONDS)]
    """How long it is still led to it."""


class NoticeDue(BaseMessage, frozen=True, tag="notice-due"):
    """Keeper to warden: whose plain web questions are led to the notice page. Whole state; each ends by itself."""

    devices: Annotated[tuple[Unread, ...], Meta(max_length=MAX_UNREAD)]
