from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from wire.base import Standing
from wire.findings import Finding
from wire.models import Device

PHONE = "02:00:00:00:00:0a"


@pytest.mark.req("R23", "R28")
def test_a_visitor_seen_after_the_visit_is_up_for_review(bench: Any) -> None:
    bench.sight(PHONE)
    until = datetime.fromtimestamp(bench.wall + 100, UTC)
    device_id = bench.device(PHONE).device_id
    bench.down(bench.command(device_id, Standing.GUEST, guest_until=until, label="Visitor"))
    bench.acknowledge()
    sent = bench.payloads(bench.wait(101))
    assert [(item.standing, item.label) for item in sent if isinstance(item, Device)] == [(Standing.UNKNOWN, "Visitor")]
    assert not [item for item in sent if isinstance(item, Finding)], "gone with the visit: nothing to review"
    bench.wait(600)
    finding = next(item for item in bench.payloads(bench.sight(PHONE)) if isinstance(item, Finding))
    assert (finding.kind.value, finding.device_id) == ("visit-over", device_id)
    assert bench.open_kinds(PHONE) == ["visit-over"], "one thing to review, not two"
    bench.wait(700)
    again = [item for item in bench.payloads(bench.sight(PHONE)) if isinstance(item, Finding)]
    assert [(item.finding_id, item.count) for item in again] == [(finding.finding_id, 2)]
    bench.down(bench.command(device_id, Standing.HOUSEHOLD))
    assert bench.open_kinds(PHONE) == []
    assert bench.device(PHONE).visit_ended is None


@pytest.mark.req("R23")
def test_the_end_of_a_visit_survives_a_restart(bench: Any, signed: Any) -> None:
    bench.sight(PHONE)
    until = datetime.fromtimestamp(bench.wall + 100, UTC)
    bench.down(bench.command(bench.device(PHONE).device_id, Standing.GUEST, guest_until=until))
    bench.wait(101)
    bench.stop()
    bench.start(signed())
    bench.online()
    bench.sight(PHONE)
    assert bench.open_kinds(PHONE) == ["visit-over"]
