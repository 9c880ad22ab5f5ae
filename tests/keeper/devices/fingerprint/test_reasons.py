"""Hits in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.keeper.devices.fingerprint.categories import Category
from appliance.keeper.devices.fingerprint.elect import Filed
from appliance.keeper.devices.fingerprint.reasons import reasons, top_of
from appliance.keeper.devices.fingerprint.schema import RuleFile
from appliance.keeper.devices.fingerprint.verdict import Hit


@pytest.fixture
def filed(make_rule: Callable[..., dict[str, Any]], make_file: Callable[..., RuleFile]) -> Callable[..., Filed]:
    def make(**changes: Any) -> Filed:
        file = make_file(make_rule(**changes))
        return Filed(kind=file.kind, reason=file.reason, rule=file.rule[0])

    return make


def test_each_reason_is_said_once_and_says_what_it_points_to(filed: Callable[..., Filed]) -> None:
    rules = {"lamp": filed(vendor="Example", vendor_confidence=0.8, model="L1", model_confidence=0.8)}
    assert reasons([Hit("lamp"), Hit("lamp")], rules, Category.IOT_OTHER) == (
        "It shows what is made-up. It points to: Example smart-home device (L1).",
    )


def test_what_speaks_for_another_kind_is_no_reason(filed: Callable[..., Filed]) -> None:
    rules = {"lamp": filed()}
    assert reasons([Hit("lamp")], rules, Category.PHONE) == ()
    assert len(reasons([Hit("lamp")], rules, None)) == 1


def test_a_module_maker_is_said_to_hide_the_brand(filed: Callable[..., Filed]) -> None:
    (sentence,) = reasons([Hit("lamp")], {"lamp": filed(vendor_unknown=True)}, None)
    assert sentence.endswith("the brand is not known from it.")


def test_top_category(filed: Callable[..., Filed]) -> None:
    assert top_of(filed()) == (Category.IOT_OTHER, 0.9)
