"""*Timeline*: stays, findings and gaps together, as a drawing and as a table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.pages import timeline
from dashboard.store import schema

AT = "/households/site-1/timeline"
DAY = 86400.0


@pytest.fixture(autouse=True)
def household(seed: Any, clock: Any) -> None:
    seed.site()
    seed.device("dev-1", standing="registered", label="grey laptop")
    seed.device("dev-2", label="other half", merged_into="dev-1")
    seed.device("dev-3", label="a visitor's phone", standing="guest")
    seed.stay("s-1", started=clock.at - 7200, ended=clock.at - 3600, asleep_seconds=600)
    seed.stay("s-2", device_id="dev-2", started=clock.at - 3000)
    seed.stay("s-3", device_id="dev-3", started=clock.at - 3 * DAY, ended=clock.at - 3 * DAY + 60)


@pytest.mark.req("R13", "R20")
def test_stays_and_findings_are_drawn_and_told_together(officer: FlaskClient, seed: Any) -> None:
    seed.finding(severity="act_now")
    seed.finding("find-2", device_id=None, kind="sensor-lost")
    html = officer.get(AT).text
    lanes = re.findall(r'class="gh-lane__name">(?:<a[^>]*>)?<bdi>([^<]*)', html)
    assert lanes == ["grey laptop", "The box itself, or the home&#39;s network"]
    first = html[html.index('class="gh-lane"') :]
    first = first[: first.index("</svg>")]
    assert first.count("gh-bar--there") == 2
    assert "gh-bar--act-now" in first
    table = html[html.index("<table") : html.index("</table>")]
    assert table.count("<tr") == 1 + 2 + 2
    assert "1 hour, of that 10 minutes quiet" in table
    assert 'href="/households/site-1/findings/find-1"' in table
    assert "an empty lane does not show that a device was not used" in html


@pytest.mark.req("N4")
def test_gaps_are_gaps_and_what_has_not_come_is_not_drawn_as_absence(
    officer: FlaskClient, seed: Any, clock: Any
) -> None:
    row = {"site": "site-1", "cause": "keeper-away", "started": clock.at - 10_000, "ended": clock.at - 9_000}
    seed._insert(schema.gap, row)
    html = officer.get(AT).text
    assert "Could not see: The box was switched off" in html
    drawn = html[html.index('class="gh-lane"') :]
    assert "gh-bar--gap" in drawn
    assert "gh-bar--unknown" in drawn


@pytest.mark.req("N4")
def test_nothing_is_drawn_of_a_time_that_a_silent_box_has_not_told_of(
    officer: FlaskClient, seed: Any, clock: Any
) -> None:
    seed.site("site-2", heard_at=clock.at - 6 * 3600)
    seed.device("dev-1", site="site-2", standing="registered", label="grey laptop")
    seed.stay("s-9", site="site-2", started=clock.at - 8 * 3600)
    told = {"source": "s", "id": "e-1", "site": "site-2", "type": "gatehouse.device.v1", "digest": "0", "payload": {}}
    seed._insert(schema.event, told | {"received_at": clock.at - 10 * 3600})
    html = officer.get("/households/site-2/timeline").text
    lane = html[html.index('class="gh-lane"') :]
    lane = lane[: lane.index("</svg>")]
    there = re.search(r'gh-bar--there" x="([0-9.]+)" y="7" width="([0-9.]+)"', lane)
    assert there is not None
    assert float(there[2]) == pytest.approx(2 / 24 * 1000, abs=1)
    unknown = re.findall(r'gh-bar--unknown" x="([0-9.]+)" y="0" width="([0-9.]+)"', lane)
    assert float(unknown[1][0]) == pytest.approx(float(there[1]) + float(there[2]), abs=1)
    assert float(unknown[0][0]) == 0, "and nothing is known of what was before it"


def test_day_and_week_are_chosen_in_the_address(officer: FlaskClient) -> None:
    week = officer.get(f"{AT}?span=week").text
    assert "8 January 2026 to 14 January 2026" in week
    assert "a visitor&#39;s phone" in week
    assert "span=week&amp;from=2026-01-01" in week
    earlier = officer.get(f"{AT}?span=day&from=2026-01-11").text
    assert "a visitor&#39;s phone" in earlier
    assert "grey laptop" not in earlier
    assert "from=2026-01-12" in earlier
    for wrong in ("from=nonsense", "from=2199-01-01", "span=year"):
        assert "14 January 2026</h2>" in officer.get(f"{AT}?{wrong}").text, wrong


@pytest.mark.req("R41")
def test_lanes_and_lines_are_bounded_and_counted(officer: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST_LANES", 1)
    monkeypatch.setattr(timeline, "MOST_ROWS", 2)
    html = officer.get(f"{AT}?span=week").text
    assert "1 more devices are not drawn." in html
    assert "1 more lines are not shown." in html


def test_text_from_the_network_does_no_harm_in_a_drawing(officer: FlaskClient, seed: Any) -> None:
    seed.rename_device("dev-1", "<script>\u202e\x00")
    html = officer.get(AT).text
    assert "<script>\u202e" not in html
    assert "&lt;script&gt;[U+202E][U+0000]" in html
