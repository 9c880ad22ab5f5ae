"""What the household says to the officers through its own page (N12, R59, R60). Texts are a person's own words."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wire.base import Id, Payload, Text, Time


class HouseholdRequest(Payload):
    """Somebody in the home filled in a form on the box's page. Nothing follows of itself: an officer decides."""

    request_id: Id
    kind: Literal["notice-read", "guest", "correction", "access", "complaint"]
    device_id: Id | None = None
    """The device it was sent from, where the box knows one."""
    proved: bool = False
    """It was joined with its own passphrase, or an officer's code was given."""
    text: str = Field(default="", max_length=500)
    until: Time | None = None
    """For `guest`: until when the visit is said to last."""
    notice: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """For `notice-read`: SHA-256 of the notice that was shown."""
    at: Time


class Notice(Payload):
    """The text of a notice as it is shown from now on, so that what was read can be proved."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    language: str = Field(default="en", max_length=8)
    lines: tuple[Text, ...] = Field(max_length=64)
    at: Time
