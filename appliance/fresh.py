"""What a box that nobody asks knows of its own way to the internet: written by root, read by page, light and keeper.

In: looks of `appliance.fitting`. Out: one small file, replaced whole, that may stand where everybody on the box can
read it: no name, address or key of anybody's is in it. Bounded: `MAX_FILE` octets.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from wire.documents import Part
from wire.files import replace

MAX_FILE = 8 * 1024
STALE_SECONDS = 300.0
"""What was seen longer ago says nothing of now."""

Unix = Annotated[float, Field(ge=0, lt=2**33)]


class Problem(StrEnum):
    """What is wrong, the nearest to the box first: what comes later cannot be told before it."""

    NO_CARD = "no-card"
    """The operator's file on the memory card is missing or cannot be used."""
    NO_PORT = "no-port"
    """There is no socket for the internet."""
    NO_CABLE = "no-cable"
    BAD_LOGIN = "bad-login"
    """The provider refused the line's name or password."""
    NO_ADDRESS = "no-address"
    SAME_NETWORK = "same-network"
    """The router before the box uses the box's own addresses."""
    NO_GATEWAY = "no-gateway"
    NO_NAMES = "no-names"
    NO_TIME = "no-time"
    """The clock is before anything that the box knows of."""
    NO_DESK = "no-desk"
    UNTRUSTED = "untrusted"
    """What answers in the place of the service cannot prove that it is."""
    BUSY = "busy"
    NOT_KNOWN = "not-known"
    """The service does not know this box, or will not have it."""
    BAD_ANSWER = "bad-answer"


class Seen(Part):
    """One look at the way to the internet; None where it was not looked at."""

    port: bool | None = None
    """There is an interface for it."""
    cable: bool | None = None
    address: bool | None = None
    same_network: bool | None = None
    gateway: bool | None = None
    """The router before the box answered lately."""
    names: bool | None = None
    time: bool | None = None
    """The clock can be right."""
    login: bool | None = None
    """The provider takes the line's name and password."""
    upstream_wifi: bool | None = None
    """A Wi-Fi that may be that router's own is in the air."""


Stage = Literal["starting", "asking", "unclaimed", "enrolled", "fault"]


class Fresh(Part):
    """All that stands in the file."""

    at: Unix
    kind: Literal["dhcp", "pppoe", "modem"] = "dhcp"
    stage: Stage = "starting"
    seen: Seen = Seen()
    problem: Problem | None = None
    encrypted: Literal["board-key", "file-key", "none"] = "none"
    """Where what opens the data partition lies."""
    card_errors: int = Field(default=0, ge=0, lt=2**31)
    """Errors of the data partition's file system, as it counts them itself."""
    certificate_ends: Unix | None = None
    keys: int = Field(default=0, ge=0, lt=2**31)
    """Key files on the data partition, and"""
    files: int = Field(default=0, ge=0, lt=2**31)
    """all files there: what a wipe destroys."""


def write(path: Path, fresh: Fresh) -> None:
    """Put it where others read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    replace(path, fresh.model_dump_json(exclude_none=True).encode(), mode=0o644)


def read(path: Path, *, owners: frozenset[int] = frozenset({0})) -> Fresh | None:
    """What was last seen; None where nothing that counts is there. It does not say how old it is: see `at`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_uid not in owners:
            return None
        try:
            raw = file.read(MAX_FILE + 1)
            return Fresh.model_validate_json(raw) if len(raw) <= MAX_FILE else None
        except (OSError, ValidationError):
            return None
