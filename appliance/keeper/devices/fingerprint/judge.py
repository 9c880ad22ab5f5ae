"""What the hits of a device amount to.

Enters: rules by id, and hits. Leaves: a `Verdict`. Order does not matter, and a hit counts once however
often it comes. Bounded: the `MAX_HITS` surest hits count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.keeper.devices.fingerprint.categories import GROUPS, UNDERNEATH, WORDS, Category, compatible
from appliance.keeper.devices.fingerprint.combine import agree, combine
from appliance.keeper.devices.fingerprint.schema import MOST, Rule
from appliance.keeper.devices.fingerprint.verdict import MAX_CONFLICTS, MAX_REASONS, Hit, Verdict

MAX_HITS = 64
CATEGORY_FROM = 0.45
"""A category is named from here on, if it is also `LEAD` ahead of the next."""
LEAD = 0.10
GROUP_FROM = 0.7
"""A wider kind is named from here on."""
SURE_ENOUGH = 0.6
"""Operating system, brand and model are named from here on, each on its own evidence."""
OF_THE_MAKER = frozenset({"owner", "platform"})
"""Kinds of evidence that say who made a device, and what it is only by that maker's range."""
CONTRADICTED = 0.35
"""So much of a contradiction's own share comes off the confidence, beyond what the combination takes."""
_SPEAKS = 0.6
"""A kind of evidence speaks for its top category from here on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A rule with the kind of evidence it belongs to."""

    kind: str
    reason: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class _Vote:
    """What one kind of evidence says of one thing, by its surest rule."""

    value: str
    share: float
    filed: Filed


def verdict(rules: Mapping[str, Filed], hits: Iterable[Hit]) -> Verdict:
    """The verdict; empty where no hit is of a rule that is known."""
    known = sorted({hit for hit in hits if hit.rule in rules}, key=lambda hit: (-rules[hit.rule].rule.strength, hit))[
        :MAX_HITS
    ]
    if not known:
        return Verdict()
    kinds: dict[str, list[tuple[Hit, Filed]]] = {}
    for hit in known:
        filed = rules[hit.rule]
        kinds.setdefault(filed.kind, []).append((hit, filed))

    speaking = _once_a_maker([found for items in kinds.values() if (found := _category(items)) is not None])
    shares = combine(filed.rule.shares for filed in speaking) if speaking else {}
    category, confidence, group = _named(shares)
    against = _against(category, speaking)
    if against:
        confidence = round(confidence * (1 - CONTRADICTED * max(share for _, _, share in against)), 2)

    os_family, os_votes = _elect([vote for items in kinds.values() if (vote := _os(items)) is not None], UNDERNEATH)
    vendor, vendor_votes = _elect([vote for items in kinds.values() if (vote := _vendor(items)) is not None])
    model, _ = _elect(_one_spelling([vote for items in kinds.values() if (vote := _model(items, vendor)) is not None]))
    conflicts = [
        *(f"{filed.reason} It points to: {WORDS[top]}." for filed, top, _ in against),
        *_contested(os_votes, os_family, UNDERNEATH),
        *_contested(vendor_votes, vendor, {}),
    ]
    return Verdict(
        category=category,
        os_family=os_family,
        vendor=vendor,
        model=model,
        confidence=confidence or round(max((vote.share for vote in os_votes + vendor_votes), default=0.0), 2),
        reasons=_reasons(known, rules, category)[:MAX_REASONS],
        conflicts=tuple(dict.fromkeys(conflicts))[:MAX_CONFLICTS],
        group=group,
    )


def _category(items: list[tuple[Hit, Filed]]) -> Filed | None:
    """The rule that speaks for a kind of evidence: its surest with a category."""
    voting = [filed for _, filed in items if filed.rule.shares]
    return min(voting, key=lambda filed: (-max(filed.rule.shares.values()), filed.rule.id), default=None)


def _once_a_maker(speaking: list[Filed]) -> list[Filed]:
    """Prefix and service cloud of one maker both only say whose it is: the surer of them counts."""
    kept: list[Filed] = []
    makers: set[str] = set()
    for filed in sorted(speaking, key=lambda item: (-max(item.rule.shares.values()), item.rule.id)):
        if filed.kind in OF_THE_MAKER and filed.rule.vendor:
            if filed.rule.vendor in makers:
                continue
            makers.add(filed.rule.vendor)
        kept.append(filed)
    return kept


def _named(shares: Mapping[Category, float]) -> tuple[Category | None, float, str | None]:
    if not shares:
        return None, 0.0, None
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    (top, share), (_, second) = ordered[:2]
    group, of_group = None, 0.0
    for words, members in GROUPS:
        together = sum(shares[member] for member in members)
        if top in members and together >= GROUP_FROM:
            group, of_group = words, min(together, MOST)
            break
    if share >= CATEGORY_FROM and share - second >= LEAD:
        return top, round(share, 2), group
    return None, round(of_group, 2), group


def _os(items: list[tuple[Hit, Filed]]) -> _Vote | None:
    return _surest(_Vote(f.rule.os_family, f.rule.os_confidence, f) for _, f in items if f.rule.os_family)


