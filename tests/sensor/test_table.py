from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.table import AgedTable


def test_forgets_by_age() -> None:
    table: AgedTable[str, int] = AgedTable(bound=9, age=10)
    table.put("a", 1, 100)
    assert table.get("a", 110) == 1
    assert table.get("a", 110.5) is None
    assert table.get("b", 100) is None


def test_a_clock_set_back_does_not_keep_entries_for_ever() -> None:
    table: AgedTable[str, int] = AgedTable(bound=9, age=10)
    table.put("a", 1, 100)
    assert table.get("a", 95) == 1
    assert table.get("a", 5) is None


def test_putting_again_makes_fresh() -> None:
    table: AgedTable[str, int] = AgedTable(bound=2, age=10)
    table.put("a", 1, 0)
    table.put("b", 2, 0)
    table.put("a", 3, 5)
    table.put("c", 4, 6)
    assert (table.get("a", 6), table.get("b", 6), table.get("c", 6)) == (3, None, 4)
    assert table.overflow == 1


def test_a_stale_entry_that_leaves_is_no_overflow() -> None:
    table: AgedTable[str, int] = AgedTable(bound=2, age=10)
    table.put("a", 1, 0)
    table.put("b", 2, 0)
    table.put("c", 3, 50)
    assert table.overflow == 0
    assert len(table) == 2


def test_drop_and_clear() -> None:
    table: AgedTable[str, int] = AgedTable(bound=2, age=10)
    table.put("a", 1, 0)
    table.drop("a")
    table.drop("a")
    assert table.get("a", 0) is None
    table.put("b", 1, 0)
    table.clear()
    assert len(table) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 100))))
def test_never_over_its_bound(puts: list[tuple[int, float]]) -> None:
    table: AgedTable[int, float] = AgedTable(bound=4, age=10)
    for key, ts in puts:
        table.put(key, ts, ts)
        assert table.get(key, ts) == ts
        assert len(table) <= 4


def test_lists_what_is_not_too_old() -> None:
    table: AgedTable[str, int] = AgedTable(bound=9, age=10)
    for at, key in enumerate("abc"):
        table.put(key, at, 100 + 5 * at)
    assert table.values(111) == [1, 2]
    assert table.values(121) == []


def test_lists_what_was_not_put_for_long() -> None:
    table: AgedTable[str, int] = AgedTable(bound=9, age=10)
    for at, key in enumerate("abc"):
        table.put(key, at, 100 + at)
    table.put("a", 0, 103)
    assert table.older(102) == ["b"]
    assert table.older(104) == ["b", "c", "a"]
    assert table.older(0) == []
