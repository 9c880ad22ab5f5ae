"""*Activity*: only where the order allows it, against the device's own baseline, and without a name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from dashboard.pages.activity import inside
from dashboard.store import schema, timeline

AT = "/households/site-1/activity"
DAY = 86400.0
HOUR = 3600.0
pytestmark = pytest.mark.req("S4")


@pytest.fixture(autouse=True)
def household(seed: Any, clock: Any) -> None:
    seed.site()
    seed.device("dev-1", standing="registered", label="grey laptop", first_seen=clock.at - 80 * DAY)
    seed.device("dev-2", standing="household", label="kitchen tablet", first_seen=clock.at - 80 * DAY)
    row = {"source": "s", "id": "e-0", "site": "site-1", "type": "gatehouse.device.v1", "digest": "0", "payload": {}}
    seed._insert(schema.event, row | {"received_at": clock.at - 90 * DAY})


def _stays(seed: Any, clock: Any, *, recent: float, before: float, device: str = "dev-1") -> None:
    """Each day at noon so many hours, in the last four weeks and in the four before."""
    noon = datetime.fromtimestamp(clock.at, UTC).replace(hour=12, minute=0, second=0).timestamp()
    for back in range(1, 55):
        hours = recent if back < 28 else before
        started = noon - back * DAY
        seed.stay(f"{device}-{back}", device_id=device, started=started, ended=started + hours * HOUR)


def test_without_a_clause_on_volumes_there_is_no_pattern(
    officer: FlaskClient, seed: Any, clock: Any, put_in_force: Callable[..., None]
) -> None:
    _stays(seed, clock, recent=3, before=3)
    assert "No order that was put in force from here allows" in officer.get(AT).text
    put_in_force(
        clauses=[{"number": "1", "kind": "collect", "standings": ["registered"], "classes": ["presence", "list_hits"]}]
    )
    html = officer.get(AT).text
    assert "The order in force does not allow a pattern of use" in html
    assert "grey laptop" not in html


def test_a_clause_that_is_over_allows_nothing(
    officer: FlaskClient, seed: Any, clock: Any, put_in_force: Callable[..., None]
) -> None:
    _stays(seed, clock, recent=3, before=3)
    put_in_force(ends=-DAY)
    assert "grey laptop" not in officer.get(AT).text


@pytest.mark.parametrize(
    "use", [(9.0, 3.0, "More than before"), (1.0, 4.0, "Less than before"), (3.0, 3.2, "About the same as before")]
)
def test_use_is_told_against_the_devices_own_baseline(
    officer: FlaskClient, seed: Any, clock: Any, put_in_force: Callable[..., None], use: tuple[float, float, str]
) -> None:
    recent, before, said = use
    _stays(seed, clock, recent=recent, before=before)
    _stays(seed, clock, recent=20, before=1, device="dev-2")
    put_in_force()
    html = officer.get(AT).text
    assert "Clause 2 of REF-7 allows it." in html
    assert said in html
    assert "kitchen tablet" not in html
    assert html.count('<th scope="row"') == 8
    assert ("long stays, the longest 9 hours" in html) is (recent == 9.0)


def test_nights_and_the_share_that_was_named_are_told_and_no_name(
    officer: FlaskClient, seed: Any, clock: Any, put_in_force: Callable[..., None]
) -> None:
    midnight = datetime.fromtimestamp(clock.at, UTC).replace(hour=0, minute=0, second=0).timestamp()
    seed.stay("s-1", started=midnight - HOUR, ended=midnight + 2 * HOUR)
    said = {"day": datetime.fromtimestamp(midnight - DAY, UTC).isoformat(), "connections": 200, "named": 0.75}
    row = {"source": "s", "site": "site-1", "type": "gatehouse.device.v1", "digest": "0", "received_at": clock.at - 60}
    seed._insert(schema.event, row | {"id": "e-1", "payload": {"device_id": "dev-1", "visibility": said}})
    seed._insert(schema.event, row | {"id": "e-2", "payload": {"device_id": "dev-1", "visibility": {"odd": 1}}})
    put_in_force()
    html = officer.get(AT).text
    assert "3 hours" in html
    assert "2 hours" in html
    assert "75%" in html
    assert "It holds no name of anything that was looked up" in html


def test_a_device_known_for_a_short_time_has_no_baseline(
    officer: FlaskClient, seed: Any, clock: Any, put_in_force: Callable[..., None]
) -> None:
    seed.device("dev-3", standing="registered", label="new phone", first_seen=clock.at - 5 * DAY)
    put_in_force()
    html = officer.get(AT).text
    assert "There is no baseline yet" in html


@pytest.mark.req("R20", "R16")
def test_reported_trends_are_listed_and_what_is_not_covered(officer: FlaskClient, seed: Any) -> None:
    seed.finding(kind="trend", severity="information")
    html = officer.get(AT).text
    assert 'href="/households/site-1/findings/find-1"' in html
    assert "Use on mobile data" in html
    assert "no proof of anything" in html


def test_seconds_inside_a_time() -> None:
    assert inside([(0, 10), (20, 30)], 5, 25) == 10
    assert inside([], 0, 1) == 0


def test_weeks_in_which_the_box_could_not_see_are_not_compared(
    officer: FlaskClient, seed: Any, clock: Any, put_in_force: Callable[..., None]
) -> None:
    _stays(seed, clock, recent=1, before=9)
    gap = {"site": "site-1", "started": clock.at - 20 * DAY, "ended": clock.at - 10 * DAY, "cause": "keeper-away"}
    seed._insert(schema.gap, gap)
    put_in_force()
    html = officer.get(AT).text
    assert "These weeks cannot be compared" in html
    assert "Less than before" not in html


def test_stays_too_many_to_read_are_not_taken_for_less_use(
    officer: FlaskClient, seed: Any, clock: Any, put_in_force: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    _stays(seed, clock, recent=3, before=3)
    put_in_force()
    monkeypatch.setattr(timeline, "MOST_STAYS", 20)
    html = officer.get(AT).text
    assert "There is no baseline yet" in html
    assert html.count('<th scope="row"') == 2


def test_a_device_is_not_counted_as_there_while_the_box_is_silent(
    officer: FlaskClient, seed: Any, clock: Any, put_in_force: Callable[..., None], engine: Engine
) -> None:
    _stays(seed, clock, recent=1, before=1)
    with engine.begin() as connection:
        connection.execute(update(schema.site).values(heard_at=clock.at - 10 * DAY))
    seed.stay("s-open", started=clock.at - 10 * DAY - HOUR)
    put_in_force()
    html = officer.get(AT).text
    assert "240 hours" not in html
    assert "long stays" not in html
    assert "These weeks cannot be compared" in html
    assert ">0%<" in html.replace("</span>", ">"), "what the box saw of the last week is not known"
