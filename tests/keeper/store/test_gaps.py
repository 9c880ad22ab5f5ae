"""When the box could not see: written down, closed once, bounded, and told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.keeper.store.database import Store
from appliance.keeper.store.gaps import MAX_GAPS, TOLD
from wire.box import Gap, GapCause


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "keeper.db")
    yield made
    made.close()


def told(store: Store) -> list[tuple[float, float | None, GapCause]]:
    return [(gap.started.timestamp(), gap.ended and gap.ended.timestamp(), gap.cause) for gap in store.gaps.latest()]


def test_the_first_start_of_a_box_is_no_gap(store: Store) -> None:
    store.gaps.keeper_started(0)
    store.gaps.sensor_listens(100.0, 101.0)
    assert store.gaps.latest() == ()


@pytest.mark.req("N4")
def test_a_sensor_that_goes_and_comes_back_leaves_its_gap(store: Store) -> None:
    store.gaps.sensor_listens(100.0, 100.0)
    store.gaps.sensor_gone(200.0)
    assert told(store) == [(200.0, None, GapCause.SENSOR_AWAY)]
    store.gaps.sensor_listens(203.5, 204.0)
    assert told(store) == [(200.0, 203.5, GapCause.SENSOR_AWAY)]


def test_a_sensor_that_only_lost_the_keeper_ends_the_gap_when_it_is_heard(store: Store) -> None:
    store.gaps.sensor_listens(100.0, 100.0)
    store.gaps.keeper_started(150.0)
    store.gaps.sensor_gone(160.0)
    store.gaps.sensor_listens(100.0, 170.0)
    assert told(store) == [(150.0, 170.0, GapCause.KEEPER_AWAY)], "one gap at a time, the first cause stays"


def test_taps_taken_anew_are_marked(store: Store) -> None:
    store.gaps.sensor_listens(100.0, 100.0)
    store.gaps.sensor_listens(100.0, 130.0)
    store.gaps.sensor_listens(140.0, 140.2)
    assert told(store) == [(140.0, 140.0, GapCause.TAPS_ANEW)]


def test_a_clock_that_was_set_back_makes_no_gap_end_before_it_began(store: Store) -> None:
    store.gaps.sensor_gone(200.0)
    store.gaps.sensor_listens(50.0, 60.0)
    assert told(store) == [(200.0, 200.0, GapCause.SENSOR_AWAY)]


def test_gaps_are_bounded_and_the_latest_are_told(store: Store) -> None:
    for number in range(1, MAX_GAPS + 20):
        store.gaps.sensor_gone(float(number * 10))
        store.gaps.sensor_listens(number * 10 + 1.0, number * 10 + 2.0)
    assert store.gaps._db.execute("select count(*) from gap").fetchone()[0] == MAX_GAPS
    latest = store.gaps.latest()
    assert len(latest) == TOLD
    assert all(isinstance(gap, Gap) for gap in latest)
    assert latest[0].started > latest[-1].started
