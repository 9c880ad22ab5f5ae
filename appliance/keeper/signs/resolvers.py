"""Plain questions to a name service that is not the box. The box answered them, so nothing was hidden. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import OTHER_RESOLVER_MANY, Weighed
from appliance.keeper.signs.window import Context, Observed, Window, ends, times
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

_SET_UP_SO = frozenset({"tv", "speaker", "console", "camera", "plug", "printer", "iot-other"})
"""Categories that are sold with a name service built in."""

_ALTERNATIVES = (
    "Televisions, speakers, consoles and some programs have a name service built in.",
    "Somebody may have typed in a name service once, on this or on another network.",
)


def weigh(window: Window, context: Context) -> Iterator[Weighed]:
    """At most one."""
    heard = window.of(Signal.OTHER_RESOLVER, lambda item: not item.local)
    if not heard:
        return
    many = times(heard) >= OTHER_RESOLVER_MANY and context.category not in _SET_UP_SO
    yield Weighed(
        kind=FindingKind.OTHER_RESOLVER,
        grade=Grade.MEDIUM if many else Grade.LOW,
        headline=f"Names were asked of another name service{_of(heard)}, {_often(times(heard))}.",
        reasons=("The box answered in its place, so these names are not hidden.",),
        support=heard,
        alternatives=_ALTERNATIVES,
    )


def _of(heard: list[Observed]) -> str:
    far = ends(heard)
    return f" ({', '.join(far[:3])}{' and others' * (len(far) > 3)})" if far else ""


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
