"""What was asked of a box, in words: one table an action.

Pure: an order's stored body in, plain words out. An order that this version does not know is named as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dashboard.pages import words
from dashboard.pages.orders_box import PURPOSES, BoxOrder, of_the_box
from dashboard.pages.orders_law import told_act
from wire.orders import (
    AddWatch,
    AnswerProposal,
    BindPassphrase,
    CorrectDevice,
    EndAway,
    EndQuiet,
    EndWatch,
    Order,
    QuietRule,
    ReportAgent,
    RunProbe,
    SetAway,
    SetStanding,
    SplitDevice,
)

_ORDER: TypeAdapter[Order] = TypeAdapter(Order)
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


def told(body: Mapping[str, Any], zone: tzinfo = UTC) -> Told:  # noqa: PLR0911 - one return an order reads best
    """An order in words; its days are those of `zone`."""
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
        case QuietRule() | EndQuiet() | SetAway() | EndAway() | AddWatch() | EndWatch() | ReportAgent():
            return _arranged(order, zone)
        case _:
            short, facts, applied = of_the_box(order) if isinstance(order, BoxOrder) else told_act(order, zone)
            return Told(short=short, facts=facts, applied=applied)


def _arranged(  # noqa: PLR0911 - one return an order reads best
    order: QuietRule | EndQuiet | SetAway | EndAway | AddWatch | EndWatch | ReportAgent, zone: tzinfo
) -> Told:
    match order:
        case QuietRule():
            return _quieted(order, zone)
        case EndQuiet(quiet_id=quiet_id):
            return Told(
                short="Let a quieted rule speak again",
                facts=(("Reference", quiet_id),),
                applied="The rule speaks again. What it kept quiet meanwhile is not shown after the event.",
            )
        case SetAway():
            who = "One device" if order.device_id else "Everybody in the home"
            first, last = _day(order.starts, zone), _day(order.ends - timedelta(seconds=1), zone)
            return Told(
                short=f"Away from {first} to {last}",
                facts=(("Away", who), ("From", first), ("To", f"{last}, all day")),
                applied="Silence in that time is expected and makes no finding.",
            )
        case EndAway(away_id=away_id):
            return Told(
                short="Take an away time back",
                facts=(("Reference", away_id),),
                applied="From now on silence is looked at again. Days that have passed still count as away.",
            )
        case AddWatch():
            return _watched(order, zone)
        case EndWatch(watch_id=watch_id):
            return Told(
                short="Take an entry of this home off",
                facts=(("Reference", watch_id),),
                applied="The entry no longer counts.",
            )
        case ReportAgent():
            times = words.count(len(order.spans), "time", "times")
            return Told(
                short=f"Report of software on the device: {times} of use",
                facts=(
                    ("Software", words.plain(order.source, 80)),
                    ("Reported in full from", _minute(order.covers_from, zone)),
                    ("To", _minute(order.covers_to, zone)),
                    ("Times of use", f"{len(order.spans):,}"),
                ),
                applied="The box compares it with what it saw.",
            )


def _quieted(order: QuietRule, zone: tzinfo) -> Told:
    where = "on this device" if order.device_id else "in this home"
    what = "This subject" if order.narrow or order.subject else "All that the rule finds"
    facts = [("Not relevant", f"{what}, {where}"), ("Rule", words.plain(order.rule, 64))]
    if order.subject:
        facts.append(("Subject", words.defang(order.subject)))
    facts.append(("Until", _day(order.until, zone) if order.until else "An officer lets it speak again"))
    return Told(
        short=f"Not relevant here: {what.lower()}, {where}",
        facts=tuple(facts),
        applied="Its open findings are closed. What comes of it from now on is counted and not shown.",
    )


def _watched(order: AddWatch, zone: tzinfo) -> Told:
    name = words.defang(order.name)
    below = "The name and all that belong to it" if order.below else "This name alone"
    facts = [("Name", name), ("Counts for", below)]
    if order.excluded:
        return Told(
            short=f"Never keep: {name}",
            facts=(*facts, ("Until", _day(order.expires, zone))),
            applied="That it is asked for is not kept from now on.",
        )
    return Told(
        short=f"Watch for: {name}",
        facts=(*facts, ("How soon to look", words.severity(order.severity)), ("Until", _day(order.expires, zone))),
        applied="The box reports it when it is asked for, where the authority lets lists be used.",
    )


def _day(at: datetime, zone: tzinfo) -> str:
    return words.date(at.timestamp(), zone)


def _minute(at: datetime, zone: tzinfo) -> str:
    return words.date_time(at.timestamp(), zone)


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
