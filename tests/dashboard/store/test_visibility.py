from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.store import schema, visibility

DAY = 86400.0


@pytest.mark.req("N10")
def test_the_latest_message_about_a_day_counts_and_odd_ones_do_not(seed: Any, engine: Engine) -> None:
    seed.site()
    row = {"source": "s", "site": "site-1", "type": "gatehouse.device.v1", "digest": "0"}
    for number, (device, said) in enumerate(
        (
            ("dev-1", {"day": "2026-01-01T00:00:00Z", "connections": 10, "named": 0.5}),
            ("dev-1", {"day": "2026-01-01T00:00:00Z", "connections": 20, "named": 0.6}),
            ("dev-1", {"day": "2026-01-02T00:00:00Z", "connections": 5, "named": 1.0}),
            ("dev-1", {"day": "never"}),
            ("dev-1", None),
            ("dev-2", {"day": "2026-01-01T00:00:00Z", "connections": 99, "named": 0.1}),
        )
    ):
        payload = {"device_id": device} | ({} if said is None else {"visibility": said})
        seed._insert(schema.event, row | {"id": f"e-{number}", "received_at": 100.0 + number, "payload": payload})
    with engine.begin() as connection:
        found = visibility.named_days(connection, "site-1", {"dev-1"}, 0.0)
        assert visibility.named_days(connection, "site-1", {"dev-1"}, 200.0) == {}
    assert [(day.connections, day.share) for day in found["dev-1"]] == [(20, 0.6), (5, 1.0)]
    assert set(found) == {"dev-1"}
