"""Plain sentences for people: what an authority lets the box keep, of which devices, until when.

Used by the notice page and by `gatehouse authority show`. No network terms (R10), no person named.
"""

from __future__ import annotations

from appliance.keeper.authority import Scope, when
from wire.authority import Authority, DataClass
from wire.models import Standing

DEVICES = {
    Standing.REGISTERED: "registered devices",
    Standing.HOUSEHOLD: "devices of other people in the household",
    Standing.GUEST: "visitors' devices",
    Standing.WORK: "work devices",
    Standing.INFRASTRUCTURE: "devices that run the home itself",
    Standing.UNKNOWN: "devices that are not registered",
    Standing.REFUSED: "devices that were refused",
}

KEPT = {
    DataClass.PRESENCE: "when they are connected",
    DataClass.FINGERPRINT: "what kind of device they look like",
    DataClass.VOLUMES: "how much they send",
    DataClass.SIGNS: "signs that supervision is being avoided",
    DataClass.LIST_HITS: "names of sites and services that are on a list in force",
    DataClass.FULL_NAMES: "the names of all sites and services they ask for",
}

KINDS = {"order": "a court order", "licence_condition": "a licence condition", "consent": "written consent"}


def kept(scope: Scope) -> tuple[str, ...]:
    """What is kept of which devices, a sentence for each group that is treated alike."""
    groups: dict[tuple[DataClass, ...], list[Standing]] = {}
    for standing in Standing:
        classes = scope.classes(standing)
        groups.setdefault(tuple(item for item in DataClass if item in classes), []).append(standing)
    nothing = groups.pop((), [])
    sentences = [
        f"Of {_joined([DEVICES[item] for item in standings])}: {_joined([KEPT[item] for item in classes])}."
        for classes, standings in groups.items()
    ]
    held = [DEVICES[standing] for standing in Standing if scope.quarantine(standing) is not None]
    if scope.register() is not None:
        sentences.append("A device that is not registered is shown to the officers in charge.")
    if held:
        sentences.append(f"Until an officer decides, {_joined(held)} may be kept from the internet.")
    if nothing:
        sentences.append(f"Of {_joined([DEVICES[item] for item in nothing])}: nothing.")
    sentences.append("What is written, said, seen or sent is never kept, of any device.")
    return tuple(sentences)


def clauses(authority: Authority) -> tuple[str, ...]:
    """Each clause in words, with its number."""
    said = []
    for clause in authority.clauses:
        match clause.kind:
            case "collect":
                what = f"of {_joined([DEVICES[s] for s in clause.standings])}, {_joined([KEPT[c] for c in clause.classes])} may be kept"
            case "lists":
                what = f"for {_joined([DEVICES[s] for s in clause.standings])}, these lists are in force: {', '.join(clause.lists)}"
            case "quarantine":
                what = f"{_joined([DEVICES[s] for s in clause.standings])} may be kept from the internet until an officer decides"
            case "register":
                what = "devices are to be registered; one that is not is shown to the officers in charge"
        said.append(f"Clause {clause.number}: {what}.")
    return tuple(said)


def headline(authority: Authority) -> str:
    """Kind, reference and dates in a sentence."""
    return (
        f"Under {KINDS[authority.kind]}, reference {authority.reference}, "
        f"from {when(authority.not_before)} until {when(authority.not_after)}."
    )


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
