from __future__ import annotations

from dashboard.pages.desk import MOST_VIEWS, VIEW_SECONDS, Views


def test_a_look_is_new_once_for_a_while() -> None:
    views = Views()
    key = ("session", "view-today", "")
    assert views.is_new(key, 100.0)
    assert not views.is_new(key, 100.0 + VIEW_SECONDS - 1)
    assert views.is_new(key, 100.0 + VIEW_SECONDS)
    assert views.is_new(("other", "view-today", ""), 101.0)


def test_a_clock_set_back_makes_it_new() -> None:
    views = Views()
    assert views.is_new(("s", "a", ""), 1000.0)
    assert views.is_new(("s", "a", ""), 10.0)


def test_the_memory_is_bounded_and_what_went_over_is_counted() -> None:
    views = Views()
    for number in range(MOST_VIEWS + 5):
        assert views.is_new(("s", "view-household", str(number)), 1.0)
    assert len(views.seen) == MOST_VIEWS
    assert views.overflow == 5
    assert views.is_new(("s", "view-household", "0"), 2.0), "pushed out: one line of audit more, never one less"
