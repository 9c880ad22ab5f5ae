"""From votes to how sure: independent kinds of evidence, each counted once.

Each kind of evidence says with what share a device that shows just this is of each category. Kinds
are combined as naive Bayes does, in logarithms: the surest kind at full weight, every further one at
`FURTHER`, because kinds that agree often have one cause; and `DOUBT` of what the surest leaves open stays
open. One kind alone so gives exactly its share.
Enters: distributions by kind. Leaves: one distribution. Bounded: one entry a kind and category.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from appliance.keeper.devices.fingerprint.categories import PRIOR, Category
from appliance.keeper.devices.fingerprint.schema import MOST

FURTHER = 0.6
"""Weight of every kind of evidence after the surest."""
DOUBT = 0.45
"""Of the doubt that the surest evidence for a category leaves, this much stays whatever else agrees: many
weak hints, each shared by many devices, never add up to near certainty."""
_LEAST = 0.003
"""No evidence rules a category out."""

Shares = Mapping[Category, float]


def spread(among: Shares) -> dict[Category, float]:
    """A whole distribution: what `among` leaves goes to all other categories as common as they are."""
    left = max(1.0 - math.fsum(among.values()), 0.0)
    others = math.fsum(PRIOR[category] for category in Category if category not in among)
    return {
        category: max(among.get(category, left * PRIOR[category] / others if others else 0.0), _LEAST)
        for category in Category
    }


def combine(kinds: Iterable[Shares], *, hardly: Shares | None = None) -> dict[Category, float]:
    """All kinds together; in whatever order they come, the same to the last bit. Nothing in: the prior.

    `hardly`: categories that something else speaks against, and how surely; it weighs as a further kind.
    """
    whole = sorted((spread(shares) for shares in kinds), key=lambda shares: (-max(shares.values()), *shares.values()))
    logs = {category: [math.log(PRIOR[category])] for category in Category}
    for place, shares in enumerate(whole):
        weight = 1.0 if place == 0 else FURTHER
        for category, share in shares.items():
            logs[category].append(weight * (math.log(share) - math.log(PRIOR[category])))
    for category, sure in (hardly or {}).items():
        logs[category].append(FURTHER * math.log(max(1.0 - sure, _LEAST)))
    summed = {category: math.fsum(terms) for category, terms in logs.items()}
    top = max(summed.values())
    weights = {category: math.exp(value - top) for category, value in summed.items()}
    total = math.fsum(weights.values())
    together = {category: weight / total for category, weight in weights.items()}
    if not whole:
        return together
    surest = {category: max(shares[category] for shares in whole) for category in Category}
    return {category: min(share, 1.0 - DOUBT * (1.0 - surest[category]), MOST) for category, share in together.items()}


def agree(shares: Iterable[float]) -> float:
    """How sure several kinds that say the same make it: the surest at full weight, others at `FURTHER`."""
    ordered = sorted(shares, reverse=True)
    if not ordered:
        return 0.0
    doubt = 1.0
    for place, share in enumerate(ordered):
        doubt *= (1.0 - share) ** (1.0 if place == 0 else FURTHER)
    return min(1.0 - doubt, MOST)
