from __future__ import annotations

from typing import Any

import pytest

from appliance.signals import Signal
from wire.findings import FindingKind

FAR, OTHER = {"server": "192.0.2.7", "port": 9001}, {"server": "198.51.100.7", "port": 443}


@pytest.mark.req("R18", "S5")
@pytest.mark.parametrize(
    ("heard", "grade", "signals"),
    [
        ([("directory", FAR), ("guard", OTHER)], "high", 2),
        ([("guard", FAR)], "low", 1),
        ([("guard", FAR), ("guard", OTHER)], "medium", 1),
        ([("guard", FAR), ("guard", OTHER), ("guard", {"server": "203.0.113.7"})], "high", 1),
        ([("directory", FAR)], "medium", 1),
        ([(None, {})], "medium", 1),
        ([(None, {}), ("guard", FAR)], "high", 2),
    ],
)
def test_directory_and_guard_agree(script: Any, heard: Any, grade: str, signals: int) -> None:
    played = script()
    for value, fields in heard:
        if value is None:
            played.hear(Signal.TOR_NAMED, "project", **fields)
        else:
            played.hear(Signal.TOR, value, **fields)
    sign = played.only()
    assert (sign.kind, sign.grade, sign.signals) == (FindingKind.TOR, grade, signals)
    assert sign.alternatives
