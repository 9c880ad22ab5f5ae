from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.store import causes
from dashboard.store.engine import reading


@pytest.mark.req("R26")
def test_findings_are_grouped_by_cause_or_by_kind(seed: Any, clock: Any, engine: Engine) -> None:
    seed.site()
    seed.site("site-2", tenant="elsewhere")
    seed.device()
    seed.finding("a", kind="tunnel", cause="one", severity="this_week", raised_at=clock.at - 50)
    seed.finding("b", kind="hidden-names", cause="one", severity="today", raised_at=clock.at - 10)
    seed.finding("c", raised_at=clock.at - 900)
    seed.finding("d", severity="information")
    seed.finding("e", state="closed", severity="act_now")
    seed.finding("f", site="site-2")
    seed.finding("g", kind="list-stale", device_id=None)
    with reading(engine).connect() as connection:
        found = causes.open_causes(connection, "northmoor", without=("list-stale",))
        waits = causes.count_waiting(connection, "northmoor", without=("list-stale",))
        ailing = causes.ailing(connection, "northmoor", kinds=("list-stale",))
    assert [(row.key, row.number, row.kinds, [one.finding_id for one in row.findings]) for row in found] == [
        ("unregistered-device", 1, 1, ["c"]),
        ("one", 2, 2, ["b", "a"]),
    ]
    assert found[0].findings[0].device is not None
    assert waits == {"site-1": causes.Waits(causes=2, findings=3, informs=1)}
    assert ailing == (("site-1", "list-stale", 1),)


def test_reads_are_bounded_and_counts_are_not(seed: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "MOST_CAUSES", 2)
    monkeypatch.setattr(causes, "MOST_NAMED", 1)
    monkeypatch.setattr(causes, "MOST_BOXES", 1)
    for site in ("site-1", "site-2"):
        seed.site(site)
        seed.finding("stale", site=site, kind="list-stale", device_id=None)
        for number in range(4):
            seed.finding(f"find-{number}", site=site, cause=f"cause-{number // 2}")
    with reading(engine).connect() as connection:
        found = causes.open_causes(connection, "northmoor", without=("list-stale",))
        waits = causes.count_waiting(connection, "northmoor", without=("list-stale",))
        assert len(causes.ailing(connection, "northmoor", kinds=("list-stale",))) == 1
    assert [(row.number, len(row.findings)) for row in found] == [(2, 1), (2, 1)]
    assert waits["site-1"] == causes.Waits(causes=2, findings=4, informs=0)


def test_only_what_is_shown_is_read_with_its_findings(seed: Any, engine: Engine) -> None:
    for number, site in enumerate(("site-1", "site-2", "site-3")):
        seed.site(site)
        seed.device(site=site)
        for cause in range(3):
            seed.finding(f"find-{cause}", site=site, cause=f"cause-{cause}", raised_at=1000.0 + 10 * number + cause)
    with reading(engine).connect() as connection:
        found = causes.open_causes(connection, "northmoor", without=(), shown=(2, 1))
        bare = causes.open_causes(connection, "northmoor", without=(), devices=False)
    read = {(row.site, row.key) for row in found if row.findings}
    assert read == {("site-1", "cause-0"), ("site-2", "cause-0")}
    assert len(found) == 9
    assert {row.worst for row in found} == {1}
    assert all(row.findings[0].device is not None for row in found if row.findings)
    assert all(row.findings[0].device is None for row in bare)


def test_nothing_open_is_nothing(seed: Any, engine: Engine) -> None:
    seed.site()
    with reading(engine).connect() as connection:
        assert causes.open_causes(connection, "northmoor", without=()) == ()
        assert causes.count_waiting(connection, "northmoor", without=()) == {}
