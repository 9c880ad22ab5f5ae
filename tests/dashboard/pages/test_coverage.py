"""*Coverage*: shares, the strip, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.store import coverage, schema

AT = "/households/site-1/coverage"
DAY = 86400.0
pytestmark = pytest.mark.req("N4")


def _heard_first(seed: Any, at: float) -> None:
    row = {"source": "s", "id": "e-1", "site": "site-1", "type": "gatehouse.device.v1", "digest": "0", "payload": {}}
    seed._insert(schema.event, row | {"received_at": at})


def _gap(seed: Any, started: float, ended: float | None, cause: str = "keeper-away") -> None:
    seed._insert(schema.gap, {"site": "site-1", "started": started, "ended": ended, "cause": cause})


def test_the_share_of_time_that_it_could_see(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.site()
    _heard_first(seed, clock.at - 100 * DAY)
    _gap(seed, clock.at - 2 * DAY, clock.at - 1 * DAY)
    _gap(seed, clock.at - 20 * DAY, clock.at - 18 * DAY, "sensor-away")
    html = officer.get(AT).text
    assert "It could see for 85.7% of 7 days: 6 days" in html
    assert "It could see for 90% of 30 days: 27 days" in html
    assert html.count("gh-bar--gap") == 3
    assert "The part of the box that listens had stopped" in html
    assert "power cuts and restarts look the same" in html


def test_before_the_first_record_nothing_is_counted(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.site()
    assert officer.get(AT).text.count("Not known</dd>") == 2
    _heard_first(seed, clock.at - 2 * DAY)
    html = officer.get(AT).text
    assert html.count("It could see for 100% of 2 days") == 2
    assert "The box told of no such time." in html


def test_what_a_silent_box_saw_is_not_known(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.site(heard_at=clock.at - DAY)
    _heard_first(seed, clock.at - 4 * DAY)
    html = officer.get(AT).text
    assert "Nothing was heard of the box since 13 January 2026, 21:04" in html
    assert "100% of 3 days" in html


@pytest.mark.req("R20")
def test_it_says_what_takes_another_source(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    html = officer.get(AT).text
    for part in ("mobile data", "examination of the device", "Which person used a device: ask."):
        assert part in html, part


def test_a_cause_of_a_newer_box_is_shown_as_it_is(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.site()
    _gap(seed, clock.at - 60, None, "<new>")
    html = officer.get(AT).text
    assert "&lt;new&gt;" in html
    assert "Still" in html


def test_more_gaps_than_are_read_are_not_taken_for_time_that_it_saw(
    officer: FlaskClient, seed: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "MOST_READ", 2)
    seed.site()
    _heard_first(seed, clock.at - 100 * DAY)
    for days in (2, 4, 20):
        _gap(seed, clock.at - days * DAY, clock.at - (days - 1) * DAY)
    html = officer.get(AT).text
    assert html.count("It could see for 50% of 4 days: 2 days") == 2
    assert 'class="gh-bar--unknown"' in html
