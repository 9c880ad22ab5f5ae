"""The topic map: `gatehouse/v1/{tenant}/{site}/{channel}/{name}`, levels of `[a-z0-9-]` only.

A topic carries no personal data: `site` is an opaque id and equals the certificate's CN.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

ROOT = "gatehouse/v1"
LEVEL = "[a-z0-9-]{1,63}"
"""One level of a topic; also an MQTT client id and a CN."""
_LEVEL = re.compile(LEVEL)


class Channel(StrEnum):
    """Fifth level of a topic: what kind of traffic it is."""

    STATUS = "status"
    EVENT = "event"
    STATE = "state"
    TELEMETRY = "telemetry"
    CMD = "cmd"
    RESULT = "result"


_CHANNELS = frozenset(Channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One parsed topic."""

    tenant: str
    site: str
    channel: Channel
    name: str

    def __str__(self) -> str:
        return f"{ROOT}/{self.tenant}/{self.site}/{self.channel}/{self.name}"


def parse(text: str) -> Topic:
    """Take a topic apart.

    Raises:
        ValueError: not a topic of this map; the text quotes at most 100 characters of it.
    """
    root, _, rest = text.partition(f"{ROOT}/")
    levels = rest.split("/")
    if root or len(levels) != 4 or not all(_LEVEL.fullmatch(level) for level in levels):
        raise ValueError(f"{text[:100]!r} is not a topic of {ROOT}")
    tenant, site, channel, name = levels
    if channel not in _CHANNELS:
        raise ValueError(f"{channel!r} is not a channel of {ROOT}")
    return Topic(tenant=tenant, site=site, channel=Channel(channel), name=name)
