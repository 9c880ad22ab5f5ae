"""What a command may ask of a box: one model an action, told apart by `action`.

The box's rules decide whether an order is followed; see `wire.models.Command` for how it travels.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from wire.acts import Act
from wire.base import Correction, Count, Id, Mac, Payload, Standing, Text, Time
from wire.findings import Severity
from wire.release import SignedRelease
from wire.wifi import KeyId, Sealed, Security, Ssid


class SetStanding(Payload):
    """Give a device a standing and a label; closes its open unregistered-device findings."""

    action: Literal["set-standing"] = "set-standing"
    device_id: Id
    standing: Standing
    label: str | None = Field(default=None, max_length=80)
    guest_until: Time | None = None


class CorrectDevice(Payload):
    """A person says what a device is. A text locks the field, None unlocks it."""

    action: Literal["correct-device"] = "correct-device"
    device_id: Id
    correction: Correction


class AnswerProposal(Payload):
    """A person confirms or refuses that two devices are one."""

    action: Literal["answer-proposal"] = "answer-proposal"
    proposal_id: Id
    confirm: bool


class SplitDevice(Payload):
    """Take addresses out of a device again: what was joined becomes what it was before."""

    action: Literal["split-device"] = "split-device"
    device_id: Id
    macs: tuple[Mac, ...] = Field(min_length=1, max_length=32)


class BindPassphrase(Payload):
    """Say what a passphrase of the Wi-Fi is for; the passphrase itself never travels."""

    action: Literal["bind-passphrase"] = "bind-passphrase"
    key_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    purpose: Literal["device", "guest", "household"]
    """One device's own; a visitor's, with an end; or everybody's."""
    device_id: Id | None = None
    """For `device`: whose it is; None lets the first device that joins with it have it."""
    until: Time | None = None
    """For `guest`."""


class SetPassphrase(Payload):
    """A passphrase of the Wi-Fi, sealed to the box, and what it is for: it counts at once, and nobody is dropped."""

    action: Literal["set-passphrase"] = "set-passphrase"
    key_id: KeyId
    sealed: Sealed
    """See `wire.wifi.seal_passphrase`: what stores or carries this order cannot read it."""
    purpose: Literal["device", "guest", "household"]
    device_id: Id | None = None
    """As in `BindPassphrase`."""
    until: Time | None = None
    """For `guest`."""


class EndPassphrase(Payload):
    """A passphrase lets nobody in any more."""

    action: Literal["end-passphrase"] = "end-passphrase"
    key_id: KeyId


class SetNetwork(Payload):
    """The household's Wi-Fi: its name and how it is secured. Devices are dropped for a moment where it changes."""

    action: Literal["set-network"] = "set-network"
    ssid: Ssid
    security: Security = "wpa2"
    isolation: bool = False


class TakeRelease(Payload):
    """Update the box's software to a release; what the statement says is checked by the box (R4)."""

    action: Literal["take-release"] = "take-release"
    signed: SignedRelease


class WipeBox(Payload):
    """Destroy all keys and records of the household: the box becomes one that was never claimed (R6).

    Its last words are the certificate that it was done; the home's internet goes on through it until it is unplugged.
    """

    action: Literal["wipe-box"] = "wipe-box"
    removal_id: Id
    """The certificate's number."""


class RunProbe(Payload):
    """Look round the household's network once."""

    action: Literal["run-probe"] = "run-probe"
    kind: Literal["sweep", "services", "dhcp"] = "sweep"


class QuietRule(Payload):
    """A rule is not relevant at this home, or for this device: its open findings close, new ones are counted only (R30)."""

    action: Literal["quiet-rule"] = "quiet-rule"
    rule: Id
    device_id: Id | None = None
    subject: str | None = Field(default=None, max_length=300)
    """Only for what this finding is about; None for all of the rule."""
    finding_id: Id | None = None
    """The finding from which it was said; its subject counts where `subject` is None and `narrow` is set."""
    narrow: bool = True
    reason: Text = Field(min_length=1)
    until: Time | None = None


class EndQuiet(Payload):
    """A quieted rule speaks again."""

    action: Literal["end-quiet"] = "end-quiet"
    quiet_id: Id


class SetAway(Payload):
    """Nobody, or one device, will be at home: silence is expected (R15)."""

    action: Literal["set-away"] = "set-away"
    starts: Time
    ends: Time
    device_id: Id | None = None
    reason: Text = Field(min_length=1)


class EndAway(Payload):
    """An away time no longer holds."""

    action: Literal["end-away"] = "end-away"
    away_id: Id


class AddWatch(Payload):
    """A household's own entry: to be found, or with `excluded` never to be kept (R35, R67)."""

    action: Literal["add-watch"] = "add-watch"
    name: str = Field(min_length=1, max_length=253)
    below: bool = True
    excluded: bool = False
    severity: Severity = Severity.TODAY
    reason: Text = Field(min_length=1)
    expires: Time


class EndWatch(Payload):
    """A household's own entry is taken off."""

    action: Literal["end-watch"] = "end-watch"
    watch_id: Id


class Span(Payload):
    """A time in which software on a device says that the device was in use."""

    starts: Time
    ends: Time
    events: Count = 1


class ReportAgent(Payload):
    """What software on a device says of its use, to be compared with what the box saw (N7)."""

    action: Literal["report-agent"] = "report-agent"
    device_id: Id
    source: str = Field(min_length=1, max_length=80)
    """Name of the software."""
    covers_from: Time
    covers_to: Time
    """Between these the software says that it reported everything."""
    spans: tuple[Span, ...] = Field(max_length=512)


Order = Annotated[
    SetStanding
    | CorrectDevice
    | AnswerProposal
    | SplitDevice
    | BindPassphrase
    | RunProbe
    | QuietRule
    | EndQuiet
    | SetAway
    | EndAway
    | AddWatch
    | EndWatch
    | ReportAgent
    | SetPassphrase
    | EndPassphrase
    | SetNetwork
    | TakeRelease
    | WipeBox
    | Act,
    Field(discriminator="action"),
]
"""What a command asks for."""
