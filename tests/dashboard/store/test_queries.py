from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from dashboard.store import devices, queries, schema
from dashboard.store.engine import reading


@pytest.fixture
def read(engine: Engine) -> Iterator[Connection]:
    with reading(engine).connect() as connection:
        yield connection


def test_open_findings_come_worst_then_oldest_and_only_of_the_tenant(seed: Any, clock: Any, engine: Engine) -> None:
    seed.site()
    seed.site("site-2", tenant="elsewhere")
    seed.device()
    for finding_id, severity, age in (
        ("a", "today", 10),
        ("b", "information", 99),
        ("c", "act_now", 1),
        ("d", "today", 20),
    ):
        seed.finding(finding_id, severity=severity, raised_at=clock.at - age)
    seed.finding("z", state="closed", severity="act_now")
    seed.finding("y", site="site-2")
    with reading(engine).connect() as connection:
        found = queries.open_findings(connection, "northmoor")
        causes = queries.count_causes(connection, "northmoor")
    assert [row.finding_id for row in found] == ["c", "d", "a", "b"]
    assert found[0].device is not None
    assert found[0].device.standing == "unknown"
    assert causes == (("site-1", "unregistered-device", 4),)


def test_reads_are_bounded_and_counts_are_not(seed: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_FINDINGS", 3)
    monkeypatch.setattr(queries, "MOST_SITES", 2)
    monkeypatch.setattr(devices, "MOST_DEVICES", 2)
    for number in range(4):
        seed.site(f"site-{number}")
        seed.device(f"dev-{number}", site="site-0")
        seed.finding(f"find-{number}", site="site-0")
    with reading(engine).connect() as connection:
        assert len(queries.open_findings(connection, "northmoor")) == 3
        assert queries.count_findings(connection, "site-0") == 4
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
