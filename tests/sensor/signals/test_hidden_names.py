from __future__ import annotations

from typing import Any

import pytest

from appliance.sensor.facts import Kind
from appliance.sensor.home import Home
from appliance.sensor.packet.ech import Ech
from appliance.sensor.signals.hidden_names import HiddenHellos
from appliance.signals import Signal


@pytest.fixture
def detector(home: Home) -> HiddenHellos:
    return HiddenHellos(home)


@pytest.mark.req("R18")
@pytest.mark.parametrize("kind", [Kind.TLS_CLIENT_HELLO, Kind.QUIC_CLIENT_HELLO])
@pytest.mark.parametrize("hidden", [Ech.REAL, Ech.GREASE])
def test_a_hidden_name_is_told_from_filler(
    detector: HiddenHellos, facts: Any, hear: Any, kind: Kind, hidden: Ech
) -> None:
    (one,) = hear(detector, [facts.hello("outer.example", kind=kind, hidden=hidden)])
    assert (one.signal, one.value, one.server, one.port) == (Signal.ECH, hidden.value, "198.51.100.9", 443)


def test_a_hello_without_a_name(detector: HiddenHellos, facts: Any, hear: Any) -> None:
    (one,) = hear(detector, [facts.hello(None, dport=8443)])
    assert (one.signal, one.value, one.port) == (Signal.NO_SNI, "tls", 8443)


def test_what_shows_its_name_or_cannot_be_told_says_nothing(detector: HiddenHellos, facts: Any, hear: Any) -> None:
    said = [
        facts.hello("www.news.example"),
        facts.hello("www.news.example", hidden=Ech.UNKNOWN),
        facts.hello(None, kind=Kind.QUIC_CLIENT_HELLO),
        facts.hello(None, kind=Kind.DTLS_CLIENT_HELLO),
        facts.hello(None, dst="192.0.2.9"),
        facts.ask("www.news.example"),
        facts.request("www.news.example"),
    ]
    assert hear(detector, said) == []
