from __future__ import annotations

from typing import Any

import pytest

from appliance.signals import Signal
from wire.findings import FindingKind, Grade


@pytest.mark.req("R18")
def test_a_relay_asked_for_is_low_and_says_what_was_answered(script: Any) -> None:
    played = script().hear(Signal.RELAY, "icloud")
    assert (played.only().kind, played.only().grade) == (FindingKind.RELAY, Grade.LOW)
    assert "answered as it does any other" in played.only().reasons[1]
    assert "not available here" in played.knowing(refused=frozenset({"relay"})).only().reasons[1]


def test_a_relay_reached_is_more(script: Any) -> None:
    played = script().hear(Signal.RELAY, "icloud").hear(Signal.RELAY, "icloud", server="192.0.2.7", port=443)
    assert (played.only().grade, played.only().signals) == (Grade.MEDIUM, 2)
    assert "192.0.2.7" in played.only().reasons[0]
