"""Until when what is kept: the same at the dashboard as at a box, unless a document says otherwise."""

from __future__ import annotations

import pytest

from appliance.keeper.law.retention import shipped
from dashboard.store import schedule

pytestmark = pytest.mark.req("N17")


@pytest.mark.req("R64")
def test_what_holds_without_a_document_is_what_holds_at_a_box() -> None:
    table = shipped()
    for purpose, days in schedule.DEFAULT_DAYS.items():
        for name in set(days) & set(table.classes):
            assert days[name] == table.classes[name].days("prevent" if purpose == "prevent" else "detect"), name
        assert days["ended"] == getattr(table.ended, purpose)
        assert {"presence", "findings", "household", "commands", "box"} <= set(days)
