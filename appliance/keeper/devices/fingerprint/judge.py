"""What the hits of a device amount to.

Enters: rules by id, and hits. Leaves: a `Verdict`. Order does not matter, and a hit counts once however
often it comes. Bounded: the `MAX_HITS` surest hits count, `MAX_OF_A_KIND` of one kind of evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from appliance.keeper.devices.fingerprint.categories import GROUPS, RUNS_ON, UNDERNEATH, WORDS, Category, compatible
from appliance.keeper.devices.fingerprint.combine import combine
from appliance.keeper.devices.fingerprint.elect import (
    Filed,
    Vote,
    all_below,
    contested,
    elect,
    of_model,
    of_os,
    of_vendor,
    one_spelling,
)
from appliance.keeper.devices.fingerprint.reasons import SPEAKS, reasons, top_of
from appliance.keeper.devices.fingerprint.schema import MOST
from appliance.keeper.devices.fingerprint.verdict import MAX_CONFLICTS, MAX_REASONS, SURE, Hit, Verdict

MAX_HITS = 64
MAX_OF_A_KIND = 8
"""Of one kind of evidence: whoever sends many strong values of one does not push another out."""
CATEGORY_FROM = 0.45
"""A category is named from here on, if it is also `LEAD` ahead of the next."""
LEAD = 0.10
GROUP_FROM = 0.7
"""A wider kind is named from here on."""
OF_THE_MAKER = frozenset({"owner", "platform"})
"""Kinds of evidence that say who made a device, and what it is only by that maker's range; of other kinds, so do
those rules with a brand that speak for no category."""
CONTRADICTED = 0.35
"""So much of a contradiction's own share comes off the confidence, beyond what the combination takes."""
_SPEAKS_WIDELY = 0.7
"""A kind of evidence speaks, beside `SPEAKS`, for its top category with those near it from here on, or for a system."""
_WHOLE_RANGE = 0.9
"""An owner's rule that shares out so much names the whole range: what it leaves out is not of this maker."""
PLATFORM = "platform"
HEARSAY = frozenset({PLATFORM, "agents"})
"""Kinds of evidence that are programmes' doing, not the system's."""
PROGRAMMED = frozenset({"iOS", "iPadOS", "macOS", "Windows", "ChromeOS", "Android", "HarmonyOS"})
"""Systems on which people put programmes of any maker."""


def strongest(rules: Mapping[str, Filed], hits: Iterable[Hit], most: int = MAX_HITS) -> tuple[Hit, ...]:
    """The hits that count, at most `most`: the surest of each kind of evidence, then by id; unknown ids are left out."""
    kept: list[Hit] = []
    of_kind: dict[str, int] = {}
    for hit in sorted(
        {hit for hit in hits if hit.rule in rules}, key=lambda hit: (-rules[hit.rule].rule.strength, hit)
    ):
        kind = rules[hit.rule].kind
        of_kind[kind] = of_kind.get(kind, 0) + 1
        if of_kind[kind] <= MAX_OF_A_KIND:
            kept.append(hit)
    return tuple(kept[:most])


def verdict(rules: Mapping[str, Filed], hits: Iterable[Hit]) -> Verdict:
    """The verdict; empty where no hit is of a rule that is known."""
    known = strongest(rules, hits)
    if not known:
        return Verdict()
    kinds: dict[str, list[tuple[Hit, Filed]]] = {}
    for hit in known:
        filed = rules[hit.rule]
        kinds.setdefault(filed.kind, []).append((hit, filed))

    heard_os = [vote for kind, items in kinds.items() if kind not in HEARSAY and (vote := of_os(items)) is not None]
    own_os, own_os_sure = elect(heard_os, UNDERNEATH)
    kinds[PLATFORM] = _own_clouds(kinds.get(PLATFORM, []), own_os)

    speaking = _once_a_maker([found for items in kinds.values() if (found := _category(items)) is not None])
    # A system alone names no category; beside what does, it speaks against those on which it is not found.
    found_on = RUNS_ON.get(own_os or "", frozenset(Category))
    hardly = {other: own_os_sure for other in Category if other not in found_on}
    shares = combine((filed.rule.shares for filed in speaking), hardly=hardly) if speaking else {}
    category, confidence, group, of_group = _named(shares)
    os_votes = [vote for items in kinds.values() if (vote := of_os(items)) is not None]
    vendor_votes = [vote for items in kinds.values() if (vote := of_vendor(items)) is not None]
    os_family, os_sure = elect(os_votes, UNDERNEATH)
    vendor, vendor_sure = elect(vendor_votes)
    model_votes = [vote for items in kinds.values() if (vote := of_model(items, vendor, category)) is not None]
    model, model_sure = elect(one_spelling(model_votes))

    counted = {hit for items in kinds.values() for hit, _ in items}
    against = _contradictions(category, speaking, os_votes)
    left = 1 - CONTRADICTED * max((share for _, share in against), default=0.0)
    confidence, of_group = round(confidence * left, 2), round(of_group * left, 2)
    if category is not None and confidence < CATEGORY_FROM:
        category, confidence = None, 0.0
        against = _contradictions(None, speaking, os_votes) or against
        model, model_sure = None, 0.0
    whole = Verdict(
        category=category,
        os_family=os_family,
        vendor=vendor,
        model=model,
        confidence=confidence,
        reasons=reasons([hit for hit in known if hit in counted], rules, category)[:MAX_REASONS],
        conflicts=tuple(
            dict.fromkeys(
                [
                    *(sentence for sentence, _ in against),
                    *contested(os_votes, os_family, UNDERNEATH),
                    *contested(vendor_votes, vendor, {}),
                ]
            )
        )[:MAX_CONFLICTS],
        group=group,
    )
    if group is not None and (category is None or confidence < SURE):
        return replace(whole, text_confidence=of_group)
    if category is not None:
        return replace(whole, text_confidence=confidence)
    said = [sure for sure in (vendor_sure, model_sure, os_sure if os_family != "embedded" else 0.0) if sure]
    return replace(whole, text_confidence=round(min(said, default=0.0) * left, 2))


