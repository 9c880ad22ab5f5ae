from __future__ import annotations

from typing import Any

import pytest

from appliance.signals import Signal
from wire.base import Standing
from wire.findings import FindingKind, Grade


@pytest.mark.req("N11", "R18", "S5")
def test_each_independent_signal_raises_the_grade(script: Any) -> None:
    played = script().hear(Signal.TTL, "63/64", count=40)
    assert (played.only().kind, played.only().grade, played.only().signals) == (FindingKind.DEVICE_BEHIND, Grade.LOW, 1)
    assert any("virtual machine" in text for text in played.only().alternatives)
    played.hear(Signal.SYSTEM, "windows/syn").hear(Signal.SYSTEM, "linux/syn")
    assert (played.only().grade, played.only().signals) == (Grade.MEDIUM, 2)
    played.hear(Signal.TETHER, "192.168.43.7")
    assert (played.only().grade, played.only().signals) == (Grade.HIGH, 3)


@pytest.mark.req("N11")
def test_one_device_called_differently_by_two_habits_is_one(script: Any) -> None:
    assert script().hear(Signal.SYSTEM, "linux/syn").hear(Signal.SYSTEM, "android/agent").signs() == []
    assert script().hear(Signal.TTL, "64/64").hear(Signal.TTL, "128/128").signs() == []


@pytest.mark.parametrize("value", ["", "63", "x/64", "64/x", "/", "63/64/65"])
def test_a_value_that_says_nothing_is_no_fault(script: Any, value: str) -> None:
    assert script().hear(Signal.TTL, value).signs() == []


def test_what_was_seen_days_ago_is_not_put_beside_today(script: Any) -> None:
    played = script().hear(Signal.SYSTEM, "linux/syn", first=1000.0).hear(Signal.SYSTEM, "windows/syn", first=400_000.0)
    assert played.signs() == []


def test_a_repeater_does_just_this(script: Any) -> None:
    played = script().knowing(standing=Standing.INFRASTRUCTURE).hear(Signal.TTL, "127/128")
    assert "repeater" in played.only().alternatives[0]


@pytest.mark.req("N11")
def test_packets_that_began_otherwise_are_another_system(script: Any) -> None:
    own = script().hear(Signal.TTL, "64/64")
    assert own.hear(Signal.TTL, "63/64").only().signals == 1
    sign = own.hear(Signal.TTL, "127/128").only()
    assert (sign.grade, sign.signals) == (Grade.MEDIUM, 2)
