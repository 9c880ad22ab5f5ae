"""What was asked of a box, in words: one table an action.

Pure: an order's stored body in, plain words out. An order that this version does not know is named as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dashboard.pages import words
from wire.orders import AnswerProposal, BindPassphrase, CorrectDevice, Order, RunProbe, SetStanding, SplitDevice

_ORDER: TypeAdapter[Order] = TypeAdapter(Order)
PURPOSES = {
    "device": "This device's own",
    "guest": "A visitor's",
    "household": "Everybody's in the home",
}
LOOKS = {
    "sweep": "Which devices are there",
    "services": "What devices say they offer",
    "dhcp": "Whether something else hands out the home's network addresses",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An order in words."""

    short: str
    """A few words, for a list."""
    facts: tuple[tuple[str, str], ...]
    """What it asks for."""
    applied: str
    """What is so when the box has applied it, one sentence."""


def told(body: Mapping[str, Any]) -> Told:  # noqa: PLR0911 - one return an order reads best
    """An order in words."""
    try:
        order = _ORDER.validate_python(dict(body))
    except ValidationError:
        action = words.plain(body.get("action", "unknown"), 40)
        return Told(short=action, facts=(("Asked for", action),), applied="It is in force.")
    match order:
        case SetStanding(standing=standing):
            text = words.standing(standing)
            return Told(short=text, facts=(("To be", text),), applied="The device's new standing is in force.")
        case CorrectDevice():
            return _correction(order)
        case AnswerProposal(confirm=True):
            return Told(
                short="They are one device",
                facts=(("Answer", "They are one device"),),
                applied="They count as one device. You can part them again on its page.",
            )
        case AnswerProposal():
            return Told(
                short="They are two devices",
                facts=(("Answer", "They are two devices"),),
                applied="They stay two devices.",
            )
        case SplitDevice(macs=macs):
            return Told(
                short=f"Take out {words.count(len(macs), 'address', 'addresses')}",
                facts=(("Take out", ", ".join(macs)),),
                applied="The addresses are a device of their own again, with their own history.",
            )
        case BindPassphrase(key_id=key_id, purpose=purpose):
            return Told(
                short=f"Wi-Fi passphrase {key_id}: {PURPOSES[purpose].lower()}",
                facts=(("Wi-Fi passphrase", key_id), ("It is", PURPOSES[purpose])),
                applied="What the passphrase is for is noted.",
            )
        case RunProbe(kind=kind):
            return Told(
                short=f"Look round: {LOOKS[kind].lower()}",
                facts=(("Look round", LOOKS[kind]),),
                applied="The box will look round in a moment. What it finds appears on the household's page.",
            )
        case _:
            action = words.plain(order.action, 40)
            return Told(short=action, facts=(("Asked for", action),), applied="It is in force.")


def _correction(order: CorrectDevice) -> Told:
    said = order.correction
    named = [
        (key, value)
        for key, value in (
            ("Kind", words.category(said.category) if said.category else ""),
            ("System", words.plain(said.os_family or "", 40)),
            ("Maker", words.plain(said.vendor or "", 80)),
            ("Model", words.plain(said.model or "", 80)),
        )
        if value
    ]
    if not named:
        return Told(
            short="What it is: left to the box",
            facts=(("What it is", "Left to the box"),),
            applied="The box decides by what the device shows of itself.",
        )
    return Told(
        short="It is: " + ", ".join(value for _, value in named),
        facts=tuple(named),
        applied="What you said stands, whatever the device shows of itself.",
    )
