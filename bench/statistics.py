"""Small statistics for the reports: median, percentile, bootstrap interval."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Value below which `share` (0 to 1) of the sorted values lie, nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def interval(values: Sequence[float], *, rounds: int = 2000, seed: int = 1) -> tuple[float, float]:
    """95 % bootstrap interval of the median (percentile method, fixed seed)."""
    chance = random.Random(seed)  # noqa: S311 - resampling, not a secret
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(rounds))
    return medians[int(0.025 * rounds)], medians[int(0.975 * rounds)]
