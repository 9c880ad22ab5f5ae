"""What is wrong with the way to the internet, judged from what was seen, and said with its fix. Pure.

The nearest fault is told and no other: without a cable, that no name is answered is no news. Bounded: one problem.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from appliance.fresh import Problem, Seen

_MOST_APART = 8


class Desk(StrEnum):
    """What the service last said, or why it did not."""

    ANSWERED = "answered"
    WAITING = "waiting"
    """It knows the box and waits for somebody to claim it."""
    REFUSED = "refused"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    BAD_ANSWER = "bad-answer"


_OF_DESK: Final = {
    Desk.REFUSED: Problem.NOT_KNOWN,
    Desk.BUSY: Problem.BUSY,
    Desk.UNREACHABLE: Problem.NO_DESK,
    Desk.UNTRUSTED: Problem.UNTRUSTED,
    Desk.BAD_ANSWER: Problem.BAD_ANSWER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A problem as a person reads it."""

    wrong: str
    fix: tuple[str, ...]


WORDS: Final[dict[Problem, Words]] = {
    Problem.NO_CARD: Words(
        wrong="The box does not know which service it belongs to.",
        fix=("Take this box back and use another one. Its memory card has to be written again.",),
    ),
    Problem.NO_PORT: Words(
        wrong="The box has no socket for the internet cable.",
        fix=("Unplug the power, wait 10 seconds, plug it in again.", "If this stays, use another box."),
    ),
    Problem.NO_CABLE: Words(
        wrong="No cable is plugged into the socket marked INTERNET, or the other end is loose.",
        fix=(
            "Push the cable into the socket marked INTERNET until it clicks.",
            "Push the other end into the home's router, and check that the router has power.",
            "If both are in, try another cable.",
        ),
    ),
    Problem.BAD_LOGIN: Words(
        wrong="The provider refused the user name or the password of the line.",
        fix=(
            "Compare both with the provider's letter: small and capital letters count, and there are no spaces.",
            "Enter them again on the box's page, under “How the internet comes”.",
            "If they are right, call the provider.",
        ),
    ),
    Problem.NO_ADDRESS: Words(
        wrong="The home's router does not let the box in.",
        fix=(
            "Check that the cable goes into one of the router's ordinary sockets, often yellow.",
            "Unplug the router's power, wait 30 seconds, plug it in and wait 3 minutes.",
            "If the provider needs a user name for the connection, enter it on the box's page, under “How the internet comes”.",
        ),
    ),
    Problem.SAME_NETWORK: Words(
        wrong="The home's router uses the same range of addresses as the box.",
        fix=("Wait 2 minutes: the box changes its own. Then join its Wi-Fi again.",),
    ),
    Problem.NO_GATEWAY: Words(
        wrong="The home's router does not answer.",
        fix=("Unplug the router's power, wait 30 seconds, plug it in and wait 3 minutes.",),
    ),
    Problem.NO_NAMES: Words(
        wrong="The home's router answers, but the internet behind it does not.",
        fix=(
            "Look at the router's lights: many show red when the provider has a fault.",
            "If other devices that use the router have no internet either, call the provider.",
            "You can go on without internet: see below.",
        ),
    ),
    Problem.NO_TIME: Words(
        wrong="The box's clock is wrong.",
        fix=("Leave it connected to the internet for 5 minutes: it sets itself.", "If this stays, use another box."),
    ),
    Problem.NO_DESK: Words(
        wrong="The internet works, but the service does not answer.",
        fix=("Wait a few minutes: the box tries again by itself.", "If it stays so, you can go on: see below."),
    ),
    Problem.UNTRUSTED: Words(
        wrong="Something answers in the place of the service, and cannot prove that it is the service.",
        fix=(
            "Some networks ask everybody to sign in first: open any page on a phone that uses the home's router.",
            "If there is nothing to sign in to, tell the engineers. Do not go on with this box.",
        ),
    ),
    Problem.BUSY: Words(wrong="The service is busy.", fix=("Wait a few minutes: the box tries again by itself.",)),
    Problem.NOT_KNOWN: Words(
        wrong="The service does not take this box.",
        fix=(
            "A new box has to be entered in the stock first: send its card file (below) to the stock keeper.",
            "Otherwise tell the engineers what the service says.",
        ),
    ),
    Problem.BAD_ANSWER: Words(
        wrong="The service answered, and the box cannot use the answer.",
        fix=("Wait: the box asks again.", "If it stays so, tell the engineers."),
    ),
}

UPSTREAM_WIFI = Words(
    wrong="The home's old router may still have its own Wi-Fi switched on. Devices that use it pass the box by.",
    fix=(
        "Join the devices of the home to the box's Wi-Fi.",
        "Then switch off the Wi-Fi of the old router: on many there is a button, on others it is in their settings.",
        "It may also be a neighbour's: if you are sure that it is off, you can leave it.",
    ),
)


def judge(seen: Seen, desk: Desk | None = None, *, enrolled: bool = False) -> Problem | None:
    """The nearest problem, or None. `desk` counts as long as the box is not enrolled."""
    # What did answer shows that everything before it works, whatever a look of its own said.
    if not enrolled and desk not in {None, Desk.UNREACHABLE}:
        # By a clock that is wrong, no proof holds.
        return Problem.NO_TIME if desk is Desk.UNTRUSTED and seen.time is False else _OF_DESK.get(desk)
    for there, problem in (
        (seen.port, Problem.NO_PORT),
        (seen.cable, Problem.NO_CABLE),
        (seen.login, Problem.BAD_LOGIN),
        (seen.address, Problem.NO_ADDRESS),
        (None if seen.same_network is None else not seen.same_network, Problem.SAME_NETWORK),
        (seen.gateway, Problem.NO_GATEWAY),
        (seen.names, Problem.NO_NAMES),
        (seen.time, Problem.NO_TIME),
    ):
        if there is False:
            return problem
    return None if enrolled or desk is None else _OF_DESK.get(desk)


def near(bssid: str, router: str) -> bool:
    """Whether a Wi-Fi's address and a router's are of one machine, as far as addresses can tell (it may be chance).

    Makers number the parts of a machine one after the other, and set the bit of locally administered addresses
    (RFC 7042 section 2.1) for second names of a Wi-Fi.
    """
    air, wire = _octets(bssid), _octets(router)
    if air is None or wire is None:
        return False
    if air[1:5] == wire[1:5] and air[0] | 0x02 == wire[0] | 0x02:
        return True
    return air[1:3] == wire[1:3] and air[0] | 0x02 == wire[0] | 0x02 and abs(air[5] - wire[5]) <= _MOST_APART


def upstream_wifi(bssids: Iterable[str], router: str, *, own: Iterable[str] = ()) -> bool:
    """Whether the router before the box may have a Wi-Fi of its own on. `own` are the box's."""
    ours = {mac.lower() for mac in own}
    return any(bssid.lower() not in ours and near(bssid, router) for bssid in bssids)


def _octets(mac: str) -> tuple[int, ...] | None:
    parts = mac.split(":")
    try:
        octets = tuple(int(part, 16) for part in parts)
    except ValueError:
        return None
    return (
        octets
        if len(octets) == 6
        and all(0 <= octet < 256 and len(part) == 2 for octet, part in zip(octets, parts, strict=True))
        else None
    )
