"""Plain sentences for people: what an authority lets the box keep, of which devices, until when.

Used by the notice page and by `gatehouse authority show`. No network terms (R10), no person named.
"""

from __future__ import annotations

from collections.abc import Collection

from appliance.keeper.authority import Scope, when
from appliance.messages import Notice
from wire.authority import Authority, DataClass
from wire.base import Standing

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
    # The groups share out all standings, so one that holds most of them is "all others", said last.
    sentences = [
        f"Of {_group(standings)}: {_joined([KEPT[item] for item in classes])}."
        for classes, standings in sorted(groups.items(), key=lambda group: len(group[1]))
    ]
    held = [DEVICES[standing] for standing in Standing if scope.quarantine(standing) is not None]
    if scope.register() is not None:
        sentences.append("A device that is not registered is shown to the officers in charge.")
    if held:
        sentences.append(f"Until an officer decides, {_joined(held)} may be kept from the internet.")
    sentences += _refused(scope)
    opened = [each for each in Standing if scope.unmasking(each) is not None]
    if opened:
        sentences.append(f"For some hours, and if two officers agree, more may be kept of one of {_devices(opened)}.")
    if scope.nearby() is not None:
        sentences.append("The box counts, by the hour, how many phones are near. Of each of them it keeps nothing.")
    if nothing:
        sentences.append(f"Of {_group(nothing)}: nothing.")
    sentences.append("What is written, said, seen or sent is never kept, of any device.")
    return tuple(sentences)


def _refused(scope: Scope) -> list[str]:
    """What is not opened on which devices; filters are as open as everything else."""
    blocked = [each for each in Standing if scope.block_lists(each)]
    only = [each for each in Standing if scope.allow_lists(each) is not None]
    strict = [each for each in Standing if scope.safe_search(each) is not None]
    ways = [each for each in Standing if scope.refuses(each)]
    said = []
    if blocked:
        said.append(f"Some addresses are not opened on {_devices(blocked)}.")
    if only:
        said.append(f"On {_devices(only)}, only addresses on a list are opened.")
    if strict:
        said.append(f"Search engines answer {_devices(strict)} in their strict mode.")
    if ways:
        said.append(f"Services that would hide look-ups from the box are turned down for {_devices(ways)}.")
    return said


def notice(scope: Scope | None) -> Notice:
    """What the household reads of what is kept."""
    if scope is None:
        return Notice(recording=False, kind=None, kept=("Nothing is kept about any device.",), until=None)
    authority = scope.authority
    return Notice(recording=True, kind=authority.kind, kept=kept(scope), until=authority.not_after.timestamp())


def clauses(authority: Authority) -> tuple[str, ...]:  # noqa: C901 - one case for each kind of clause
    """Each clause in words, with its number."""
    said = []
    for clause in authority.clauses:
        match clause.kind:
            case "collect":
                classes = _joined([KEPT[item] for item in DataClass if item in clause.classes])
                what = f"of {_devices(clause.standings)}, the box may keep {classes}"
            case "lists":
                what = f"for {_devices(clause.standings)}, these lists are in force: {', '.join(clause.lists)}"
            case "quarantine":
                what = f"{_devices(clause.standings)} may be kept from the internet until an officer decides"
            case "block":
                what = f"{_devices(clause.standings)} do not reach what is on these lists: {', '.join(clause.lists)}"
            case "allow-only":
                what = f"{_devices(clause.standings)} reach only what is on these lists: {', '.join(clause.lists)}"
            case "safe-search":
                what = f"search engines answer {_devices(clause.standings)} in their strict mode"
            case "answers":
                what = f"these questions of {_devices(clause.standings)} are turned down: {', '.join(clause.refuse)}"
            case "nearby":
                what = "the box may count, by the hour, how many phones are near"
            case "unmask":
                classes = _joined([KEPT[item] for item in DataClass if item in clause.classes])
                what = (
                    f"two officers may agree to keep of one of {_devices(clause.standings)} {classes}, "
                    f"for {clause.most_hours} hours at most"
                )
            case "register":
                what = "devices are to be registered; one that is not is shown to the officers in charge"
        closed = getattr(clause, "fail_closed", None) is True
        stays = "; this also holds while the box's software does not run" if closed else ""
        said.append(f"Clause {clause.number}: {what}{stays}.")
    return tuple(said)


def terms(authority: Authority) -> tuple[str, ...]:
    """What a document says beside its clauses: what it rests on, pauses, how long things are kept."""
    said = []
    if authority.legal_basis is not None:
        said.append(f"It rests on: {authority.legal_basis}.")
    if authority.surveillance is not None:
        said.append(f"Surveillance authorisation: {authority.surveillance}.")
    for consent in authority.consents or ():
        kind = "Consent" if consent.kind == "consent" else "Notice"
        ends = consent.lapses()
        until = "" if ends is None else f"; it holds until {when(ends)} unless it is given again"
        said.append(f"{kind} {consent.id}, {consent.role}, given on {when(consent.given_at)}{until}.")
    said += [
        f"Nothing is recorded from {when(each.starts)} until {when(each.ends)}." for each in authority.pauses or ()
    ]
    for keep in authority.retention or ():
        what = "What is about the box itself" if keep.data_class == "box" else f"Of devices, {KEPT[keep.data_class]}"
        said.append(f"{what}: kept for {keep.days} days.")
    if authority.withdrawn_at is not None:
        said.append(f"It is withdrawn from {when(authority.withdrawn_at)} on.")
    return tuple(said)


def headline(authority: Authority) -> str:
    """Kind, reference and dates in a sentence."""
    return (
        f"Under {KINDS[authority.kind]}, reference {authority.reference}, "
        f"from {when(authority.not_before)} until {when(authority.not_after)}."
    )


def _group(standings: list[Standing]) -> str:
    if len(standings) == len(Standing):
        return "all devices"
    if len(standings) > len(Standing) // 2:
        return "all other devices"
    return _joined([DEVICES[item] for item in standings])


def _devices(standings: Collection[Standing]) -> str:
    if set(standings) == set(Standing):
        return "all devices"
    return _joined([DEVICES[item] for item in Standing if item in standings])


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
