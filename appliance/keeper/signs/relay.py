"""A relay service that hides names and addresses was asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import Weighed
from appliance.keeper.signs.window import Context, Window
from appliance.signals import Signal
from wire.findings import FindingKind, Grade


def weigh(window: Window, context: Context) -> Iterator[Weighed]:
    """At most one, and never more than low: the question is not the use."""
    heard = window.of(Signal.RELAY)
    if not heard:
        return
    answer = (
        "The box answered that it is not available here, as the document in force says."
        if "relay" in context.refused
        else "The box answered as it does any other question; what is sent through such a relay cannot be read."
    )
    yield Weighed(
        kind=FindingKind.RELAY,
        grade=Grade.LOW,
        headline="This looks like a device that would use a relay which hides names and addresses: it asked for one.",
        reasons=(answer,),
        support=heard,
        alternatives=(
            "Phones, tablets and laptops of one maker ask for this by themselves when it is part of a plan.",
        ),
    )