def _own_clouds(items: list[tuple[Hit, Filed]], os_family: str | None) -> list[tuple[Hit, Filed]]:
    """Of the clouds a device reports to, those that its programmes would not ask for by themselves.

    A phone or computer asks for the clouds of everything that it has a programme for. Where such a system shows,
    another cloud counts only if it is of devices with this system; where the system's own cloud shows, only if
    that is asked for by such devices too.
    """
    systems = [filed.rule.shares for _, filed in items if filed.rule.runs_programmes]

    def is_its_own(filed: Filed) -> bool:
        if filed.rule.runs_programmes:
            return True
        own = filed.rule.os_family or ""
        if os_family in PROGRAMMED and os_family not in {own, *all_below(own, UNDERNEATH)}:
            return False
        top = top_of(filed)
        return top is None or all(top[0] in shares for shares in systems)

    return [(hit, filed) for hit, filed in items if is_its_own(filed)]


def _category(items: list[tuple[Hit, Filed]]) -> Filed | None:
    """The rule that speaks for a kind of evidence: its surest with a category."""
    voting = [filed for _, filed in items if filed.rule.shares]
    return min(voting, key=lambda filed: (-max(filed.rule.shares.values()), filed.rule.id), default=None)


def _once_a_maker(speaking: list[Filed]) -> list[Filed]:
    """What names a maker, and a category only by that maker's range, says one thing: the surest of it counts."""
    kept: list[Filed] = []
    makers: set[str] = set()
    for filed in sorted(speaking, key=lambda item: (-max(item.rule.shares.values()), item.rule.id)):
        of_the_maker = filed.kind in OF_THE_MAKER or max(filed.rule.shares.values()) < SPEAKS
        if of_the_maker and filed.rule.vendor:
            if filed.rule.vendor in makers:
                continue
            makers.add(filed.rule.vendor)
        kept.append(filed)
    return kept


def _named(shares: Mapping[Category, float]) -> tuple[Category | None, float, str | None, float]:
    """The category if one is sure enough, how sure, and the same of the wider kind it belongs to."""
    if not shares:
        return None, 0.0, None, 0.0
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    (top, share), (_, second) = ordered[:2]
    group, of_group = None, 0.0
    for words, members in GROUPS:
        together = sum(shares[member] for member in members)
        if top in members and together >= GROUP_FROM:
            group, of_group = words, min(together, MOST)
            break
    if share >= CATEGORY_FROM and share - second >= LEAD:
        return top, share, group, of_group
    return None, 0.0, group, of_group


def _contradictions(category: Category | None, speaking: list[Filed], os_votes: list[Vote]) -> list[tuple[str, float]]:
    return [*_against(category, speaking), *_of_another_system(category, os_votes)]


def _against(category: Category | None, speaking: list[Filed]) -> list[tuple[str, float]]:
    """Kinds of evidence that an honest device of the category would not show, and how surely.

    A kind speaks for its top category, or with what is near to that for a wider kind. A rule that names the
    category among others knows that such devices show this.
    """
    tops: list[tuple[float, Filed, Category]] = []
    for filed in speaking:
        shares = filed.rule.shares
        top = max(shares, key=lambda item: (shares[item], item))
        wider = sum(share for other, share in shares.items() if compatible(top, other))
        if shares[top] >= SPEAKS or wider >= _SPEAKS_WIDELY:
            tops.append((wider, filed, top))
        elif filed.kind == "owner" and (whole := sum(shares.values())) >= _WHOLE_RANGE:
            tops.append((min(whole, MOST), filed, top))
    return [
        (f"{filed.reason} It points to: {WORDS[top]}.", share)
        for share, filed, top in sorted(tops, key=lambda item: (-item[0], item[1].rule.id))
        if any(
            not compatible(top, other) and other not in filed.rule.shares
            for other in ([category] if category else [other for _, _, other in tops])
        )
    ]


def _of_another_system(category: Category | None, votes: list[Vote]) -> list[tuple[str, float]]:
    """Sure evidence of a system that is not found on devices of the category."""
    return [
        (f"{vote.filed.reason} It points to: {vote.value}, which is not found on such devices.", vote.share)
        for vote in sorted(votes, key=lambda vote: (-vote.share, vote.filed.rule.id))
        if category is not None
        and vote.share >= _SPEAKS_WIDELY
        and category not in RUNS_ON.get(vote.value, frozenset({category}))
        and category not in vote.filed.rule.shares
    ]
