"""A relay service that hides names and addresses was asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import Weighed, towards
from appliance.keeper.signs.window import Context, Window
from appliance.signals import Signal
from wire.findings import FindingKind, Grade


def weigh(window: Window, context: Context) -> Iterator[Weighed]:
    """At most one. The question is not the use; a connection is."""
    heard = window.of(Signal.RELAY)
    if not heard:
        return
    used = [item for item in heard if item.server is not None and not item.local]
    answer = (
        "The box answered that it is not available here, as the document in force says."
        if "relay" in context.refused
        else "The box answered as it does any other question; what is sent through such a relay cannot be read."
    )
    headline = "This looks like a device that would use a relay which hides names and addresses: it asked for one."
    if used:
        headline = f"This looks like use of a relay that hides names and addresses{towards(used)}."
    yield Weighed(
        kind=FindingKind.RELAY,
        grade=Grade.MEDIUM if used else Grade.LOW,
        headline=headline,
        reasons=(answer,),
        support=heard,
        signals=1 + bool(used and len(used) < len(heard)),
        alternatives=(
            "Phones, tablets and laptops of one maker ask for this by themselves when it is part of a plan.",
        ),
    )
