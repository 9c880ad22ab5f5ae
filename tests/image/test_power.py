"""The plug is pulled while the box writes: it boots again, its data partition is whole, and no committed record is lost."""

from __future__ import annotations

import random

import pytest

from lab.machine import cuts
from lab.machine.stack import BoxStack

pytestmark = [pytest.mark.timeout(2400)]
CUTS = 3


@pytest.mark.req("R57", "R19")
def test_cuts_of_the_power_lose_nothing_that_was_committed(enrolled: BoxStack) -> None:
    luck = random.Random()  # noqa: S311 (moments of cuts, no secret)
    for number in range(CUTS):
        told = cuts.while_writing(enrolled, seconds=luck.uniform(2, 12))
        assert told.lost == 0, f"cut {number}: {told}"
        assert told.records_after >= told.records_before, f"cut {number}: {told}"
        assert told.integrity == "ok", f"cut {number}: {told}"
        assert not told.failed, f"cut {number}: {told}"
