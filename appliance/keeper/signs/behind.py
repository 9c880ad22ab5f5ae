"""Something else that seems to use the internet through a device: a shared connection, a second system. Pure.

Three independent signals, one grade each: packets that have passed a router before, two families of
operating systems by one habit, and sender addresses of a network that this router does not serve.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import SYSTEMS, TTL_SECONDS, Weighed
from appliance.keeper.signs.window import Context, Observed, Window
from appliance.signals import Signal
from wire.base import Standing
from wire.findings import FindingKind, Grade

_GRADES = (Grade.LOW, Grade.MEDIUM, Grade.HIGH)


def weigh(window: Window, context: Context) -> Iterator[Weighed]:
    """At most one."""
    recent = window.latest - TTL_SECONDS
    passed = window.of(Signal.TTL, lambda item: item.last >= recent and _hops(item.value) > 0)
    starts = {
        _start(item) for item in window.of(Signal.TTL, lambda item: item.last >= recent and _hops(item.value) == 0)
    }
    others = bool(starts) and any(_start(item) not in starts for item in passed)
    systems = _systems(window.of(Signal.SYSTEM, lambda item: item.last >= recent))
    foreign = window.of(Signal.TETHER, lambda item: item.last >= recent)
    found: list[str] = []
    if passed:
        found.append("Packets from this device look like they have passed another router before.")
    if systems:
        families = sorted({_family(item) for item in systems})
        found.append(f"It looks like more than one kind of system: {' and '.join(families[:3])}.")
    elif others:
        found.append("Those packets look like another kind of system made them.")
    if foreign:
        found.append("Packets came from addresses of a network that this router does not serve.")
    if not found:
        return
    alternatives = [
        "A virtual machine or a container on the device.",
        "A VPN program on the device can change packets in this way.",
    ]
    if foreign:
        alternatives.append("A device that has just come from another network still uses its old address for a moment.")
    if context.standing is Standing.INFRASTRUCTURE:
        alternatives.insert(0, "It is part of the household's own network, and a repeater does just this.")
    yield Weighed(
        kind=FindingKind.DEVICE_BEHIND,
        grade=_GRADES[len(found) - 1],
        headline=found[0],
        reasons=tuple(found[1:]),
        support=[*passed, *systems, *foreign],
        alternatives=tuple(alternatives),
        signals=len(found),
    )


def _hops(value: str) -> int:
    """Routers passed, by `received/start`; 0 where the value says nothing."""
    received, _slash, start = value.partition("/")
    try:
        return int(start) - int(received)
    except ValueError:
        return 0


def _start(item: Observed) -> str:
    """The hop limit it was sent with."""
    return item.value.partition("/")[2]


def _family(item: Observed) -> str:
    return item.value.partition("/")[0]


def _systems(heard: list[Observed]) -> list[Observed]:
    """Records of habits that show more than one family; different habits may call one system differently."""
    habits: dict[str, list[Observed]] = {}
    for item in heard:
        habits.setdefault(item.value.partition("/")[2], []).append(item)
    return [item for items in habits.values() if len({_family(one) for one in items}) >= SYSTEMS for item in items]
