from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from dashboard.pages import arranging
from dashboard.pages.desk import Desk, desk
from wire.box import Away, Quieted, Watch


@pytest.fixture
def rows(app: Flask) -> Iterator[arranging.Rows]:
    with app.app_context():
        at_desk: Desk = desk()
        yield arranging.Rows(at_desk=at_desk, known={}, people={"a-1": "officer-1"}, new_token=lambda: "0" * 32)


@pytest.mark.req("R30")
def test_a_quiet_rule_is_over_when_its_time_is(rows: arranging.Rows) -> None:
    now = datetime.fromtimestamp(rows.at_desk.now(), UTC)
    item = Quieted(quiet_id="q-1", rule="tunnel", reason="Known", by="a-1", at=now, until=now, count=1)
    row = rows.quieted(item)
    assert row.past
    assert (row.over, row.count, row.by, row.detail) == (True, "1 finding kept quiet", "officer-1", "The whole home")
    row = rows.quieted(item.model_copy(update={"until": None, "device_id": "dev-1"}))
    assert (row.over, row.ends, row.detail) == (False, None, "Nothing known yet of device dev-1")


@pytest.mark.req("R15")
def test_an_away_time_ends_on_its_last_day(rows: arranging.Rows) -> None:
    # British summer time: a day begins an hour before midnight UTC.
    starts, ends = datetime(2026, 6, 1, 23, tzinfo=UTC), datetime(2026, 6, 3, 23, tzinfo=UTC)
    row = rows.away(Away(away_id="a-1", starts=starts, ends=ends, reason="Holiday", by="gone"))
    assert (row.text, row.by, row.over) == ("Away from 2 June 2026 to 3 June 2026", "account gone", True)
    assert not row.past, "it has not come yet"


@pytest.mark.req("R35")
def test_an_entry_says_how_soon_to_look(rows: arranging.Rows) -> None:
    now = datetime.fromtimestamp(rows.at_desk.now(), UTC)
    item = Watch(
        watch_id="w-1",
        name="a.example",
        below=False,
        reason="Agreed",
        by="a-1",
        at=now,
        expires=now + timedelta(days=1),
    )
    row = rows.watch(item)
    assert (row.text, row.detail, row.over) == ("Reported: a[.]example", "Today", False)


def test_the_forms_begin_with_the_usual(rows: arranging.Rows) -> None:
    assert rows.new_token() == "0" * 32
    away = arranging.away_form("/to", (), None, ())
    assert [(choice.text, choice.checked) for choice in away.devices] == [("Everybody in the home", True)]
    watch = arranging.watch_form("/to", None, ())
    assert (watch.below, watch.days) == (True, "90")
    assert [choice.value for choice in watch.severities if choice.checked] == ["today"]
    assert not any(choice.checked for choice in watch.kinds)
