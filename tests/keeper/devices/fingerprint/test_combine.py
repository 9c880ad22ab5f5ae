"""How kinds of evidence add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices.fingerprint.categories import PRIOR, Category
from appliance.keeper.devices.fingerprint.combine import agree, combine, spread
from appliance.keeper.devices.fingerprint.schema import MOST

one = st.dictionaries(st.sampled_from(list(Category)), st.floats(0.02, 0.3), min_size=1, max_size=3)
kinds = st.lists(one, max_size=6)


def test_nothing_heard_gives_the_prior() -> None:
    assert combine([]) == pytest.approx(PRIOR)
    assert sum(PRIOR.values()) == pytest.approx(1)


def test_one_kind_gives_its_own_share() -> None:
    assert combine([{Category.PLUG: 0.7}])[Category.PLUG] == pytest.approx(0.7, abs=0.02)


@given(kinds, st.randoms())
def test_order_makes_no_difference(given_kinds: list[dict[Category, float]], dice: object) -> None:
    shuffled = list(given_kinds)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert combine(given_kinds) == combine(shuffled)


@given(kinds)
def test_it_is_a_distribution_and_capped(given_kinds: list[dict[Category, float]]) -> None:
    found = combine(given_kinds)
    assert all(0 < share <= MOST for share in found.values())
    assert sum(found.values()) <= 1 + 1e-9


@given(st.sampled_from(list(Category)), st.floats(0.4, 0.97), st.floats(0.4, 0.97))
def test_a_second_kind_that_says_the_same_makes_it_no_less_sure(category: Category, share: float, more: float) -> None:
    alone = combine([{category: share}])[category]
    both = combine([{category: share}, {category: more}])[category]
    assert both >= alone - 1e-9


@given(st.floats(0.5, 0.97), st.floats(0.5, 0.97))
def test_a_second_kind_that_says_another_makes_it_less_sure(share: float, against: float) -> None:
    alone = combine([{Category.CAMERA: share}])[Category.CAMERA]
    both = combine([{Category.CAMERA: share}, {Category.PHONE: against}])[Category.CAMERA]
    assert both < alone


def test_many_weak_hints_never_make_it_sure() -> None:
    weak = [{Category.CAMERA: 0.34 + number / 100, Category.PLUG: 0.1} for number in range(5)]
    assert combine(weak)[Category.CAMERA] < 0.75
    assert combine([*weak, {Category.CAMERA: 0.95}])[Category.CAMERA] > 0.95


@given(one)
def test_what_is_left_is_shared_out(shares: dict[Category, float]) -> None:
    assert sum(spread(shares).values()) == pytest.approx(1, abs=0.05)


def test_agreement_grows_and_is_capped() -> None:
    assert agree([]) == 0
    assert agree([0.6]) == pytest.approx(0.6)
    assert 0.6 < agree([0.6, 0.6]) < agree([0.6, 0.6, 0.6]) <= MOST
    assert agree([0.9] * 50) == MOST
