from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.table import AgedTable, FairTable


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


def test_who_fills_a_fair_table_pushes_out_its_own() -> None:
    table: FairTable[tuple[str, int], int] = FairTable(bound=100, age=60.0)
    for number in range(10):
        table.put(("quiet", number), number, 1000.0)
    for number in range(1000):
        table.put(("loud", number), number, 1000.0 + number / 100)
    assert len(table) == 100
    assert table.overflow == 910
    assert [table.get(("quiet", number), 1010.0) for number in range(10)] == list(range(10))
    for number in range(10, 45):
        table.put(("quiet", number), number, 1011.0)
    assert len(table) == 100
    assert [table.get(("quiet", number), 1011.0) for number in range(45)] == list(range(45)), "up to its share"


def test_many_owners_of_one_entry_each_push_out_no_other() -> None:
    table: FairTable[tuple[str, int], int] = FairTable(bound=100, age=60.0)
    for number in range(5):
        table.put(("quiet", number), number, 1000.0)
    for number in range(94):
        table.put((f"{number}", 1), number, 1000.0)
    assert len(table) == 99
    assert table.overflow == 0


def test_more_owners_than_entries_are_bounded_too() -> None:
    table: FairTable[tuple[str, int], int] = FairTable(bound=10, age=60.0)
    for number in range(50):
        table.put((f"{number}", 1), number, 1000.0)
    assert len(table) == len(table._of) == 10
    assert table.overflow == 40


def test_a_fair_table_forgets_owners_that_are_silent() -> None:
    table: FairTable[tuple[str, int], int] = FairTable(bound=10, age=60.0)
    for number in range(10):
        table.put((f"{number}", 1), number, 1000.0)
    for number in range(10):
        table.put(("new", number), number, 1100.0)
    assert len(table) == 10
    assert table.overflow == 0
    table.drop(("new", 3))
    table.drop(("new", 3))
    table.drop(("never", 3))
    assert len(table) == 9
    assert table.older(1101.0) == [("new", number) for number in range(10) if number != 3]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 9), st.floats(0, 300)), max_size=200))
def test_a_fair_table_holds_what_it_says(script: list[tuple[bool, int, int, float]]) -> None:
    table: FairTable[tuple[int, int], float] = FairTable(bound=12, age=60.0)
    for puts, owner, number, ts in script:
        if puts:
            table.put((owner, number), ts, ts)
            assert table.get((owner, number), ts) == ts
        else:
            table.drop((owner, number))
            assert table.get((owner, number), ts) is None
        assert len(table) == sum(len(each) for each in table._of.values()) <= 12
