"""Hits in words: how such evidence comes about, and what it points to.

Enters: hits with their rules. Leaves: sentences of ours, in which at most a model or brand that a rule captured
stands. Bounded: one sentence a hit, cut at `_MOST`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from appliance.keeper.devices.fingerprint.categories import WORDS, Category, compatible
from appliance.keeper.devices.fingerprint.elect import Filed
from appliance.keeper.devices.fingerprint.verdict import Hit

SPEAKS = 0.6
"""A kind of evidence speaks for its top category from here on."""
_MOST = 300


def reasons(known: Iterable[Hit], rules: Mapping[str, Filed], category: Category | None) -> tuple[str, ...]:
    """A sentence for each hit that does not speak for another kind of device, in their order; each once."""
    said: dict[str, None] = {}
    for hit in known:
        filed = rules[hit.rule]
        top = top_of(filed)
        if category is not None and top is not None and top[1] >= SPEAKS and not compatible(top[0], category):
            continue
        said[f"{filed.reason} {_points_to(hit, filed)}".strip()[:_MOST]] = None
    return tuple(said)


def _points_to(hit: Hit, filed: Filed) -> str:
    rule = filed.rule
    if rule.vendor_unknown:
        if rule.reason is not None:
            return "The brand is not known from it."
        return "It is a maker of modules that many brands build in: the brand is not known from it."
    parts = []
    vendor = rule.vendor or (hit.model if rule.captures == "vendor" else None)
    if vendor:
        parts.append(vendor)
    if top := top_of(filed):
        parts.append(WORDS[top[0]])
    elif rule.os_family and rule.os_family != "embedded":
        parts.append(rule.os_family)
    elif rule.os_family:
        parts.append("a small device")
    model = rule.model or (hit.model if rule.captures == "model" else None)
    if model:
        parts.append(f"({model})")
    return f"It points to: {' '.join(parts)}." if parts else ""


def top_of(filed: Filed) -> tuple[Category, float] | None:
    """The category that a rule most speaks for, and its share."""
    return min(filed.rule.shares.items(), key=lambda item: (-item[1], item[0]), default=None)
