from __future__ import annotations

import pytest

from appliance.keeper.lists.entries import Entry, Reach, joined


@pytest.mark.parametrize(
    ("reach", "itself", "below"),
    [
        (Reach.EXACT, True, False),
        (Reach.SUBTREE, True, True),
        (Reach.BELOW, False, True),
        (Reach.EXCEPTION, True, True),
    ],
)
def test_what_a_reach_speaks_of(reach: Reach, itself: bool, below: bool) -> None:
    assert (reach.covers(itself=True), reach.covers(itself=False)) == (itself, below)


@pytest.mark.parametrize("one", Reach)
@pytest.mark.parametrize("other", Reach)
def test_a_name_that_is_there_twice(one: Reach, other: Reach) -> None:
    both = joined(one, other)
    assert both is joined(other, one)
    assert (both is Reach.EXCEPTION) == (Reach.EXCEPTION in (one, other))
    for itself in (True, False):
        assert both.covers(itself=itself) == (one.covers(itself=itself) or other.covers(itself=itself))


def test_as_people_write_it() -> None:
    assert Entry(name="a.example", reach=Reach.BELOW).written == "*.a.example"
    assert Entry(name="a.example", reach=Reach.SUBTREE).written == "a.example"
