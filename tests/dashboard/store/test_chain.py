from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from dashboard.store.chain import START, check, unguards
from dashboard.store.engine import open_engine
from dashboard.store.migrate import config, upgrade
from dashboard.store.queries import write_audit

pytestmark = pytest.mark.req("R66")


def _write(engine: Engine, count: int) -> None:
    for number in range(count):
        with engine.begin() as connection:
            write_audit(
                connection, at=100.0 + number, account_id="acc-1", action="view-today", subject="", outcome="done"
            )


def test_rows_follow_from_each_other(engine: Engine) -> None:
    with engine.begin() as connection:
        assert check(connection, wanted=START).met
    _write(engine, 3)
    with engine.begin() as connection:
        found = check(connection)
    assert (found.rows, found.broken_at, found.met) == (3, None, None)
    _write(engine, 1)
    with engine.begin() as connection:
        assert check(connection, wanted=found.last).met
        assert check(connection, wanted="ab" * 32).met is False


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET outcome = 'other' WHERE audit_id = 2",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE audit_id = 4",
        "INSERT OR REPLACE INTO audit (audit_id, at, action, subject, outcome) VALUES (2, 1, 'view', '', 'done')",
    ],
)
def test_the_database_refuses_to_change_what_was_written(engine: Engine, change: str) -> None:
    if engine.dialect.name != "sqlite":  # the other has its own word for it, and a way of its own to lose all
        change = "TRUNCATE audit" if "REPLACE" in change else change
    _write(engine, 4)
    with pytest.raises(DBAPIError, match="only added to"), engine.begin() as connection:
        connection.exec_driver_sql(change)


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ("UPDATE audit SET subject = 'other' WHERE audit_id = 2", 2),
        ("DELETE FROM audit WHERE audit_id = 2", 3),
        ("UPDATE audit SET at = 1 WHERE audit_id = 1", 1),
        ("UPDATE audit SET account_id = NULL WHERE audit_id = 4", 4),
        ("INSERT INTO audit (at, action, subject, outcome) VALUES (1, 'view', '', 'done')", 5),
    ],
)
def test_who_switches_the_refusal_off_is_found_out(engine: Engine, change: str, first: int) -> None:
    _write(engine, 4)
    with engine.begin() as connection:
        for statement in unguards(engine.dialect.name):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(change)
        assert check(connection).broken_at == first


def test_a_cut_end_is_seen_by_who_wrote_the_last_digest_down(engine: Engine) -> None:
    _write(engine, 4)
    with engine.begin() as connection:
        last = check(connection).last
        for statement in unguards(engine.dialect.name):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("DELETE FROM audit WHERE audit_id = 4")
        found = check(connection, wanted=last)
    assert (found.broken_at, found.met) == (None, False)


def test_rows_of_an_older_version_are_chained_when_it_is_replaced(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with engine.begin() as connection:
        command.upgrade(config(connection), "0004")
        for number in range(1205):
            connection.exec_driver_sql(
                "INSERT INTO audit (at, account_id, action, subject, outcome) VALUES (?, NULL, 'view', 's', 'done')",
                (float(number),),
            )
    upgrade(engine)
    with engine.begin() as connection:
        found = check(connection)
    assert (found.rows, found.broken_at) == (1205, None)
    engine.dispose()
