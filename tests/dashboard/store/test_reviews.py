from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, false, true

from dashboard.store import reviews


@pytest.mark.req("R37")
def test_what_was_closed_unseen_is_listed_by_household(engine: Engine, seed: Any, clock: Any) -> None:
    for site in ("a", "b"):
        seed.site(site)
        seed.finding("closed", site=site, state="closed", severity="act_now" if site == "b" else "today")
        seed.finding("open", site=site)
    with engine.begin() as connection:
        found = reviews.unseen_by_site(connection, true())
        assert [(row[0], row[2], row[3]) for row in found] == [("b", 1, clock.at - 60), ("a", 1, clock.at - 60)]
        assert [item.finding_id for item in reviews.unseen(connection, "a")] == ["closed"]
        assert reviews.unseen_by_site(connection, false()) == ()


@pytest.mark.req("R28")
def test_items_of_a_day_are_counted_without_what_is_for_information(engine: Engine, seed: Any, clock: Any) -> None:
    seed.site()
    seed.finding("now")
    seed.finding("before", raised_at=clock.at - 100_000)
    seed.finding("informs", severity="information")
    with engine.begin() as connection:
        assert reviews.raised_since(connection, true(), clock.at - 86400) == 1


def test_earlier_ones_of_the_same_device_come_first(engine: Engine, seed: Any, clock: Any) -> None:
    seed.site()
    seed.finding("it")
    seed.finding("other-device", device_id="dev-2", raised_at=clock.at - 1)
    seed.finding("same-device", raised_at=clock.at - 900)
    seed.finding("other-kind", kind="tunnel")
    with engine.begin() as connection:
        found = reviews.earlier(connection, "site-1", kind="unregistered-device", device_id="dev-1", without="it")
    assert [row[0] for row in found] == ["same-device", "other-device"]
    assert found[0][2:] == (None, None)


def test_nothing_was_said(engine: Engine, seed: Any) -> None:
    seed.site()
    seed.finding()
    with engine.begin() as connection:
        assert reviews.review_of(connection, "site-1", "find-1") is None
        assert reviews.history_of(connection, "site-1", "find-1") == ()
        assert reviews.place_of(connection, "a" * 32) is None
