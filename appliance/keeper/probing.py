"""When the active probe may look round, and what for (R12): on request or once a day, never often.

In: orders, the probe's question, moments (Unix seconds). Out: leave, or why not. What is wanted and
what was done is kept in the store, so a restart neither forgets nor repeats.
Bounded: one wish and one moment a kind.
"""

from __future__ import annotations

from appliance.keeper.authority import Scope
from appliance.keeper.store.database import Store
from appliance.messages import ProbeAnswer, ProbeDone, ProbeKind, ProbeLeave, Sighting, Via
from wire.authority import DataClass
from wire.base import Standing

SPACING = 15 * 60.0
"""Between two of a kind, whoever asks."""

SCHEDULE = 24 * 3600.0
"""So often each kind is due without being asked for."""

ANSWERS_DHCP = "probe-answers-dhcp"
"""Note kept of a device that hands out addresses and is not this box."""

_NO_LEAVE = "No authority in force lets the box keep which devices are there."
_VIA = {ProbeKind.SWEEP: Via.ARP, ProbeKind.SERVICES: Via.MDNS, ProbeKind.DHCP: Via.DHCP}


class Probing:
    """What was wanted, and what was done when."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def want(self, kind: ProbeKind, scope: Scope | None, at: float) -> str | None:
        """A person asks for a look round. None when it will be done, else why not."""
        if not _may(scope):
            return _NO_LEAVE
        if at - self._last(kind) < SPACING:
            return "The box looked round less than a quarter of an hour ago."
        self._store.set(_wanted(kind), "1")
        return None

    def leave(self, kind: ProbeKind | None, scope: Scope | None, at: float) -> ProbeLeave:
        """What the probe may do now: what it asks for, or what is wanted or due. Counts as begun."""
        if not _may(scope):
            return ProbeLeave(why=_NO_LEAVE, refused=True)
        rested = [item for item in _VIA if at - self._last(item) >= SPACING]
        if kind is not None:
            kinds = tuple(item for item in rested if item is kind)
            why = "" if kinds else "The box looked round less than a quarter of an hour ago."
        else:
            kinds = tuple(item for item in rested if self._due(item, at))
            why = "" if kinds else "Nothing is wanted and nothing is due."
        for item in kinds:
            self._store.set(_begun(item), repr(at))
            self._store.set(_wanted(item), "")
        return ProbeLeave(kinds=kinds, why=why, refused=kind is not None and not kinds)

    def sighting(self, answer: ProbeAnswer) -> Sighting:
        """What an answer says of who answered."""
        return Sighting(ts=answer.ts, mac=answer.mac, via=_VIA[answer.kind], ip=answer.ip)

    def done(self, done: ProbeDone) -> None:
        """A kind is over: how it went, for the next look at the store."""
        self._store.set(f"probe_done_{done.kind.value}", f"{done.ts!r} {done.sent} {done.answers}")

    def _due(self, kind: ProbeKind, at: float) -> bool:
        return self._store.get(_wanted(kind)) == "1" or at - self._last(kind) >= SCHEDULE

    def _last(self, kind: ProbeKind) -> float:
        return float(self._store.get(_begun(kind)) or "-inf")


def _may(scope: Scope | None) -> bool:
    return scope is not None and DataClass.PRESENCE in scope.classes(Standing.UNKNOWN)


def _wanted(kind: ProbeKind) -> str:
    return f"probe_wanted_{kind.value}"


def _begun(kind: ProbeKind) -> str:
    return f"probe_begun_{kind.value}"
