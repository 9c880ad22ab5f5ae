"""What gives no name: hellos that hide it, noise from the first packet on, a large unnamed share. Pure.

All of it is weak on its own: ordinary programs do each of these things now and then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from appliance.keeper.signs.visibility import LEAST_CONNECTIONS, LEAST_DAYS, DayShare
from appliance.keeper.signs.weigh import (
    HIDDEN_FLOWS,
    HIDDEN_HELLOS,
    HIDDEN_MORE,
    HIDDEN_SHARE,
    NOISE_MANY,
    Weighed,
    towards,
)
from appliance.keeper.signs.window import Context, Observed, Window, by_server, times
from appliance.signals import Signal
from wire.findings import FindingKind, Grade


def weigh(window: Window, context: Context) -> Iterator[Weighed]:
    """At most one of each kind."""
    yield from _noise(window)
    yield from _unnamed(window, context)


def _noise(window: Window) -> Iterator[Weighed]:
    heard = window.of(Signal.RANDOM_FIRST, lambda item: not item.local)
    if not heard:
        return
    most = max(by_server(heard).values(), key=times)
    busy = window.busy({item.server for item in heard})
    strong = times(most) >= NOISE_MANY and bool(busy)
    yield Weighed(
        kind=FindingKind.UNKNOWN_PROTOCOL,
        grade=Grade.MEDIUM if strong else Grade.LOW,  # never more: what nobody knows may be anything
        headline=f"Connections{towards(heard)} look like noise from their first packet on.",
        reasons=("One of them went on for long and moved much.",) if busy else (),
        support=[*heard, *busy],
        alternatives=(
            "Games, calls, file sharing and smart devices have protocols of their own.",
            "A connection that was under way before the box listened.",
        ),
        signals=1 + bool(busy),
    )


def _unnamed(window: Window, context: Context) -> Iterator[Weighed]:
    real = window.of(Signal.ECH, lambda item: item.value == "real")
    hellos = [*window.of(Signal.NO_SNI), *window.of(Signal.QUIC_UNNAMED)]
    hellos = [item for item in hellos if not item.local]
    many = times(hellos) >= HIDDEN_HELLOS
    share = _share(context)
    found: list[tuple[Grade, str]] = []
    if share is not None:
        usual = context.usual
        more = usual is not None and share - usual >= HIDDEN_MORE
        usually = "" if usual is None else f"; as a rule it is {usual:.0%}"
        sentence = f"In a day nothing named {share:.0%} of {context.day.flows} connections{usually}."
        if usual is None or more:
            found.append((Grade.MEDIUM if more else Grade.LOW, sentence))
    if real:
        found.append((Grade.LOW, f"Protected connections hid the name they were for{towards(real)}."))
    if many:
        found.append((Grade.LOW, f"{times(hellos)} protected connections gave no name."))
    support: list[Observed] = [*real, *hellos]
    if not found:
        return
    yield Weighed(
        kind=FindingKind.HIDDEN_NAMES,
        grade=found[0][0],
        headline=found[0][1],
        reasons=tuple(sentence for _grade, sentence in found[1:]),
        support=support,
        alternatives=(
            "Current browsers and large sites begin to hide names for everybody.",
            "Programs with addresses built in, such as calls, games and updates, ask for no name.",
        ),
        signals=len(found),
        at=context.day_ends,
    )


def usual_share(days: Sequence[DayShare]) -> float | None:
    """The unnamed share of a usual day; None while too few are known."""
    known = [1.0 - day.named for day in days if day.connections >= LEAST_CONNECTIONS]
    return median(known) if len(known) >= LEAST_DAYS else None


def _share(context: Context) -> float | None:
    """The unnamed share of a day, where it is enough to speak of."""
    day = context.day
    if day.flows < HIDDEN_FLOWS:
        return None
    share = min(day.unnamed / day.flows, 1.0)
    return share if share >= HIDDEN_SHARE else None
