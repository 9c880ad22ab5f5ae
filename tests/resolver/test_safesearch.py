"""The shipped table of strict modes."""

from __future__ import annotations

import pytest

from appliance.plan import FilterPlan, Plan, Rule, pack, unpack
from appliance.resolver.safesearch import engines


@pytest.mark.req("R22")
def test_every_engine_has_a_target_and_names_that_a_plan_could_hold() -> None:
    rules = tuple(
        Rule(name=name, itself=True, below=False) for engine in engines() for name in (*engine.names, engine.target)
    )
    made = FilterPlan(number=1, refuse_all=False, rules=rules, safe_search=False, refuse=(), closed=False)
    assert unpack(pack(Plan(generation=1, filters=(made,)))).filters[0].rules == rules
    targets = {engine.target for engine in engines()}
    assert not targets & {name for engine in engines() for name in engine.names}, "no target leads to itself"
