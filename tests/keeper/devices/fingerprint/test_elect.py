"""Which system, brand or model the evidence names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.keeper.devices.fingerprint.categories import Category
from appliance.keeper.devices.fingerprint.elect import (
    Filed,
    Vote,
    all_below,
    contested,
    elect,
    of_model,
    of_vendor,
    one_spelling,
)
from appliance.keeper.devices.fingerprint.schema import RuleFile
from appliance.keeper.devices.fingerprint.verdict import Hit

BELOW = {"Android": "Linux", "ChromeOS": "Linux"}


@pytest.fixture
def filed(make_rule: Callable[..., dict[str, Any]], make_file: Callable[..., RuleFile]) -> Callable[..., Filed]:
    def make(**changes: Any) -> Filed:
        file = make_file(make_rule(**changes))
        return Filed(kind=file.kind, reason=file.reason, rule=file.rule[0])

    return make


@pytest.fixture
def vote(filed: Callable[..., Filed]) -> Callable[[str, float], Vote]:
    return lambda value, share: Vote(value, share, filed())


def test_the_particular_system_goes_before_the_one_it_stands_on(vote: Callable[[str, float], Vote]) -> None:
    votes = [vote("Linux", 0.9), vote("Android", 0.8)]
    assert elect(votes, BELOW)[0] == "Android"
    assert contested(votes, "Android", BELOW) == []


def test_what_speaks_for_another_takes_from_it_and_is_named(vote: Callable[[str, float], Vote]) -> None:
    alone = elect([vote("Windows", 0.8)])
    votes = [vote("Windows", 0.8), vote("Android", 0.7)]
    value, sure = elect(votes)
    assert value is None or (value == "Windows" and sure < alone[1])
    assert contested([vote("Windows", 0.8), vote("Android", 0.7)], "Windows", BELOW) == [
        "It shows what is made-up. It points to: Android."
    ]


def test_nothing_is_named_on_little(vote: Callable[[str, float], Vote]) -> None:
    assert elect([vote("Windows", 0.5)]) == (None, 0.0)
    assert elect([]) == (None, 0.0)


def test_a_ring_of_systems_ends() -> None:
    assert all_below("a", {"a": "b", "b": "a"}) == {"b", "a"}


def test_one_model_in_two_spellings_is_one(vote: Callable[[str, float], Vote]) -> None:
    spelt = one_spelling([vote("dcs-935l", 0.6), vote("DCS-935L", 0.9)])
    assert {item.value for item in spelt} == {"DCS-935L"}


def test_a_module_maker_hides_the_brand(filed: Callable[..., Filed]) -> None:
    named = filed(vendor="Example", vendor_confidence=0.8)
    hidden = filed(vendor_unknown=True)
    assert of_vendor([(Hit("lamp"), named)]) is not None
    assert of_vendor([(Hit("lamp"), named), (Hit("lamp"), hidden)]) is None


def test_a_model_of_another_brand_or_kind_is_left_out(filed: Callable[..., Filed]) -> None:
    one = filed(vendor="Example", vendor_confidence=0.8, model="L1", model_confidence=0.8)
    assert of_model([(Hit("lamp"), one)], "Example", Category.IOT_OTHER) == Vote("L1", 0.8, one)
    assert of_model([(Hit("lamp"), one)], "Other", Category.IOT_OTHER) is None
    assert of_model([(Hit("lamp"), one)], "Example", Category.PHONE) is None
