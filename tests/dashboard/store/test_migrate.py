from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, select

from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import SchemaError, check, config, upgrade


def test_migrations_make_the_tables_that_the_program_means(database_url: str) -> None:
    engine = open_engine(database_url)
    upgrade(engine)
    upgrade(engine)
    check(engine)
    with engine.begin() as connection:
        command.check(config(connection))
        tables = set(inspect(connection).get_table_names())
    engine.dispose()
    assert tables == set(schema.metadata.tables) | {"alembic_version"}


def test_what_the_first_version_stored_is_kept(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    with engine.begin() as connection:
        command.upgrade(config(connection), "0001")
        run = connection.exec_driver_sql
        run("INSERT INTO site (site, tenant, title, verify_key, seal_key) VALUES ('s', 't', 'Home', 'v', 'k')")
        run("INSERT INTO account (account_id, name, role, failures) VALUES ('a', 'Officer', 'officer', 0)")
        run(
            "INSERT INTO device (site, device_id, revision, standing, quarantined, first_seen, last_seen, addresses) "
            "VALUES ('s', 'd', 3, 'guest', 0, 1.0, 2.0, '[]')"
        )
        run(
            "INSERT INTO command (command_id, site, device_id, body, reason, by, created_at, expires_at, state, detail) "
            "VALUES ('c', 's', 'd', '{\"action\": \"set-standing\"}', 'seen', 'a', 1.0, 2.0, 'applied', '')"
        )
        run(
            "INSERT INTO finding (site, finding_id, revision, kind, severity, device_id, state, first_seen, last_seen, "
            "raised_at, count, payload, stored_at) "
            "VALUES ('s', 'f', 1, 'listed-name', 'today', 'd', 'open', 1.0, 2.0, 1.0, 1, '{}', 3.0)"
        )
    upgrade(engine)
    check(engine)
    with engine.begin() as connection:
        (device,) = connection.execute(select(schema.device))
        (asked,) = connection.execute(select(schema.command))
        (found,) = connection.execute(select(schema.finding))
        indexes = {item["name"] for item in inspect(connection).get_indexes("command")}
    engine.dispose()
    assert (device.device_id, device.revision, device.standing) == ("d", 3, "guest")
    assert (device.merged_into, device.correction, device.presence) == (None, None, None)
    assert (device.visibility, found.device_id, found.cause, asked.finding_id) == (None, "d", None, None)
    assert (asked.device_id, asked.proposal_id, asked.body) == ("d", None, {"action": "set-standing"})
    assert indexes == {"ix_command_state", "ix_command_about"}


def test_a_database_never_set_up_is_said(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    with pytest.raises(SchemaError, match="init-db"):
        check(engine)
    engine.dispose()


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="newer version"):
        upgrade(engine)
    with pytest.raises(SchemaError, match="9999"):
        check(engine)
    engine.dispose()


def test_a_database_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'absent' / 'dashboard.db'}")
    for work in (upgrade, check):
        with pytest.raises(SchemaError, match="cannot be opened"):
            work(engine)
    engine.dispose()
