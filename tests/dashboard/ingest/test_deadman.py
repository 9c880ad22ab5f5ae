"""Silence of a box is said in time, never for a fault of ours, and never as more than silence."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import Engine, update

from dashboard.ingest import deadman
from dashboard.ingest.deadman import is_silent, listens_since, watch
from dashboard.store import schema

pytestmark = pytest.mark.req("N15")
START = 1_900_000_000.0


def _round(engine: Engine, now: float, *, online: bool = True) -> int:
    with engine.begin() as connection:
        since = listens_since(connection, tenant="northmoor", now=now, online=online)
        return 0 if since is None else watch(connection, tenant="northmoor", since=since, now=now)


def _heard(engine: Engine, at: float, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(update(schema.site).values(heard_at=at, **values))


@pytest.fixture
def home(seed: Any) -> Any:
    seed.site(heard_at=START)
    return seed


def _states(seed: Any) -> list[str]:
    return [row["state"] for row in seed.rows(schema.finding)]


def test_silence_is_said_within_three_minutes_and_closed_when_the_box_is_heard(engine: Engine, home: Any) -> None:
    for second in range(-300, 145, 5):
        _heard(engine, START + min(second, 0))
        assert _round(engine, START + second) == 0, second
    raised = [second for second in range(145, 181, 5) if _round(engine, START + second)]
    assert raised == [150], "once, and in time"
    (row,) = home.rows(schema.finding)
    assert (row["kind"], row["first_seen"]) == ("box-silent", START)
    said = " ".join(row["payload"]["reasons"]).lower()
    assert not {"tamper", "cut", "removed", "switched"} & set(said.split())
    _heard(engine, START + 200)
    _round(engine, START + 205)
    assert _states(home) == ["closed"]


def test_a_revoked_box_is_not_called_silent(engine: Engine, home: Any) -> None:
    _heard(engine, START, revoked_at=START)
    for second in range(0, 400, 5):
        assert _round(engine, START + second) == 0
    assert _states(home) == []


@pytest.mark.usefixtures("home")
def test_who_was_away_accuses_nobody(engine: Engine) -> None:
    _round(engine, START - 1000)
    assert _round(engine, START + 5000) == 0, "ingest was away: it begins to count now"
    for second in range(5, 150, 5):
        assert _round(engine, START + 5000 + second) == 0
    assert _round(engine, START + 5150) == 1


@pytest.mark.usefixtures("home")
def test_without_the_broker_nobody_is_accused(engine: Engine) -> None:
    for second in range(-100, 900, 5):
        assert _round(engine, START + second, online=second < 0) == 0


@pytest.mark.usefixtures("home")
def test_a_clock_that_is_set_accuses_nobody(engine: Engine) -> None:
    _round(engine, START)
    assert _round(engine, START + 86400) == 0
    assert _round(engine, START - 86400) == 0


@pytest.mark.usefixtures("home")
def test_a_box_that_was_never_heard_of_is_not_silent(engine: Engine) -> None:
    _heard(engine, None)  # type: ignore[arg-type]
    for second in range(0, 900, 5):
        assert _round(engine, START + second) == 0


@pytest.mark.usefixtures("home")
def test_the_brokers_word_only_shortens_the_wait(engine: Engine) -> None:
    for second in range(-300, 0, 5):
        _round(engine, START + second)
    _heard(engine, START, status={"online": False, "at": "2026-01-01T00:00:00Z"})
    raised = [second for second in range(0, 181, 5) if _round(engine, START + second)]
    assert raised == [75]


def test_a_round_is_bounded_and_the_next_one_goes_on(
    engine: Engine, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2, 7):
        home.site(f"site-{number}", heard_at=START)
    monkeypatch.setattr(deadman, "AT_ONCE", 4)
    for second in range(-200, 150, 10):
        _round(engine, START + second)
    assert [_round(engine, START + 150), _round(engine, START + 155)] == [4, 2]


def test_any_order_of_hearing_and_looking_keeps_the_promise() -> None:
    chance = random.Random(20260114)  # noqa: S311 - cases of a test are no secret
    for _ in range(2000):
        since = chance.uniform(0, 1000)
        heard = chance.uniform(0, 2000)
        now = max(since, heard) + chance.uniform(0, 400)
        gone = chance.random() < 0.5
        silent = is_silent(heard_at=heard, gone=gone, since=since, now=now)
        quiet = now - max(heard, since)
        assert silent == (quiet >= (75 if gone else 150))
