"""Operating system, brand and model: which one the evidence names, if any.

Enters: hits by kind of evidence, with their rules. Leaves: the value that most speaks for, how sure, and what
speaks against it. Bounded: one vote a kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.keeper.devices.fingerprint.categories import Category, compatible
from appliance.keeper.devices.fingerprint.combine import agree
from appliance.keeper.devices.fingerprint.schema import MOST, Rule
from appliance.keeper.devices.fingerprint.verdict import Hit

SURE_ENOUGH = 0.6
"""Operating system, brand and model are named from here on, each on its own evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A rule with the kind of evidence it belongs to."""

    kind: str
    reason: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Vote:
    """What one kind of evidence says of one thing, by its surest rule."""

    value: str
    share: float
    filed: Filed


def of_os(items: list[tuple[Hit, Filed]]) -> Vote | None:
    """The surest system of one kind of evidence."""
    return _surest(Vote(f.rule.os_family, f.rule.os_confidence, f) for _, f in items if f.rule.os_family)


def of_vendor(items: list[tuple[Hit, Filed]]) -> Vote | None:
    """The surest brand of one kind of evidence; none where it tells a maker of modules."""
    if any(filed.rule.vendor_unknown for _, filed in items):
        return None
    named = [Vote(f.rule.vendor, f.rule.vendor_confidence, f) for _, f in items if f.rule.vendor]
    captured = [
        Vote(hit.model, f.rule.vendor_confidence, f) for hit, f in items if hit.model and f.rule.captures == "vendor"
    ]
    return _surest(named + captured)


def of_model(items: list[tuple[Hit, Filed]], vendor: str | None, category: Category | None) -> Vote | None:
    """A model only of rules that do not speak of another brand or kind of device than the verdict's."""
    votes = [
        Vote(model, f.rule.model_confidence, f)
        for hit, f in items
        if f.rule.captures == "model"
        and (model := hit.model or f.rule.model)
        and (f.rule.vendor is None or vendor is None or f.rule.vendor == vendor)
        and (category is None or not f.rule.shares or any(compatible(category, other) for other in f.rule.shares))
    ]
    return _surest(votes)


def one_spelling(votes: list[Vote]) -> list[Vote]:
    """One model is written in capitals here and in small letters there: the one with more capitals stands."""
    spelt: dict[str, str] = {}
    for value in sorted(vote.value for vote in votes):  # capitals sort first
        spelt.setdefault(value.casefold(), value)
    return [Vote(spelt[vote.value.casefold()], vote.share, vote.filed) for vote in votes]


def _surest(votes: Iterable[Vote]) -> Vote | None:
    return min(votes, key=lambda vote: (-vote.share, -len(vote.value), vote.value), default=None)


def elect(votes: list[Vote], underneath: Mapping[str, str] | None = None) -> tuple[str | None, float]:
    """The value that most speaks for and how sure, if it is sure enough after what speaks for others is off."""
    if not votes:
        return None, 0.0
    below = underneath or {}
    support: dict[str, float] = {}
    for value in {vote.value for vote in votes}:
        backing = {value, *all_below(value, below)}
        own = [vote.share for vote in votes if vote.value == value]
        also = [vote.share for vote in votes if vote.value in backing and vote.value != value]
        against = [
            vote.share for vote in votes if vote.value not in backing and value not in all_below(vote.value, below)
        ]
        # What only says the system underneath supports weakly; the own votes must carry it.
        support[value] = min(agree(own), MOST) * (1 - 0.5 * agree(against)) + 0.001 * len(also) + 0.0001 * len(backing)
    best = min(support, key=lambda value: (-_depth(value, below, support), -support[value], value))
    return (best, min(support[best], MOST)) if support[best] >= SURE_ENOUGH else (None, 0.0)


def all_below(value: str, below: Mapping[str, str]) -> set[str]:
    """All systems that one is built on."""
    found: set[str] = set()
    while value in below and below[value] not in found:
        value = below[value]
        found.add(value)
    return found


def _depth(value: str, below: Mapping[str, str], support: Mapping[str, float]) -> int:
    """The more particular of systems that stand on each other goes first, if it is sure enough itself."""
    return len(all_below(value, below) & set(support)) if support[value] >= SURE_ENOUGH else -1


def contested(votes: list[Vote], chosen: str | None, below: Mapping[str, str]) -> list[str]:
    """Sure votes for another value than the chosen one, or for several where none could be chosen."""
    sure = sorted((vote for vote in votes if vote.share >= SURE_ENOUGH), key=lambda vote: (-vote.share, vote.value))
    others = [chosen] if chosen else [vote.value for vote in sure]
    return [
        f"{vote.filed.reason} It points to: {vote.value}."
        for vote in sure
        if any(
            other != vote.value
            and other not in all_below(vote.value, below)
            and vote.value not in all_below(other, below)
            for other in others
        )
    ]
