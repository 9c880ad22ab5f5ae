"""What happened since a visit: by kind, the worst first, in one statement."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.store.engine import reading
from dashboard.store.visit_facts import kinds_since


@pytest.mark.req("R44")
def test_kinds_are_counted_as_open_raised_and_closed_since(seed: Any, clock: Any) -> None:
    seed.site()
    old = clock.at - 90 * 86400
    seed.finding("f-1", kind="trend", severity="this_week", raised_at=old)
    seed.finding("f-2", kind="tunnel", severity="act_now")
    seed.finding("f-3", kind="tunnel", severity="act_now", state="closed")
    seed.finding("f-4", kind="relay", raised_at=old, state="closed")
    seed.site("site-2")
    seed.finding("f-5", site="site-2")
    with reading(seed.engine).connect() as connection:
        found = kinds_since(connection, "site-1", clock.at - 86400)
    assert [(row.kind, row.open, row.raised, row.closed) for row in found] == [("tunnel", 1, 2, 1), ("trend", 1, 0, 0)]
