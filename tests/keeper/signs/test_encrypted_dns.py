from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.signs.window import Use
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

FAR = "192.0.2.7"


@pytest.mark.req("R18", "S5")
@pytest.mark.parametrize(
    ("heard", "grade", "signals"),
    [
        ([(Signal.CANARY, "firefox", {})], Grade.LOW, 1),
        ([(Signal.DISCOVERY, "opportunistic", {})], Grade.LOW, 1),
        ([(Signal.RESOLVER_NAMED, "adguard", {})], Grade.LOW, 1),
        ([(Signal.RESOLVER_REACHED, "adguard", {"server": FAR})], Grade.LOW, 1),
        ([(Signal.RESOLVER_REACHED, "adguard", {"server": FAR, "count": 3})], Grade.MEDIUM, 1),
        ([(Signal.RESOLVER_NAMED, "adguard", {}), (Signal.RESOLVER_REACHED, "adguard", {"server": FAR})], "medium", 2),
        ([(Signal.RESOLVER_NAMED, "adguard", {}), (Signal.RESOLVER_NAMED, "adguard", {"server": FAR})], "medium", 2),
        ([(Signal.DOH, "unasked", {"count": 5})], Grade.MEDIUM, 1),
        ([(Signal.DOH, "unasked", {}), (Signal.RESOLVER_REACHED, "adguard", {"server": FAR})], Grade.HIGH, 2),
        ([(Signal.DOT, "syn", {"server": FAR, "port": 853})], Grade.MEDIUM, 1),
        ([(Signal.DOT, "hello", {"server": FAR, "port": 853})], Grade.HIGH, 1),
        ([(Signal.DOQ, "hello", {"server": FAR, "port": 853})], Grade.HIGH, 1),
        ([(Signal.DOQ, "datagram", {"server": FAR, "port": 853})], Grade.MEDIUM, 1),
        ([(Signal.DNSCRYPT, "certificate", {"server": FAR})], Grade.MEDIUM, 1),
        ([(Signal.DNSCRYPT, "certificate", {"server": FAR}), (Signal.DNSCRYPT, "query", {"server": FAR})], "high", 1),
    ],
)
def test_what_is_asked_reached_and_spoken_is_added_up(script: Any, heard: Any, grade: str, signals: int) -> None:
    played = script()
    for signal, value, fields in heard:
        played.hear(signal, value, **fields)
    sign = played.only()
    assert (sign.kind, sign.grade, sign.signals) == (FindingKind.ENCRYPTED_DNS, grade, signals)
    assert sign.alternatives
    assert ("Only one kind of signal shows this." in sign.reasons) == (signals == 1)


@pytest.mark.req("R18")
def test_a_device_that_asks_the_box_no_more_asks_elsewhere(script: Any) -> None:
    played = script().hear(Signal.RESOLVER_REACHED, "adguard", server=FAR)
    assert played.only().grade is Grade.LOW
    assert played.knowing(hour=Use(flows=80, lookups=60)).only().grade is Grade.LOW, "it asks as everybody does"
    sign = played.knowing(hour=Use(flows=80, lookups=2)).only()
    assert (sign.grade, sign.signals) == (Grade.HIGH, 2)
    assert any("80 connections" in reason for reason in sign.reasons)


@pytest.mark.req("R18")
def test_asking_the_box_itself_is_no_way_round_it(script: Any) -> None:
    for server in ("192.168.8.1", "fe80::1", "fd00:0:0:8::1"):
        assert script().hear(Signal.DOT, "syn", server=server, port=853).signs() == []


@pytest.mark.req("R18")
def test_what_policy_answered_is_said(script: Any) -> None:
    played = script().hear(Signal.CANARY, "firefox").knowing(refused=frozenset({"canary"}))
    assert "refused" in played.only().reasons[0]
    assert "refused" not in script().hear(Signal.CANARY, "firefox").only().reasons[0]


def test_several_services_are_one_sign(script: Any) -> None:
    played = script()
    for word in ("adguard", "quad9", "alidns"):
        played.hear(Signal.RESOLVER_NAMED, word)
    assert "and 1 more" in played.only().reasons[0]
