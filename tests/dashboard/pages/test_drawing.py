"""Geometry of strips."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages import drawing

ZONE = ZoneInfo("Europe/London")
TIMES = st.floats(min_value=0, max_value=1_000_000)


@given(st.lists(st.tuples(TIMES, TIMES)), TIMES)
def test_every_bar_lies_on_the_strip_and_can_be_seen(spans: list[tuple[float, float]], since: float) -> None:
    ordered = [(min(span), max(span)) for span in spans]
    for bar in drawing.bars(ordered, since, since + 86400, "there"):
        assert 0 <= bar.x <= drawing.WIDTH - drawing.LEAST
        assert bar.width >= drawing.LEAST
        assert bar.x + bar.width <= drawing.WIDTH + drawing.LEAST


def test_what_lies_outside_is_left_out() -> None:
    assert drawing.bars([(0, 9), (31, 40)], 10, 30, "there") == ()
    (bar,) = drawing.bars([(0, 20)], 10, 30, "gap")
    assert (bar.x, bar.width, bar.kind) == (0.0, 500.0, "gap")


def test_a_day_has_hours_and_a_month_has_days_also_when_the_clocks_change() -> None:
    day = datetime(2026, 3, 29, tzinfo=ZONE).timestamp()
    assert next(tick.text for tick in drawing.ticks(day, day + 23 * 3600, ZONE)) == "00:00"
    assert len(drawing.days(day, day + 23 * 3600, ZONE)) == 1
    month = datetime(2026, 3, 10, tzinfo=UTC).timestamp()
    texts = [tick.text for tick in drawing.ticks(month, month + 30 * 86400, ZONE)]
    assert texts == ["10 March", "17 March", "24 March", "31 March", "7 April"]
    assert len(drawing.days(0, 1e11, ZONE)) == 400
