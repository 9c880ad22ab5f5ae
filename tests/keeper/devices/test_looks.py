from __future__ import annotations

import pytest

from appliance.keeper.devices.looks import DhcpRule, DhcpRules, Example, looks_like, shipped


@pytest.mark.req("R11", "R12")
@pytest.mark.parametrize("rule", shipped().rule, ids=lambda rule: rule.id)
def test_each_rule_holds_for_its_own_example(rule: DhcpRule) -> None:
    example = rule.example
    assert rule.matches(example.parameters, example.vendor_class)
    looks = looks_like(shipped(), parameters=example.parameters, vendor_class=example.vendor_class)
    assert looks is not None
    assert looks.text == rule.words, "the surest rule for this example is the rule itself"
    assert looks.confidence <= 0.9
    assert looks.reasons


def test_ids_are_unique() -> None:
    ids = [rule.id for rule in shipped().rule]
    assert len(ids) == len(set(ids))


def test_order_counts_and_nothing_known_is_nothing_said() -> None:
    windows = (1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252)
    assert looks_like(shipped(), parameters=tuple(reversed(windows)), vendor_class=None) is None
    assert looks_like(shipped(), parameters=(), vendor_class="made up") is None
    assert looks_like(shipped(), parameters=(), vendor_class="not MSFT 5.0") is None


def test_a_rule_without_a_condition_is_refused() -> None:
    with pytest.raises(ValueError, match="needs parameters"):
        DhcpRules(
            version="1",
            rule=(DhcpRule(id="x", words="x", confidence=0.5, source="nowhere at all", example=Example()),),
        )
