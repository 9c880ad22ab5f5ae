from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.ledger.coverage import LONGEST_TURN, MAX_CHANGES, Coverage, Standing
from appliance.keeper.store.database import Store
from appliance.messages import TapReport
from wire.box import Gap, GapCause
from wire.ledger import RecordKind, Stamp

STANDING = Standing(
    listening=True,
    recording=True,
    server=True,
    clock="authenticated",
    software="1.0",
    authority="authority-1 1",
    lists={"gambling": "v1"},
    processes=frozenset({"sensor"}),
)


def bodies(store: Store, kind: RecordKind = RecordKind.COVERAGE) -> list[dict[str, Any]]:
    ledger = store.ledger
    rows = [row for row in ledger.log.rows(0, ledger.size - 1) if row.kind is kind]
    return [json.loads(found[1]) for row in rows if (found := ledger.body(row)) is not None]


@pytest.fixture
def coverage(store: Store, make_stamp: Callable[..., Stamp]) -> Coverage:
    store.ledger.begin(make_stamp(0))
    return Coverage(store.ledger)


@pytest.mark.req("N4")
def test_the_hour_says_how_much_of_it_was_seen(
    store: Store, coverage: Coverage, make_stamp: Callable[..., Stamp]
) -> None:
    with store.transaction():
        for second in range(1801):
            coverage.tick(STANDING, float(second))
        for second in range(1801, 2701):
            coverage.tick(replace(STANDING, listening=False), float(second))
        coverage.tick(STANDING, 2701 + LONGEST_TURN * 5)  # the keeper did not run
        store.ledger.begin(make_stamp(3600))
        coverage.close()
    hour = bodies(store)[-1]
    assert (hour["event"], hour["from_ms"], hour["until_ms"]) == ("hour", 1_900_000_800_000, 1_900_004_400_000)
    assert (hour["ran_s"], hour["listened_s"], hour["recorded_s"], hour["server_s"]) == (2700, 1801, 1801, 2700)
    assert hour["lists"] == {"gambling": "v1"}


@pytest.mark.req("N4")
def test_an_hour_in_which_nothing_happened_is_recorded_too(store: Store, coverage: Coverage) -> None:
    with store.transaction():
        coverage.tick(STANDING, 0.0)
        coverage.close()
        coverage.close()
    assert [body["event"] for body in bodies(store)] == ["began", "hour", "hour"]


@pytest.mark.req("N4")
def test_each_change_is_recorded_when_it_happens(store: Store, coverage: Coverage) -> None:
    changes = [
        replace(STANDING, server=False),
        replace(STANDING, server=False, authority=None, recording=False),
        replace(STANDING, lists={"gambling": "v2"}),
    ]
    with store.transaction():
        for second, standing in enumerate([STANDING, *changes]):
            coverage.tick(standing, float(second))
    told = [(body["what"], body["before"], body["now"]) for body in bodies(store) if body["event"] == "changed"]
    assert told == [
        ("server", True, False),
        ("recording", True, False),
        ("authority", "authority-1 1", ""),
        ("recording", False, True),
        ("server", False, True),
        ("authority", "", "authority-1 1"),
        ("lists", {"gambling": "v1"}, {"gambling": "v2"}),
    ]


@pytest.mark.req("N4")
@pytest.mark.req("R69")
def test_changes_without_end_are_counted(store: Store, coverage: Coverage) -> None:
    with store.transaction():
        coverage.tick(STANDING, 0.0)
        for second in range(1, 401):
            coverage.tick(replace(STANDING, server=second % 2 == 0), float(second))
        assert store.ledger.size == MAX_CHANGES
        coverage.close()
    assert bodies(store)[-1]["changes_untold"] == 401 - MAX_CHANGES


@pytest.mark.req("N4")
def test_what_was_lost_is_told_by_the_hour_also_when_a_tap_is_opened_anew(store: Store, coverage: Coverage) -> None:
    def report(messages: int, lost: int) -> TapReport:
        return TapReport(ts=1.0, tap="flows", messages=messages, octets=0, lost=lost, unparsed=0, overflow=1)

    with store.transaction():
        coverage.tick(STANDING, 0.0)
        for item in (report(10, 2), report(30, 2), report(5, 1)):
            coverage.reports([item], overflow=7)
        coverage.close()
        coverage.reports([report(6, 1)], overflow=9)
        coverage.close()
    first, second = (body for body in bodies(store) if body["event"] == "hour")
    assert first["taps"] == {"flows": {"messages": 35, "lost": 3, "unparsed": 0, "overflow": 2}}
    assert second["taps"] == {"flows": {"messages": 1, "lost": 0, "unparsed": 0, "overflow": 0}}
    assert (first["overflow"], second["overflow"]) == (7, 2)


@pytest.mark.req("N4")
@pytest.mark.req("R69")
def test_gaps_are_signed_when_they_begin_and_when_they_end(store: Store, coverage: Coverage) -> None:
    def gap(started: float, ended: float | None) -> Gap:
        moments = [None if at is None else datetime.fromtimestamp(at, UTC) for at in (started, ended)]
        assert moments[0] is not None
        return Gap(started=moments[0], ended=moments[1], cause=GapCause.SENSOR_AWAY)

    with store.transaction():
        coverage.gaps([gap(50, 60)])  # known from before the start
        coverage.gaps([gap(100, None), gap(50, 60)])
        coverage.gaps([gap(100, None), gap(50, 60)])
        coverage.gaps([gap(100, 130), gap(50, 60)])
    assert bodies(store, RecordKind.GAP) == [
        {"cause": "sensor-away", "from_ms": 100_000},
        {"cause": "sensor-away", "from_ms": 100_000, "until_ms": 130_000},
    ]


@pytest.mark.req("R69")
def test_records_that_found_no_room_are_told(store: Store, coverage: Coverage) -> None:
    with store.transaction():
        coverage.tick(STANDING, 0.0)
        store.ledger.refused = 12
        coverage.close()
    assert bodies(store)[-1]["refused_by_ledger"] == 12
    assert store.ledger.refused == 0
