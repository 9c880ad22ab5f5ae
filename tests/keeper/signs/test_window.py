from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.signs.window import Observed, Window, ends, is_local, rhythm, times
from appliance.signals import Signal


def made(count: int = 1, first: float = 0.0, last: float = 0.0, server: str | None = None) -> Observed:
    return Observed(record_id="r-1", signal=Signal.SSH, value="", first=first, last=last, count=count, server=server)


@pytest.mark.parametrize(
    ("observed", "said"),
    [
        ([made()], ""),
        ([made(2)], " 2 times"),
        ([made(11, 0, 1200)], " about every 2 minutes"),
        ([made(31, 0, 900)], " about every 30 seconds"),
        ([made(900, 0, 900)], " 900 times"),
        ([made(11, 0, 1200), made(11, 50_000, 51_200)], " about every 2 minutes"),
        ([], ""),
    ],
)
def test_a_rhythm_is_said_where_there_is_one(observed: list[Observed], said: str) -> None:
    assert rhythm(observed) == said


def test_by_signal_and_far_end() -> None:
    window = Window([made(2, 10, 20, "192.0.2.1"), made(1, 0, 5, "192.0.2.2")])
    heard = window.of(Signal.SSH)
    assert (len(window), window.latest, times(heard)) == (2, 20, 3)
    assert ends(heard) == ["192.0.2.1", "192.0.2.2"]
    assert window.of(Signal.TOR) == []
    assert Window([]).latest == 0.0


@pytest.mark.parametrize(
    ("server", "local"),
    [("192.168.8.1", True), ("fe80::1", True), ("fd00::1", True), ("192.0.2.1", False), (None, False), ("x", False)],
)
def test_addresses_of_the_home(server: Any, local: bool) -> None:
    assert is_local(server) is local
