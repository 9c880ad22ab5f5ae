from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.signs.weigh import MAX_ENDS
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

FAR = {"server": "192.0.2.7", "port": 1080}


@pytest.mark.req("R18")
def test_a_proxy_is_told_by_its_place(script: Any) -> None:
    sign = script().hear(Signal.SOCKS, "5", **FAR).only()
    assert (sign.kind, sign.grade, sign.subject) == (FindingKind.PROXY, Grade.MEDIUM, "192.0.2.7")
    assert sign.reasons[0] == "This looks like use of a proxy (SOCKS) to 192.0.2.7, once."
    assert script().hear(Signal.SOCKS, "5", count=3, **FAR).only().grade is Grade.HIGH
    both = script().hear(Signal.SOCKS, "5", **FAR).hear(Signal.CONNECT, "", **FAR).only()
    assert (both.grade, both.signals) == (Grade.MEDIUM, 2)
    busy = script().hear(Signal.CONNECT, "", **FAR).hear(Signal.BUSY, "tcp", octets=10**8, **FAR).only()
    assert busy.grade is Grade.HIGH


def test_proxies_are_bounded(script: Any) -> None:
    played = script()
    for number in range(30):
        played.hear(Signal.SOCKS, "4", server=f"192.0.2.{number}")
    assert len(played.signs()) == MAX_ENDS + 1
