"""`tools/costs.py`: what a box and a household-year cost, from assumptions that are written down."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def costs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tool_costs", ROOT / "tools" / "costs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    return tomllib.loads((ROOT / "docs" / "costs.toml").read_text(encoding="utf-8"))


@pytest.mark.req("R73", "R74")
def test_the_document_is_what_the_assumptions_come_to(costs: ModuleType, given: dict[str, Any]) -> None:
    committed = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
    assert committed == costs.document(given), "run: python tools/costs.py > docs/costs.md"


def test_the_sums_are_right(costs: ModuleType, given: dict[str, Any]) -> None:
    made = given | {
        "part": [{"name": "a", "price": 60.0}, {"name": "b", "price": 20.0}],
        "box": {"years": 4.0, "lost_a_year": 0.1},
        "service": {"households": 100, "servers": 300.0, "support_hours": 10.0, "support_rate": 30.0},
        "home": {"watts": 5.0, "unit_price": 0.2},
    }
    sums = costs.reckon(made)
    assert (sums["parts"], sums["spread"], sums["spares"]) == (80, 20, 8)
    assert (sums["servers"], sums["support"], sums["year"]) == (3, 3, 34)
    assert sums["energy_price"] == pytest.approx(5 * 8766 / 1000 * 0.2)


def test_it_says_whether_the_aim_is_kept(costs: ModuleType, given: dict[str, Any]) -> None:
    assert "is above it" in costs.document(given | {"part": [{"name": "a", "price": 900.0}]})
    assert "is within it" in costs.document(given | {"part": [{"name": "a", "price": 40.0}]})
