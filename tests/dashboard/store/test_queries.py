from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, update

from dashboard.store import devices, queries, schema
from dashboard.store.engine import reading


@pytest.fixture
def read(engine: Engine) -> Iterator[Connection]:
    with reading(engine).connect() as connection:
        yield connection


def test_open_findings_of_a_household_come_worst_then_oldest(seed: Any, clock: Any, engine: Engine) -> None:
    seed.site()
    for finding_id, severity, age in (
        ("a", "today", 10),
        ("b", "information", 99),
        ("c", "act_now", 1),
        ("d", "today", 20),
    ):
        seed.finding(finding_id, severity=severity, raised_at=clock.at - age)
    seed.finding("z", state="closed", severity="act_now")
    with engine.begin() as connection:
        connection.execute(update(schema.finding).where(schema.finding.c.finding_id == "d").values(looked_at=1.0))
    with reading(engine).connect() as connection:
        opened = [
            [
                row.finding_id
                for row in queries.findings_of(connection, "site-1", state="open", limit=9, informs=informs)
            ]
            for informs in (None, False, True)
        ]
        counts = queries.count_open(connection, "site-1")
    assert opened == [["c", "a", "b", "d"], ["c", "a", "d"], ["b"]]
    assert counts == queries.OpenCount(waiting=2, decided=1, informs=1)


def test_findings_of_one_cause_know_each_other(seed: Any, engine: Engine) -> None:
    seed.site()
    for number, cause in enumerate(("one", "one", "two", None, None)):
        seed.finding(f"find-{number}", cause=cause)
    seed.finding("gone", cause="one", state="closed")
    with reading(engine).connect() as connection:
        whole = [queries.finding_of(connection, "site-1", f"find-{number}") for number in (0, 3)]
        others = [queries.same_cause(connection, "site-1", row) for row in whole if row is not None]
    assert [[row.finding_id for row in rows] for rows in others] == [["find-1"], []]


def test_reads_are_bounded_and_counts_are_not(seed: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_SITES", 2)
    monkeypatch.setattr(devices, "MOST_DEVICES", 2)
    for number in range(4):
        seed.site(f"site-{number}")
        seed.device(f"dev-{number}", site="site-0")
        seed.finding(f"find-{number}", site="site-0")
    with reading(engine).connect() as connection:
        assert queries.count_open(connection, "site-0").waiting == 4
        assert len(queries.households(connection, "northmoor")) == 2
        assert queries.count_households(connection, "northmoor") == 4
        assert len(devices.devices_of(connection, "site-0")) == 2
        assert devices.count_devices(connection, "site-0") == 4


def test_unregistered_devices_come_first(seed: Any, clock: Any, engine: Engine) -> None:
    seed.site()
    seed.device("old", standing="registered", last_seen=clock.at)
    seed.device("new", standing="unknown", last_seen=clock.at - 500)
    with reading(engine).connect() as connection:
        assert [row.device_id for row in devices.devices_of(connection, "site-1")] == ["new", "old"]


def test_what_is_not_there_is_none(read: Connection) -> None:
    assert queries.household(read, "northmoor", "none") is None
    assert queries.finding_of(read, "none", "none") is None
    assert devices.device_of(read, "none", "none") is None
    assert queries.command_of(read, "northmoor", "none") is None
    assert queries.command_state(read, "none") is None
    assert devices.devices_named(read, "none", []) == {}


def test_an_audit_line_fits_its_columns(seed: Any, engine: Engine, clock: Any) -> None:
    with engine.begin() as connection:
        queries.write_audit(
            connection, at=clock.at, account_id=None, action="a" * 100, subject="s" * 500, outcome="o" * 100
        )
    (row,) = seed.rows(schema.audit)
    assert (len(row["action"]), len(row["subject"]), len(row["outcome"])) == (60, 160, 20)


def test_of_a_box_the_one_word_is_read_whether_it_is_there(seed: Any, engine: Engine) -> None:
    seed.site("site-1", status={"online": True, "at": "2026-01-14T21:04:00Z"}, heard_at=7.0)
    seed.site("site-2", status={"online": False, "at": "2026-01-14T21:04:00Z"}, heard_at=None)
    seed.site("site-3", status={"of": "a later version"})
    seed.site("site-4", status=None)
    seed.site("site-9", tenant="elsewhere", status={"online": True})
    with reading(engine).connect() as connection:
        found = queries.boxes(connection, "northmoor")
        mine = queries.boxes(connection, "northmoor", within=schema.site.c.site == "site-2")
    assert [(row.site, row.online) for row in found] == [
        ("site-1", True),
        ("site-2", False),
        ("site-3", None),
        ("site-4", None),
    ]
    assert (found[0].heard_at, mine) == (7.0, (found[1],))
