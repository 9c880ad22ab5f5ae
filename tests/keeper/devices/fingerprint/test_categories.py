"""Which kinds of device one honest device may appear as."""

from __future__ import annotations

import re
from pathlib import Path

from appliance.keeper.devices.fingerprint.categories import GROUPS, OS_FAMILIES, UNDERNEATH, WORDS, Category, compatible


def test_near_kinds_are_compatible_both_ways() -> None:
    assert compatible(Category.PHONE, Category.PHONE)
    for one, other in ((Category.PHONE, Category.TABLET), (Category.LAPTOP, Category.DESKTOP)):
        assert compatible(one, other)
        assert compatible(other, one)
    assert not compatible(Category.TV, Category.PHONE)
    assert not compatible(Category.CAMERA, Category.LAPTOP)


def test_every_category_has_plain_words() -> None:
    assert set(WORDS) == set(Category)
    assert len(Category) == 14
    assert all(group <= set(Category) for _, group in GROUPS)


def test_systems_stand_on_each_other_without_a_circle() -> None:
    for system in UNDERNEATH:
        steps, below = 0, system
        while below in UNDERNEATH:
            below = UNDERNEATH[below]
            steps += 1
            assert steps < len(UNDERNEATH)
        assert below in OS_FAMILIES


def test_the_document_lists_every_category() -> None:
    text = (Path(__file__).resolve().parents[4] / "docs" / "devices.md").read_text()
    assert {category.value for category in Category} <= set(re.findall(r"`([a-z-]+)`", text))
