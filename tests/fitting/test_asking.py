from __future__ import annotations

import random

import pytest

from appliance.fitting.asking import CLAIM_SECONDS, FIRST, MOST, REFUSED_MOST, Asking, of_status
from appliance.fitting.uplink import Desk


def asking_of(seed: int) -> Asking:
    return Asking(random.Random(seed))  # noqa: S311 - the same every time


def gaps(desk: Desk, times: int, seed: int = 1) -> list[float]:
    """Seconds between one question and the next, where each is answered so."""
    asking, now, found = asking_of(seed), 0.0, []
    assert asking.due(now)
    for _ in range(times):
        asking.said(desk, now)
        before = now
        while not asking.due(now):
            now += 0.1
        found.append(now - before)
    return found


def test_the_next_question_waits_for_the_answer() -> None:
    asking = asking_of(1)
    assert asking.due(0)
    assert not asking.due(1000)
    asking.said(Desk.WAITING, 1000)
    assert not asking.due(1000 + CLAIM_SECONDS / 2 - 0.1)
    assert asking.due(1000 + CLAIM_SECONDS)


@pytest.mark.req("R2")
def test_a_box_that_waits_to_be_claimed_asks_every_few_seconds() -> None:
    assert all(CLAIM_SECONDS / 2 <= gap <= CLAIM_SECONDS + 0.2 for gap in gaps(Desk.WAITING, 50))


def test_who_is_not_reached_is_asked_ever_more_seldom() -> None:
    found = gaps(Desk.UNREACHABLE, 12)
    assert found[0] <= FIRST + 0.2
    assert all(gap <= MOST + 0.2 for gap in found)
    assert sum(found[-3:]) > 3 * MOST / 2
    assert sum(gaps(Desk.REFUSED, 12)[-3:]) > 3 * REFUSED_MOST / 2


def test_a_fleet_spreads_out() -> None:
    assert len({round(gaps(Desk.UNREACHABLE, 1, seed)[0], 1) for seed in range(40)}) > 10


def test_a_change_makes_it_ask_at_once() -> None:
    asking = asking_of(1)
    asking.due(0)
    asking.said(Desk.REFUSED, 0)
    asking.soon(2.0)
    assert not asking.due(2.5)
    assert asking.due(3.0)


@pytest.mark.parametrize(
    ("status", "desk"),
    [
        (200, Desk.ANSWERED),
        (202, Desk.WAITING),
        (403, Desk.REFUSED),
        (429, Desk.BUSY),
        (503, Desk.BUSY),
        (500, Desk.BAD_ANSWER),
        (404, Desk.BAD_ANSWER),
    ],
)
def test_a_status_means(status: int, desk: Desk) -> None:
    assert of_status(status) is desk