def _vendor(items: list[tuple[Hit, Filed]]) -> _Vote | None:
    if any(filed.rule.vendor_unknown for _, filed in items):
        return None
    named = [_Vote(f.rule.vendor, f.rule.vendor_confidence, f) for _, f in items if f.rule.vendor]
    captured = [
        _Vote(hit.model, f.rule.vendor_confidence, f) for hit, f in items if hit.model and f.rule.captures == "vendor"
    ]
    return _surest(named + captured)


def _model(items: list[tuple[Hit, Filed]], vendor: str | None) -> _Vote | None:
    """A model only of rules that do not speak of another brand than the verdict's."""
    votes = [
        _Vote(model, f.rule.model_confidence, f)
        for hit, f in items
        if f.rule.captures == "model"
        and (model := hit.model or f.rule.model)
        and (f.rule.vendor is None or vendor is None or f.rule.vendor == vendor)
    ]
    return _surest(votes)


def _one_spelling(votes: list[_Vote]) -> list[_Vote]:
    """One model is written in capitals here and in small letters there: the one with more capitals stands."""
    spelt: dict[str, str] = {}
    for value in sorted(vote.value for vote in votes):  # capitals sort first
        spelt.setdefault(value.casefold(), value)
    return [_Vote(spelt[vote.value.casefold()], vote.share, vote.filed) for vote in votes]


def _surest(votes: Iterable[_Vote]) -> _Vote | None:
    return min(votes, key=lambda vote: (-vote.share, -len(vote.value), vote.value), default=None)


def _elect(votes: list[_Vote], underneath: Mapping[str, str] | None = None) -> tuple[str | None, list[_Vote]]:
    """The value that most speaks for, if it is sure enough after what speaks for others is off."""
    if not votes:
        return None, votes
    below = underneath or {}
    support: dict[str, float] = {}
    for value in {vote.value for vote in votes}:
        backing = {value, *_all_below(value, below)}
        own = [vote.share for vote in votes if vote.value == value]
        also = [vote.share for vote in votes if vote.value in backing and vote.value != value]
        against = [
            vote.share for vote in votes if vote.value not in backing and value not in _all_below(vote.value, below)
        ]
        # What only says the system underneath supports weakly; the own votes must carry it.
        support[value] = min(agree(own), MOST) * (1 - 0.5 * agree(against)) + 0.001 * len(also) + 0.0001 * len(backing)
    best = min(support, key=lambda value: (-_depth(value, below, support), -support[value], value))
    return (best if support[best] >= SURE_ENOUGH else None), votes


def _all_below(value: str, below: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    while value in below and below[value] not in found:
        value = below[value]
        found.add(value)
    return found


def _depth(value: str, below: Mapping[str, str], support: Mapping[str, float]) -> int:
    """The more particular of systems that stand on each other goes first, if it is sure enough itself."""
    return len(_all_below(value, below) & set(support)) if support[value] >= SURE_ENOUGH else -1


def _reasons(known: list[Hit], rules: Mapping[str, Filed], category: Category | None) -> tuple[str, ...]:
    said: dict[str, None] = {}
    for hit in known:
        filed = rules[hit.rule]
        top = _top(filed)
        if category is not None and top is not None and top[1] >= _SPEAKS and not compatible(top[0], category):
            continue
        said[f"{filed.reason} {_points_to(hit, filed)}".strip()[:300]] = None
    return tuple(said)


def _points_to(hit: Hit, filed: Filed) -> str:
    rule = filed.rule
    if rule.vendor_unknown:
        return "It is a maker of modules that many brands build in: the brand is not known from it."
    parts = []
    vendor = rule.vendor or (hit.model if rule.captures == "vendor" else None)
    if vendor:
        parts.append(vendor)
    if top := _top(filed):
        parts.append(WORDS[top[0]])
    elif rule.os_family and rule.os_family != "embedded":
        parts.append(rule.os_family)
    elif rule.os_family:
        parts.append("a small device")
    model = rule.model or (hit.model if rule.captures == "model" else None)
    if model:
        parts.append(f"({model})")
    return f"It points to: {' '.join(parts)}." if parts else ""


def _top(filed: Filed) -> tuple[Category, float] | None:
    return min(filed.rule.shares.items(), key=lambda item: (-item[1], item[0]), default=None)


def _against(category: Category | None, speaking: list[Filed]) -> list[tuple[Filed, Category, float]]:
    """Kinds of evidence that speak for what an honest device of the category would not appear as."""
    tops = [(filed, *top) for filed in speaking if (top := _top(filed)) is not None and top[1] >= _SPEAKS]
    return [
        (filed, top, share)
        for filed, top, share in sorted(tops, key=lambda item: (-item[2], item[0].rule.id))
        if any(not compatible(top, other) for other in ([category] if category else [other for _, other, _ in tops]))
    ]


def _contested(votes: list[_Vote], chosen: str | None, below: Mapping[str, str]) -> list[str]:
    """Sure votes for another value than the chosen one, or for several where none could be chosen."""
    sure = sorted((vote for vote in votes if vote.share >= SURE_ENOUGH), key=lambda vote: (-vote.share, vote.value))
    others = [chosen] if chosen else [vote.value for vote in sure]
    return [
        f"{vote.filed.reason} It points to: {vote.value}."
        for vote in sure
        if any(
            other != vote.value
            and other not in _all_below(vote.value, below)
            and vote.value not in _all_below(other, below)
            for other in others
        )
    ]
