"""A proxy was asked to connect onwards: SOCKS, or CONNECT of HTTP. Pure. One finding a device and proxy."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import REPEATED, Weighed, each_end
from appliance.keeper.signs.window import Context, Observed, Window, times
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

_ALTERNATIVES = (
    "An employer or a school that has all use go through its own proxy.",
    "A program for downloads, development or games that uses one.",
)


def weigh(window: Window, _context: Context) -> Iterator[Weighed]:
    """One for each proxy; those beyond `MAX_ENDS` together."""
    for server, items in each_end([*window.of(Signal.SOCKS), *window.of(Signal.CONNECT)]):
        busy = window.busy({item.server for item in items})
        kinds = _kinds(items)
        often = times(items)
        far = f" to {server}" if server else ""
        yield Weighed(
            kind=FindingKind.PROXY,
            grade=Grade.HIGH if often >= REPEATED or busy else Grade.MEDIUM,
            headline=f"This looks like use of a proxy ({' and '.join(kinds)}){far}, {_often(often)}.",
            reasons=("A connection to the same place went on for long and moved much.",) if busy else (),
            support=[*items, *busy],
            alternatives=_ALTERNATIVES,
            subject=server,
            signals=len(kinds) + bool(busy),
        )


def _kinds(items: list[Observed]) -> list[str]:
    words = {Signal.SOCKS: "SOCKS", Signal.CONNECT: "HTTP"}
    return sorted({words[item.signal] for item in items})


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
