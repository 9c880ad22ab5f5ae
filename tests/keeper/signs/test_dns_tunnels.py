from __future__ import annotations

from typing import Any

import pytest

from appliance.signals import Signal
from wire.findings import FindingKind


@pytest.mark.req("R18", "S5")
@pytest.mark.parametrize(
    ("values", "grade", "signals"),
    [
        (["length"], "low", 1),
        (["null"], "medium", 1),
        (["txt,length,rate"], "medium", 3),
        (["txt,length,entropy,rate"], "high", 4),
        (["null,length,entropy,rate"], "high", 4),
        (["length", "rate", "txt", "entropy"], "low", 1),
    ],
)
def test_the_reasons_that_agree_at_a_time_make_the_grade(
    script: Any, values: list[str], grade: str, signals: int
) -> None:
    played = script()
    for value in values:
        played.hear(Signal.DNS_TUNNEL, value)
    sign = played.only()
    assert (sign.kind, sign.grade, sign.signals) == (FindingKind.DNS_TUNNEL, grade, signals)


def test_an_empty_or_unknown_reason_is_no_fault(script: Any) -> None:
    assert script().hear(Signal.DNS_TUNNEL, "").only().grade == "low"
    assert "of-a-later-version" in script().hear(Signal.DNS_TUNNEL, "of-a-later-version").only().reasons[1]
