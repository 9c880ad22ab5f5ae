from __future__ import annotations

import random

from appliance.backoff import Backoff


def test_waits_double_up_to_the_most_and_are_cut_by_up_to_half() -> None:
    backoff = Backoff(first=0.2, most=30.0, chance=random.Random(1))  # noqa: S311 - a fixed sequence
    delays = [backoff.delay() for _ in range(12)]
    wholes = [min(0.2 * 2**n, 30.0) for n in range(12)]
    assert all(whole / 2 <= delay <= whole for delay, whole in zip(delays, wholes, strict=True))
    assert delays[-1] != delays[-2]


def test_after_success_it_starts_small_again() -> None:
    backoff = Backoff(first=0.2, most=30.0, chance=random.Random(1))  # noqa: S311 - a fixed sequence
    for _ in range(8):
        backoff.delay()
    backoff.reset()
    assert backoff.delay() <= 0.2
