from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.household.past import MAX_WATCHED, STEP_SECONDS
from wire.authority import CollectClause, DataClass, RegisterClause
from wire.base import Standing
from wire.models import Device

LAPTOP, PHONE = "00:00:5e:00:53:01", "00:00:5e:00:53:02"
CLAUSES = (
    CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,)),
    RegisterClause(number="2"),
    CollectClause(number="7", standings=(Standing.REGISTERED,), classes=(DataClass.SIGNS,)),
)


def activity(bench: Any, mac: str = LAPTOP, *, generation: int | None = None, **counts: Any) -> m.ActivitySeen:
    fields: dict[str, Any] = {
        "flows": 10,
        "unnamed": 2,
        "octets": 4000,
        "unnamed_octets": 1000,
        "classes": {"push": 3, "time": 1},
        "others": 7,
    }
    return m.ActivitySeen(
        ts=bench.wall,
        since=bench.wall - 300,
        mac=mac,
        generation=bench.generation if generation is None else generation,
        **(fields | counts),
    )


@pytest.fixture
def watched(make_bench: Any, signed: Any) -> Any:
    bench = make_bench(signed(clauses=CLAUSES))
    bench.online(credit=10**9)
    bench.give(LAPTOP, Standing.REGISTERED)
    bench.sight(PHONE)
    return bench


@pytest.mark.req("R55", "R61")
def test_activity_reaches_the_table_only_with_leave(watched: Any) -> None:
    watched.hear(Peer.SENSOR, activity(watched), activity(watched), activity(watched, PHONE))
    watched.hear(Peer.SENSOR, activity(watched, generation=0), activity(watched, "00:00:5e:00:53:77"))
    (hour,) = watched.store.activity.hours([LAPTOP, PHONE], first=0, last=10**6)
    assert (hour.flows, hour.unnamed, hour.others, hour.pushes, hour.chatter) == (20, 4, 14, 6, 8)
    assert hour.use == 18
    assert hour.octets == 0, "volumes need a leave of their own"
    assert watched.store.activity.addresses() == [LAPTOP]


@pytest.mark.req("N10")
def test_visibility_of_the_day_goes_with_the_device(watched: Any) -> None:
    watched.hear(Peer.SENSOR, activity(watched, flows=40, unnamed=10))
    watched.monotonic += 86_400 / 2
    watched.wall += 86_400 / 2
    sent = [watched.wait(2) for _ in range(4)]
    shown = [item for batch in sent for item in watched.payloads(batch) if isinstance(item, Device)]
    (visibility,) = {item.visibility for item in shown if item.visibility is not None}
    assert (visibility.connections, visibility.named, visibility.octets_named) == (40, 0.75, None)
    device = watched.device(LAPTOP)
    watched.stop()
    watched.start(None)
    assert watched.device(LAPTOP).visibility == device.visibility


@pytest.mark.req("N4")
def test_hours_count_where_the_box_looked_for_half_of_them(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    first = weeks.hour
    with weeks.store.transaction():
        weeks.active(LAPTOP)
        for seconds in (0.0, 600.0):
            weeks.past.watch(weeks.at + seconds, online=True)
        weeks.past.watch(weeks.at + 3000.0, online=True)  # a hole
        for seconds in range(3600, 3600 * 2, 300):
            weeks.past.watch(weeks.at + seconds, online=True)
        for seconds in range(3600 * 2, 3600 * 3, 300):
            weeks.past.watch(weeks.at + seconds, online=False)
        weeks.past.watch(weeks.at + 3600 * 3, online=True)
    device = weeks.record.registry.by_id("d-1")
    assert weeks.past.seen(device, first + 5) == [first + 1]
    assert STEP_SECONDS < 1800


def test_a_clock_that_goes_back_leaves_a_hole_not_a_fault(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    with weeks.store.transaction():
        weeks.active(LAPTOP)
        for seconds in (0.0, 500.0, -90_000.0, 600.0):
            weeks.past.watch(weeks.at + seconds, online=True)
    assert weeks.store.activity.watched(first=0, last=10**6, least=1.0) == [weeks.hour]


def test_counts_that_contradict_each_other_are_cut(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    with weeks.store.transaction():
        weeks.active(LAPTOP, flows=3, unnamed=9, octets=5, unnamed_octets=50)
    (hour,) = weeks.past.hours(weeks.record.registry.by_id("d-1"), first=0, last=10**6)
    assert (hour.unnamed, hour.unnamed_octets) == (3, 5)


def test_baselines_are_bounded(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    device = weeks.record.registry.by_id("d-1")
    from dataclasses import replace

    for number in range(MAX_WATCHED + 5):
        weeks.past.baseline(replace(device, device_id=f"d-{number}"), weeks.hour, {}, [])
    assert len(weeks.past._baselines) == MAX_WATCHED
    weeks.past.keep_only({"d-1"})
    assert list(weeks.past._baselines) == ["d-1"]
