"""Orders about the law of the matter: authority, masks, holds, exports, restoring a box; and who may give them.

Some need two people: `NEEDS_TWO`. In an emergency one may be enough for those of `BREAKABLE`, for `BREAK_SECONDS` at
most, and others are told. The box refuses what lacks its second person; the dashboard asks for one.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wire.base import Correction, Count, Id, Mac, Payload, Standing, Text, Time
from wire.ledger import Digest

BREAK_SECONDS = 3600
"""How long what one person opened in an emergency stays open."""
MAX_AUTHORITY_TEXT = 24 * 1024
MAX_RESTORED = 32


class SetAuthority(Payload):
    """Put a signed authority document in force. One that allows more than the one before needs two people."""

    action: Literal["set-authority"] = "set-authority"
    document: str = Field(min_length=2, max_length=MAX_AUTHORITY_TEXT)
    """The signed document's JSON (`wire.authority.SignedAuthority`)."""


class PauseRecording(Payload):
    """Record nothing about devices until then, or until told otherwise. Narrowing needs one person."""

    action: Literal["pause-recording"] = "pause-recording"
    until: Time | None = None
    reason: Text = Field(min_length=1)


class ResumeRecording(Payload):
    """Go on recording before a pause is over."""

    action: Literal["resume-recording"] = "resume-recording"
    reason: Text = Field(min_length=1)


class WithdrawConsent(Payload):
    """A consent on which the authority rests was withdrawn: recording ends until a document with a higher number."""

    action: Literal["withdraw-consent"] = "withdraw-consent"
    consent: Id | None = None
    """Whose, as the document refers to them; None: the authority's own."""
    reason: Text = Field(min_length=1)


class Unmask(Payload):
    """Treat a device of the household's, a guest's or an unknown one as registered, as far as a clause allows it."""

    action: Literal["unmask"] = "unmask"
    device_id: Id
    until: Time
    reason: Text = Field(min_length=1)


class EndUnmask(Payload):
    """The mask is put on again."""

    action: Literal["end-unmask"] = "end-unmask"
    device_id: Id


class SetHold(Payload):
    """Keep records of a case beyond their time. Only what is on the box at that moment can be held."""

    action: Literal["set-hold"] = "set-hold"
    hold_id: Id
    since: Time
    until: Time
    """Records of this span are held."""
    device_id: Id | None = None
    """Of this device and of the box; None: of all."""
    review: Time
    """When the hold ends unless it is set anew."""
    reason: Text = Field(min_length=1)


class EndHold(Payload):
    """A hold is over: what it kept is erased when its own time has come."""

    action: Literal["end-hold"] = "end-hold"
    hold_id: Id


class EraseRecords(Payload):
    """Erase what was recorded of a device that should not have been (R65); the audit keeps no content."""

    action: Literal["erase-records"] = "erase-records"
    device_id: Id
    since: Time | None = None
    until: Time | None = None
    reason: Text = Field(min_length=1)


class BuildBundle(Payload):
    """Build the data part of an evidence bundle, or of a person's own records."""

    action: Literal["build-bundle"] = "build-bundle"
    bundle_id: Id
    purpose: Literal["evidence", "access"]
    """`access`: a person's own records, others' cut out."""
    since: Time
    until: Time
    device_ids: tuple[Id, ...] = Field(default=(), max_length=64)
    """Empty: all devices on the register."""
    reason: Text = Field(min_length=1)


class FetchBundle(Payload):
    """Send these parts of a built bundle (again). Asked for from behind its last part, it is not needed any more."""

    action: Literal["fetch-bundle"] = "fetch-bundle"
    bundle_id: Id
    first: Count = 0
    count: Count = 64


class IssueCode(Payload):
    """A one-time code with which one device's own page may be read."""

    action: Literal["issue-code"] = "issue-code"
    device_id: Id
    code_sha256: Digest
    """SHA-256 of `device_id:code`; the code itself never travels."""
    expires: Time


class Restored(Payload):
    """A device as the dashboard knew it, for a box that lost its memory."""

    device_id: Id
    revision: Count
    standing: Standing
    label: str | None = Field(default=None, max_length=80)
    macs: tuple[Mac, ...] = Field(min_length=1, max_length=32)
    first_seen: Time
    last_seen: Time
    guest_until: Time | None = None
    correction: Correction | None = None
    key_id: str | None = Field(default=None, max_length=64)


class RestoreDevices(Payload):
    """Put devices on the register of a box that has an empty one, or had them from the same restoring."""

    action: Literal["restore-devices"] = "restore-devices"
    devices: tuple[Restored, ...] = Field(min_length=1, max_length=MAX_RESTORED)


Act = (
    SetAuthority
    | PauseRecording
    | ResumeRecording
    | WithdrawConsent
    | Unmask
    | EndUnmask
    | SetHold
    | EndHold
    | EraseRecords
    | BuildBundle
    | FetchBundle
    | IssueCode
    | RestoreDevices
)

NEEDS_TWO = frozenset({"resume-recording", "unmask", "set-hold", "build-bundle", "erase-records"})
"""Actions that the box follows only when two people gave them; `set-authority` besides, where it allows more."""

_OF_OTHERS = frozenset({Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK, Standing.INFRASTRUCTURE})


def opens(before: Standing, after: Standing) -> bool:
    """Whether a device that was another's is to count as the person's own: that lifts its mask, and takes two people."""
    return before in _OF_OTHERS and after is Standing.REGISTERED


BREAKABLE = frozenset({"unmask", "build-bundle"})
"""Of these, one person may do in an emergency; see `Command.break_glass`."""
