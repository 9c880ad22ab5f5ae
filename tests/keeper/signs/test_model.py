from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from appliance.signals import Signal


def test_a_sign_is_what_it_was_when_it_was_made(script: Any) -> None:
    sign = script().hear(Signal.SOCKS, "5", server="192.0.2.7").only()
    with pytest.raises(dataclasses.FrozenInstanceError):
        sign.grade = "high"
    assert dataclasses.replace(sign, count=2).count == 2
