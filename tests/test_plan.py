"""The plan as it lies in a file."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import messages, plan
from appliance.plan import FilterPlan, Plan, PlanError, Rule, pack, unpack


def filter_(number: int = 1, *names: str) -> FilterPlan:
    rules = tuple(Rule(name=name, itself=True, below=False) for name in names)
    return FilterPlan(number=number, refuse_all=False, rules=rules, safe_search=True, refuse=("relay",), closed=False)


def test_a_plan_comes_back_as_it_was() -> None:
    made = Plan(generation=7, filters=(filter_(1, "a.example"), filter_(3)))
    assert unpack(pack(made)) == made
    assert plan.MAX_FILTERS == messages.MAX_FILTERS


@pytest.mark.parametrize(
    "name", ["", "a b", "x/1.2.3.4", "x\nport=1", "*.x", "#", "X.example", ".x", "x.", "x" * 64, "é.example"]
)
def test_what_is_no_name_is_no_plan(name: str) -> None:
    with pytest.raises(PlanError, match="no plan"):
        unpack(pack(Plan(generation=1, filters=(filter_(1, name),))))


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = pack(Plan(generation=1, filters=(filter_(1, "a.example", "b.example"), filter_(2, "c.example"))))
    monkeypatch.setattr(plan, "MAX_RULES", 2)
    with pytest.raises(PlanError, match="more than 2 names"):
        unpack(raw)
    monkeypatch.setattr(plan, "MAX_PLAN", 10)
    with pytest.raises(PlanError, match="the most is 10"):
        unpack(raw)
    monkeypatch.undo()
    twice = pack(Plan(generation=1, filters=(filter_(1), filter_(1))))
    with pytest.raises(PlanError, match="one number"):
        unpack(twice)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_plan_or_refused(raw: bytes) -> None:
    try:
        found = unpack(raw)
    except PlanError:
        return
    assert isinstance(found, Plan)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(PlanError):
        unpack(b"\x91" * 100_000)
    with pytest.raises(PlanError):
        unpack(msgspec.msgpack.encode({"generation": 1, "filters": [1, 2, 3, 4]}))
