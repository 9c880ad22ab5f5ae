"""What a command may ask of a box: one model an action, told apart by `action`.

The box's rules decide whether an order is followed; see `wire.models.Command` for how it travels.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from wire.base import Correction, Id, Mac, Payload, Standing, Time


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


class RunProbe(Payload):
    """Look round the household's network once."""

    action: Literal["run-probe"] = "run-probe"
    kind: Literal["sweep", "services", "dhcp"] = "sweep"


Order = Annotated[
    SetStanding | CorrectDevice | AnswerProposal | SplitDevice | BindPassphrase | RunProbe,
    Field(discriminator="action"),
]
"""What a command asks for."""
