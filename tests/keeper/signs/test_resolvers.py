from __future__ import annotations

from typing import Any

import pytest

from appliance.signals import Signal
from wire.findings import FindingKind, Grade


@pytest.mark.req("R18")
def test_another_resolver_is_told_and_that_the_box_answered(script: Any) -> None:
    sign = script().hear(Signal.OTHER_RESOLVER, "udp", server="2001:db8::53", port=53).only()
    assert (sign.kind, sign.grade) == (FindingKind.OTHER_RESOLVER, Grade.LOW)
    assert sign.reasons[0] == "Names were asked of another name service (2001:db8::53), once."
    assert "not hidden" in sign.reasons[1]


@pytest.mark.req("R18")
@pytest.mark.parametrize(
    ("category", "grade"), [("laptop", "medium"), (None, "medium"), ("tv", "low"), ("speaker", "low")]
)
def test_what_is_sold_so_is_no_setting_of_a_person(script: Any, category: str | None, grade: str) -> None:
    played = script().knowing(category=category).hear(Signal.OTHER_RESOLVER, "udp", server="192.0.2.53", count=400)
    assert played.only().grade == grade


def test_a_resolver_in_the_home_is_none_elsewhere(script: Any) -> None:
    assert script().hear(Signal.OTHER_RESOLVER, "udp", server="192.168.1.2").signs() == []
