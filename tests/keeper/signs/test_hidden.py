from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.signs.window import Use
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

FAR = {"server": "192.0.2.7", "port": 4433}


@pytest.mark.req("R18")
def test_noise_is_weak_and_never_strong(script: Any) -> None:
    assert script().hear(Signal.RANDOM_FIRST, "517", **FAR).only().grade is Grade.LOW
    many = script().hear(Signal.RANDOM_FIRST, "517", count=500, **FAR)
    assert many.only().grade is Grade.LOW, "a game makes many"
    sign = many.hear(Signal.BUSY, "tcp", octets=10**10, **FAR).only()
    assert (sign.kind, sign.grade, sign.signals) == (FindingKind.UNKNOWN_PROTOCOL, Grade.MEDIUM, 2)


@pytest.mark.req("N10", "R18")
def test_a_name_that_is_really_hidden_is_for_information(script: Any) -> None:
    assert script().hear(Signal.ECH, "grease", count=1000, **FAR).signs() == []
    sign = script().hear(Signal.ECH, "real", **FAR).only()
    assert (sign.kind, sign.grade) == (FindingKind.HIDDEN_NAMES, Grade.LOW)


@pytest.mark.req("N10")
def test_hellos_without_a_name_count_when_there_are_many(script: Any) -> None:
    assert script().hear(Signal.NO_SNI, "tls", count=9, **FAR).signs() == []
    assert script().hear(Signal.NO_SNI, "tls", count=6, **FAR).hear(Signal.QUIC_UNNAMED, count=6, **FAR).only()


@pytest.mark.req("N10", "R16")
def test_an_unnamed_share_is_held_against_the_usual_one(script: Any) -> None:
    day = Use(flows=200, unnamed=150)
    played = script().hear(Signal.QUIC_UNNAMED, **FAR).knowing(day=day)
    assert played.only().grade is Grade.LOW, "nothing to compare with yet"
    sign = played.knowing(usual=0.2).only()
    assert sign.grade is Grade.MEDIUM
    assert sign.reasons[0] == "In a day nothing named 75% of 200 connections; as a rule it is 20%."
    assert played.knowing(usual=0.7).signs() == [], "it is always so"
    assert played.knowing(usual=0.2, day=Use(flows=20, unnamed=20)).signs() == [], "too little to say"


@pytest.mark.req("N10")
def test_a_share_alone_is_enough(script: Any) -> None:
    played = script().knowing(day=Use(flows=200, unnamed=150), day_ends=1_900_000_000.0)
    assert (played.only().grade, played.only().ts, played.only().records) == (Grade.LOW, 1_900_000_000.0, ())
