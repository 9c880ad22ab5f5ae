"""A sign: what traffic or silence may mean, graded, with reasons and with what else could explain it."""

from __future__ import annotations

from dataclasses import dataclass

from wire.findings import FindingKind, Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One sign as it stands at `ts`. Texts are whole plain sentences of at most 300 characters.

    One finding is open for each device, kind and subject; a sign that comes again raises its grade or
    counts on it.
    """

    kind: FindingKind
    device_id: str | None
    """None: about the box or its network."""
    subject: str
    """What it is about beside the device, such as a server or a service; at most 300 characters."""
    grade: Grade
    confidence: float
    """That it is what `kind` says, 0 to 1."""
    reasons: tuple[str, ...]
    """What was seen; the first is the headline and says `looks like`, never `is`."""
    alternatives: tuple[str, ...]
    """What else could explain it; never empty."""
    cause: str
    """Signs of one household with one cause belong together."""
    since: float
    """Unix seconds of the first frame that supports it."""
    ts: float
    """Of the last."""
    count: int = 1
    signals: int = 1
    """How many independent signals agree (S5)."""
    records: tuple[str, ...] = ()
    """Ids of records that support it, newest first."""
