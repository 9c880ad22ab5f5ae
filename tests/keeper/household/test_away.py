from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.store.away import MAX_AWAY
from wire.base import Standing
from wire.box import Arrangements
from wire.orders import EndAway, SetAway

LAPTOP = "00:00:5e:00:53:01"
DAY = 86_400.0


def order(start: float, end: float, device_id: str | None = None) -> SetAway:
    return SetAway(
        starts=datetime.fromtimestamp(start, UTC),
        ends=datetime.fromtimestamp(end, UTC),
        device_id=device_id,
        reason="Visiting family.",
    )


@pytest.mark.req("R15")
def test_an_away_time_is_told_back_with_who_and_why(bench: Any) -> None:
    device_id = bench.give(LAPTOP, Standing.REGISTERED)
    sent = bench.order(order(bench.wall, bench.wall + DAY, device_id)) + bench.wait(2)
    told = [item for item in bench.payloads(sent) if isinstance(item, Arrangements)]
    (away,) = told[-1].away
    assert (away.device_id, away.reason, away.by) == (device_id, "Visiting family.", "officer-1")
    bench.stop()
    bench.start(None)
    assert [item.away_id for item in bench.core._book.away.known] == [away.away_id]


@pytest.mark.req("R15")
def test_it_can_be_ended_before_and_while_it_holds(weeks: Any) -> None:
    with weeks.store.transaction():
        assert weeks.away.set(order(weeks.at + DAY, weeks.at + 2 * DAY), by="o", at=weeks.at) is None
        assert weeks.away.set(order(weeks.at - DAY, weeks.at + 2 * DAY), by="o", at=weeks.at) is None
        held, coming = weeks.away.known
        assert weeks.away.away("d-1", weeks.at)
        assert weeks.away.end(EndAway(away_id=held.away_id), at=weeks.at) is None
        assert weeks.away.end(EndAway(away_id=coming.away_id), at=weeks.at) is None
        assert [away.ends.timestamp() for away in weeks.away.known] == [weeks.at]
        assert not weeks.away.away("d-1", weeks.at)
        assert weeks.away.end(EndAway(away_id=held.away_id), at=weeks.at) == "The away time is over already."
        assert weeks.away.end(EndAway(away_id="a-none"), at=weeks.at) == "The box does not know this away time."


@pytest.mark.req("R15")
@pytest.mark.parametrize(
    ("start", "end", "device_id", "word"),
    [
        (DAY, DAY, None, "before it starts"),
        (-2 * DAY, -DAY, None, "over already"),
        (0, 93 * DAY, None, "three months"),
        (-8 * DAY, DAY, None, "a week ago"),
        (0, DAY, "d-none", "does not know this device"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    weeks: Any, start: float, end: float, device_id: str | None, word: str
) -> None:
    with weeks.store.transaction():
        refusal = weeks.away.set(order(weeks.at + start, weeks.at + end, device_id), by="o", at=weeks.at)
    assert refusal is not None
    assert word in refusal


def test_a_full_table_refuses_unless_one_is_over(weeks: Any) -> None:
    with weeks.store.transaction():
        for _ in range(MAX_AWAY):
            assert weeks.away.set(order(weeks.at, weeks.at + DAY), by="o", at=weeks.at) is None
        refusal = weeks.away.set(order(weeks.at, weeks.at + DAY), by="o", at=weeks.at)
        assert refusal == "There are too many away times. End one first."
        later = weeks.at + 2 * DAY
        assert weeks.away.set(order(later, later + DAY), by="o", at=later) is None
    assert len(weeks.away.known) == MAX_AWAY


@pytest.mark.req("R17")
def test_a_device_that_is_part_of_another_brings_its_away_time(weeks: Any) -> None:
    part = weeks.device("d-part", LAPTOP)
    weeks.device("d-whole", "00:00:5e:00:53:02")
    with weeks.store.transaction():
        assert weeks.away.set(order(weeks.at, weeks.at + DAY, "d-part"), by="o", at=weeks.at) is None
        weeks.record.keep(replace(part, addresses=(), merged_into="d-whole"))
    assert weeks.away.away("d-whole", weeks.at)


def test_what_is_long_over_is_forgotten_and_told(weeks: Any) -> None:
    with weeks.store.transaction():
        weeks.away.set(order(weeks.at, weeks.at + DAY), by="o", at=weeks.at)
        weeks.record.arranged = False
        weeks.away.tick(weeks.at + 100 * DAY)
        assert len(weeks.away.known) == 1
        weeks.away.tick(weeks.at + 200 * DAY)
    assert weeks.away.known == ()
    assert weeks.record.arranged
