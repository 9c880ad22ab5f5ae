"""What all payloads are made of: the common shape, and the types of their fields. Imports nothing of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
Mac = Annotated[str, Field(pattern=r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")]
Time = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
"""With its offset; the range keeps a reader's arithmetic and calendars from overflowing."""
Text = Annotated[str, Field(max_length=300)]
Confidence = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""JSON readers keep integers exactly up to here (RFC 8259 section 6), and every database column does."""
Revision = Annotated[int, Field(ge=1, le=2**53 - 1)]


class Payload(BaseModel):
    """Common shape: frozen; unknown fields are ignored so that an older reader still reads."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Standing(StrEnum):
    """What a device is to the household (architecture: identity, registration, authority)."""

    REGISTERED = "registered"
    HOUSEHOLD = "household"
    GUEST = "guest"
    WORK = "work"
    INFRASTRUCTURE = "infrastructure"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class Correction(Payload):
    """What a person said a device is. A field that is set is locked: evidence never overwrites it."""

    category: str | None = Field(default=None, max_length=20)
    os_family: str | None = Field(default=None, max_length=40)
    vendor: str | None = Field(default=None, max_length=80)
    model: str | None = Field(default=None, max_length=80)
