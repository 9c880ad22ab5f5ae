"""A proxy was asked to connect onwards: SOCKS, or CONNECT of HTTP. Pure. One finding a device and proxy."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import MAX_ENDS, REPEATED, Weighed
from appliance.keeper.signs.window import Context, Observed, Window, by_server, times
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

_ALTERNATIVES = (
    "An employer or a school that has all use go through its own proxy.",
    "A program for downloads, development or games that uses one.",
)


def weigh(window: Window, _context: Context) -> Iterator[Weighed]:
    """One for each proxy; those beyond `MAX_ENDS` together."""
    heard = [*window.of(Signal.SOCKS), *window.of(Signal.CONNECT)]
    places = sorted(by_server(heard).items(), key=lambda item: -times(item[1]))
    rest = [item for _server, items in places[MAX_ENDS:] for item in items]
    for server, items in [*places[:MAX_ENDS], *([("further places", rest)] if rest else [])]:
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
