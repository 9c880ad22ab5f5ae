"""Rules small enough to reason about, and the shipped ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.keeper.devices.fingerprint import Rules, shipped
from appliance.keeper.devices.fingerprint.schema import RuleFile

BASE: dict[str, Any] = {
    "on": "dhcp4-vendor-class",
    "match": "^lamp",
    "source": "made up for the tests",
    "example": ["lamp"],
}


def rule(**changes: Any) -> dict[str, Any]:
    """A rule as TOML would give it."""
    given = {"id": "lamp", "category": "iot-other", "confidence": 0.9} | BASE | changes
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture
def make_rule() -> Callable[..., dict[str, Any]]:
    return rule


@pytest.fixture
def make_file() -> Callable[..., RuleFile]:
    def make(*rules: dict[str, Any], kind: str = "made-up") -> RuleFile:
        return RuleFile.model_validate(
            {"version": "2026.1", "kind": kind, "reason": f"It shows what is {kind}.", "rule": list(rules)}
        )

    return make


@pytest.fixture(scope="session")
def rules() -> Rules:
    return shipped()
