"""What hits amount to: each kind of evidence once, conflicts shown, order without effect."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices.fingerprint import Hit, Rules, Verdict
from appliance.keeper.devices.fingerprint.judge import MAX_HITS, MAX_OF_A_KIND
from appliance.keeper.devices.fingerprint.rules import shipped

IDS = sorted(shipped().rules)
some = st.lists(st.builds(Hit, st.sampled_from(IDS), st.none() | st.just("X-1")), max_size=12)


@given(some, st.randoms())
def test_order_and_repetition_make_no_difference(hits: list[Hit], dice: Any) -> None:
    shuffled = hits + hits[:3]
    dice.shuffle(shuffled)
    assert shipped().judge(shuffled) == shipped().judge(hits)


@given(some)
def test_every_verdict_fits_the_wire(hits: list[Hit]) -> None:
    verdict = shipped().judge(hits)
    assert 0 <= verdict.confidence <= 0.97
    assert (verdict.looks_like() is None) == (verdict.text == "")
    assert (verdict.category is None) == (verdict.confidence == 0)
    assert (verdict.text == "") == (verdict.text_confidence == 0)
    assert 0 <= verdict.text_confidence <= 0.97
    assert verdict.text_confidence >= verdict.confidence


def test_ids_that_no_rule_has_count_for_nothing(rules: Rules) -> None:
    assert rules.judge([Hit("gone-since-last-year")]) == Verdict()
    assert rules.judge([Hit("gone"), Hit("name-hue")]) == rules.judge([Hit("name-hue")])
    assert rules.judge([]) == Verdict()


def test_hits_of_one_kind_count_once(make_rule: Any, make_file: Any) -> None:
    one = make_file(*(make_rule(id=f"lamp-{number}") for number in range(4)))
    rules = Rules([one])
    alone = rules.judge([Hit("lamp-0")])
    assert rules.judge(Hit(f"lamp-{number}") for number in range(4)).confidence == alone.confidence == 0.9


@pytest.mark.req("R12", "S5")
def test_kinds_that_agree_make_surer_and_kinds_that_do_not_less_sure(make_rule: Any, make_file: Any) -> None:
    rules = Rules(
        [
            make_file(make_rule(id="a", confidence=0.8), kind="one"),
            make_file(make_rule(id="b", confidence=0.8), kind="two"),
            make_file(make_rule(id="c", category="phone", confidence=0.8), kind="three"),
        ]
    )
    alone, both, against = (rules.judge(map(Hit, ids)) for ids in (("a",), ("a", "b"), ("a", "b", "c")))
    assert alone.confidence < both.confidence
    assert against.confidence < both.confidence
    assert alone.conflicts == both.conflicts == ()
    assert against.conflicts == ("It shows what is three. It points to: phone.",)
    assert against.category == "iot-other"
    torn = rules.judge(map(Hit, ("a", "c")))
    assert torn.category is None or torn.confidence < alone.confidence
    assert torn.conflicts


def test_what_speaks_loudly_as_two_things_is_surely_neither(rules: Rules) -> None:
    phone_and_stick = (Hit("name-iphone"), Hit("apple-phone-list"), Hit("cast-chromecast", "Chromecast"))
    verdict = rules.judge(phone_and_stick)
    assert verdict.confidence < 0.7
    assert verdict.conflicts


def test_prefix_and_cloud_of_one_maker_count_once(make_rule: Any, make_file: Any) -> None:
    rules = Rules(
        [
            make_file(make_rule(id="a", confidence=0.6, vendor="Made-up"), kind="owner"),
            make_file(make_rule(id="b", confidence=0.6, vendor="Made-up"), kind="platform"),
            make_file(make_rule(id="c", confidence=0.6, vendor="Other"), kind="platform"),
        ]
    )
    assert rules.judge([Hit("a"), Hit("b")]).confidence == rules.judge([Hit("a")]).confidence == 0.6
    assert rules.judge([Hit("a"), Hit("c")]).confidence > 0.6


def test_a_close_race_names_no_category_but_what_both_are(make_rule: Any, make_file: Any) -> None:
    rules = Rules([make_file(make_rule(category=None, confidence=None, among={"phone": 0.46, "tablet": 0.44}))])
    verdict = rules.judge([Hit("lamp")])
    assert verdict.category is None
    assert (verdict.group, verdict.text_confidence) == ("phone or tablet", 0.9)
    assert verdict.confidence == 0, "it is that of the category, and none is named"
    assert verdict.text == "Phone or tablet"


def test_a_maker_of_modules_is_no_brand(make_rule: Any, make_file: Any) -> None:
    rules = Rules(
        [
            make_file(
                make_rule(vendor_unknown=True), make_rule(id="b", vendor="Modules Ltd", category="plug", confidence=0.5)
            )
        ]
    )
    verdict = rules.judge([Hit("lamp"), Hit("b")])
    assert verdict.vendor is None
    assert any("brand is not known" in reason for reason in verdict.reasons)


def test_a_system_below_another_speaks_not_against_it(make_rule: Any, make_file: Any) -> None:
    rules = Rules(
        [
            make_file(make_rule(id="a", os_family="Android", os_confidence=0.9), kind="one"),
            make_file(make_rule(id="b", os_family="Linux", os_confidence=0.95), kind="two"),
            make_file(make_rule(id="c", os_family="Windows", os_confidence=0.95), kind="three"),
        ]
    )
    assert rules.judge([Hit("a"), Hit("b")]).os_family == "Android"
    assert rules.judge([Hit("a"), Hit("b")]).conflicts == ()
    assert rules.judge([Hit("b")]).os_family == "Linux"
    torn = rules.judge([Hit("a"), Hit("c")])
    assert torn.os_family is None
    assert len(torn.conflicts) == 2


def test_a_brand_that_is_contested_is_not_named(make_rule: Any, make_file: Any) -> None:
    rules = Rules(
        [
            make_file(make_rule(id="a", vendor="One", vendor_confidence=0.8), kind="one"),
            make_file(make_rule(id="b", vendor="Two", vendor_confidence=0.8), kind="two"),
        ]
    )
    verdict = rules.judge([Hit("a"), Hit("b")])
    assert verdict.vendor is None
    assert {conflict.split(": ")[-1] for conflict in verdict.conflicts} == {"One.", "Two."}


def test_one_model_in_two_spellings_is_one(make_rule: Any, make_file: Any) -> None:
    capturing = {"match": "^(?P<model>.+)$"}
    rules = Rules(
        [make_file(make_rule(id="a", **capturing), kind="one"), make_file(make_rule(id="b", **capturing), kind="two")]
    )
    assert rules.judge([Hit("a", "dcs-1"), Hit("b", "DCS-1")]).model == "DCS-1"
    assert rules.judge([Hit("a", "dcs-1"), Hit("b", "ABC-9")]).model is None


@pytest.mark.req("S5")
def test_many_strong_values_of_one_kind_do_not_push_out_what_speaks_against_them(rules: Rules) -> None:
    many = [Hit("name-dlink-camera", f"DCS-{number}") for number in range(4 * MAX_HITS)]
    phone = [Hit("android-vendor-class"), Hit("android-list")]
    assert rules.judge(many).category == "camera"
    verdict = rules.judge([*many, *phone])
    assert verdict.conflicts
    assert verdict.confidence < 0.8
    kept = rules.strongest([*many, *phone])
    assert len(kept) == MAX_OF_A_KIND + len(phone)
    assert rules.judge(kept) == verdict
