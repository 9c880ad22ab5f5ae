"""What pages about many boxes show of each box's own words: a few fields, read without the rest.

In: stored `BoxStatus` payloads, which ingest checked whole before it stored them. Out: frozen structs; None for one of a
form that this version does not know. To check a thousand whole again took longer than all else on such a page.
Bounded: as the wire's model bounds its fields.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class BriefList(msgspec.Struct, frozen=True, kw_only=True):
    """A list in use, or wanted, at a box: see `wire.box.ListHealth`."""

    list_id: str
    title: str
    version: str | None = None
    published: datetime | None = None
    stale: bool = False
    malformed: int = 0
    unsupported: int = 0
    problem: str | None = None


class BriefTest(msgspec.Struct, frozen=True, kw_only=True):
    """The monthly test: see `wire.box.DetectionTest`."""

    due: datetime
    passed_at: datetime | None = None


class BriefStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a box is there and records."""

    online: bool
    recording: bool = False
    authority: str = ""


class BriefLists(msgspec.Struct, frozen=True, kw_only=True):
    """Its lists, and how its monthly test went."""

    lists: tuple[BriefList, ...] | None = None
    test: BriefTest | None = None


def status(value: dict[str, Any] | None) -> BriefStatus | None:
    """Whether a box is there and records."""
    if value is None:
        return None
    try:
        return msgspec.convert(value, BriefStatus)
    except msgspec.ValidationError:
        return None


def lists(text: str | None) -> BriefLists | None:
    """A box's lists, and how its monthly test went, of the stored text: what is beside them is not made into anything."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=BriefLists)
    except msgspec.MsgspecError:
        return None
