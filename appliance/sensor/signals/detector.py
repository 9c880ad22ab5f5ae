"""What a detector of signals is: facts in, what they show out.

Enters: facts of watched devices (see `desk`), in the order heard; counts of octets; packet time. Leaves: `Noticed`, which
`outlet` lets out or not: a detector knows no mask, list or order. Each says what bounds its memory, and
counts in `overflow` what went over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec

from appliance.messages import TalksCounted
from appliance.sensor.facts import (
    AnswerHeard,
    ArpHeard,
    Fact,
    FlowBegan,
    FlowOpened,
    Heard,
    MessageHeard,
    NeighbourHeard,
)
from appliance.signals import Signal


class Noticed(msgspec.Struct, frozen=True, kw_only=True):
    """A signal as a detector saw it once; `appliance.signals` gives the form of the value."""

    ts: float
    mac: str
    signal: Signal
    value: str
    server: str | None = None
    port: int | None = None
    octets: int | None = None


class Detector:
    """Base of all detectors: hears everything, says nothing. A subclass overrides what it needs."""

    __slots__ = ()

    hears: ClassVar[tuple[type[Heard], ...]] = (
        Heard,
        ArpHeard,
        NeighbourHeard,
        FlowBegan,
        FlowOpened,
        MessageHeard,
        AnswerHeard,
    )
    """Kinds of facts it is shown: some pass for every packet, and few say something to all."""

    hears_all: ClassVar[bool] = False
    """Whether it is shown facts of devices that the mask does not watch, too: nothing of such leaves, but for `NETWORK`."""

    hears_wan: ClassVar[bool] = False
    """Whether frames of the side towards the provider are shown to it, too (`fact.tap`)."""

    @property
    def overflow(self) -> int:
        """What went over a bound since the start."""
        return 0

    def take(self, fact: Fact) -> Iterable[Noticed]:  # noqa: ARG002 - for subclasses
        """What a fact shows; `fact.mac` may be None. Answers of the DNS come as `AnswerHeard`, too, once paired."""
        return ()

    def counted(self, counted: TalksCounted) -> Iterable[Noticed]:  # noqa: ARG002 - for subclasses
        """What counts of octets show."""
        return ()

    def tick(self, ts: float) -> Iterable[Noticed]:  # noqa: ARG002 - for subclasses
        """What the passing of packet time shows; called about once a second."""
        return ()
