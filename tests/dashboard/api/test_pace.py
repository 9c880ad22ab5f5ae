from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from dashboard.api import pace
from dashboard.api.install import EXTENSION
from dashboard.api.pace import Pace


def test_a_bucket_empties_fills_and_never_fills_backwards() -> None:
    found = Pace(burst=3, rate=1)
    assert [found.wait("a", 0.0) for _ in range(4)] == [0, 0, 0, 1]
    assert found.wait("b", 0.0) == 0, "each token has its own"
    assert found.wait("a", 0.5) == 0.5
    assert found.wait("a", 1.0) == 0
    assert found.wait("a", -100.0) > 0
    assert [found.wait("a", 1000.0) for _ in range(4)] == [0, 0, 0, 1]


def test_there_are_so_many_buckets_and_those_pushed_out_early_are_counted(monkeypatch: Any) -> None:
    monkeypatch.setattr(pace, "MOST_BUCKETS", 2)
    found = Pace(burst=3, rate=1)
    for name in "abc":
        found.wait(name, 0.0)
    assert (len(found.buckets), found.overflow) == (2, 1)
    found.wait("d", 1000.0)
    assert found.overflow == 1, "that one was full again"


def test_a_token_is_slowed_down_and_let_go_on(app: Flask, program: FlaskClient, clock: Any) -> None:
    app.extensions[EXTENSION].pace.burst = 2
    answers = [program.get("/api/v1/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "1"
    assert answers[2].get_json()["status"] == 429
    clock.at += 1
    assert program.get("/api/v1/me").status_code == 200
