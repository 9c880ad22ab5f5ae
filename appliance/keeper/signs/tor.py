"""Traffic that looks like Tor: its directories, its first hops, its names. Pure. One finding a device."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import TOR_PLACES, Weighed, towards
from appliance.keeper.signs.window import Context, Window, ends
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

_ALTERNATIVES = (
    "A browser with a private window of this kind, or another program that protects privacy.",
    "Reading about it: pages about the project are looked up like any others.",
)


def weigh(window: Window, _context: Context) -> Iterator[Weighed]:
    """At most one."""
    directory = window.of(Signal.TOR, lambda item: item.value == "directory" and not item.local)
    guard = window.of(Signal.TOR, lambda item: item.value == "guard" and not item.local)
    named = window.of(Signal.TOR_NAMED)
    if not (directory or guard or named):
        return
    reasons: list[str] = []
    if directory:
        reasons.append(f"This looks like Tor: one of its directories was asked{towards(directory)}.")
    if guard:
        reasons.append(f"This looks like Tor: a connection as its programs open them{towards(guard)}.")
    if named:
        reasons.append(f"A name of the Tor project was asked for ({named[0].value}).")
    agree = len(reasons)
    if (agree > 1 and (directory or guard)) or len(ends(guard)) >= TOR_PLACES:
        grade = Grade.HIGH
    elif guard and not directory and len(ends(guard)) == 1:
        grade = Grade.LOW  # one such hello may be any program that gives no name
    else:
        grade = Grade.MEDIUM
    yield Weighed(
        kind=FindingKind.TOR,
        grade=grade,
        headline=reasons[0],
        reasons=tuple(reasons[1:]),
        support=[*directory, *guard, *named],
        alternatives=_ALTERNATIVES,
        signals=agree,
    )
