from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from wire.base import Standing
from wire.findings import FindingKind, Grade
from wire.models import CommandResult, Outcome
from wire.orders import ReportAgent, Span

LAPTOP, GUEST = "00:00:5e:00:53:01", "00:00:5e:00:53:02"


def report(weeks: Any, days: float, *hours: int, device_id: str = "d-1") -> str | None:
    """The software reports use in these hours of each of the last days."""
    first = weeks.hour - int(days * 24)
    spans = [
        Span(starts=moment(hour), ends=moment(hour + 0.9)) for hour in range(first, weeks.hour) if hour % 24 in hours
    ]
    order = ReportAgent(
        device_id=device_id,
        source="Guard",
        covers_from=moment(first),
        covers_to=moment(weeks.hour),
        spans=tuple(spans),
    )
    with weeks.store.transaction():
        return weeks.agents.report(order, weeks.now)


def moment(hour: float) -> datetime:
    return datetime.fromtimestamp(hour * 3600.0, UTC)


def evening(hour: int) -> dict[str, dict[str, Any]]:
    return {LAPTOP: {}} if 16 <= hour % 24 < 22 else {}


@pytest.mark.req("N7")
def test_a_report_that_agrees_raises_nothing(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    weeks.run(5, evening)
    assert report(weeks, 4, *range(16, 22)) is None
    assert weeks.findings(FindingKind.AGENT_DISAGREES) == []


@pytest.mark.req("N7")
def test_use_that_either_did_not_see_is_told(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    weeks.run(5, evening)
    assert report(weeks, 4, 16, 17, 18, 9, 10) is None
    medium, low = sorted(weeks.findings(FindingKind.AGENT_DISAGREES), key=lambda item: str(item.grade), reverse=True)
    assert (medium.grade, low.grade) == (Grade.MEDIUM, Grade.LOW)
    assert "Guard did not see all use" in medium.reasons[0]
    assert "used elsewhere" in low.reasons[0]
    assert low.severity == "information"


@pytest.mark.req("N7", "R61")
def test_what_may_not_or_cannot_be_compared_is_refused(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    weeks.device("d-2", GUEST, Standing.GUEST)
    assert "does not know" in (report(weeks, 1, 12, device_id="d-none") or "")
    assert "authority does not let" in (report(weeks, 1, 12, device_id="d-2") or "")
    assert "saw nothing" in (report(weeks, 1, 12) or "")
    weeks.run(2, evening)
    assert "end before it starts" in (report(weeks, 0, 12) or "")


@pytest.mark.req("N7")
def test_a_report_comes_as_an_order_and_is_answered(bench: Any) -> None:
    device_id = bench.give(LAPTOP, Standing.REGISTERED)
    order = ReportAgent(
        device_id=device_id,
        source="Guard",
        covers_from=datetime.fromtimestamp(bench.wall - 7200, UTC),
        covers_to=datetime.fromtimestamp(bench.wall, UTC),
        spans=(),
    )
    (result,) = [item for item in bench.payloads(bench.order(order)) if isinstance(item, CommandResult)]
    assert result.outcome is Outcome.REFUSED
    assert "authority does not let" in result.detail
