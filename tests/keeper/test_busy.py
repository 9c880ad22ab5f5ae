"""How soon the keeper's loop comes back where work is done in portions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from appliance import clock
from appliance.keeper import main
from appliance.keeper.core import TICK_SECONDS


@pytest.mark.req("R22")
def test_a_long_list_is_not_read_a_portion_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    ticks: list[float] = []

    class Parts:
        """Core, loop and authority file in one: three portions of work, then none."""

        busy = property(lambda _self: 0 < len(ticks) < 4)
        anew = False

        def turn(self, timeout: float) -> None:
            now[0] += timeout

        def changed(self) -> bool:
            return False

        def tick(self, **_moments: float) -> list[Any]:
            ticks.append(now[0])
            return []

        def deliver(self, _sends: object) -> None:
            pass

        def take_fresh(self) -> bool:
            return False

    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    parts: Any = Parts()
    main._serve(parts, parts, parts, lambda: len(ticks) == 6, lambda: None)
    between = [round(later - earlier, 2) for earlier, later in pairwise(ticks)]
    assert between == [TICK_SECONDS, *[main.BUSY_SECONDS] * 3, TICK_SECONDS]
