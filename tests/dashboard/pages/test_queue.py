from __future__ import annotations

from dashboard.pages.queue import AILS, by_household
from dashboard.store.causes import Cause
from wire.findings import FindingKind


def _cause(site: str, key: str) -> Cause:
    return Cause(site=site, key=key, number=1, kinds=1, raised_at=0.0, last_seen=0.0, worst=0, findings=())


def test_all_of_a_household_come_together_where_its_first_one_stands() -> None:
    found = by_household([_cause("b", "1"), _cause("a", "2"), _cause("b", "3"), _cause("c", "4")])
    assert [cause.key for cause in found] == ["1", "3", "2", "4"]


def test_what_mends_itself_is_no_item() -> None:
    assert FindingKind.LIST_STALE in AILS
    assert FindingKind.UNREGISTERED_DEVICE not in AILS
