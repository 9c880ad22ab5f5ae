from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.store import categories
from appliance.keeper.store.categories import DAY

LAPTOP, PHONE = "00:00:5e:00:53:01", "02:00:00:00:00:02"


def count(store: Any, mac: str, day: int, category: str = "adult", clause: str = "4") -> None:
    with store.transaction():
        store.categories.count(
            mac, category, authority_id="authority-1", authority_number=2, clause=clause, ts=day * DAY + 5.0
        )


@pytest.mark.req("R32")
def test_counts_by_day_of_all_addresses_of_a_device(store: Any) -> None:
    for mac, day in ((LAPTOP, 3), (LAPTOP, 2), (LAPTOP, 2), (PHONE, 2)):
        count(store, mac, day)
    count(store, LAPTOP, 2, "other", "5")
    assert store.categories.days([LAPTOP, PHONE], "adult") == {2: 3, 3: 1}
    assert store.categories.days([PHONE], "other") == {}
    (row,) = store._db.query("select authority_id, authority_number, clause from category_day where category = 'other'")
    assert row == {"authority_id": "authority-1", "authority_number": 2, "clause": "5"}


def test_bounds(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "MAX_DAYS", 3)
    monkeypatch.setattr(categories, "MAX_CATEGORIES", 2)
    for day in range(1, 7):
        count(store, LAPTOP, day)
    assert list(store.categories.days([LAPTOP], "adult")) == [4, 5, 6]
    count(store, LAPTOP, 6, "b")
    count(store, LAPTOP, 6, "c")
    assert (store.categories.days([LAPTOP], "c"), store.categories.overflow) == ({}, 1)
    count(store, LAPTOP, 7, "b")
    assert store.categories.days([LAPTOP], "b") == {6: 1, 7: 1}
    assert store.overflow() == 1


@pytest.mark.req("R55", "R65")
def test_erased_with_the_names(store: Any) -> None:
    count(store, LAPTOP, 1)
    count(store, PHONE, 1)
    with store.transaction():
        store.categories.erase([LAPTOP])
    assert store.categories.days([LAPTOP], "adult") == {}
    assert store.categories.days([PHONE], "adult") == {1: 1}
