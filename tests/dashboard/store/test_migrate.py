from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect

from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import SchemaError, check, config, upgrade


def test_migrations_make_the_tables_that_the_program_means(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    upgrade(engine)
    upgrade(engine)
    check(engine)
    with engine.begin() as connection:
        command.check(config(connection))
        tables = set(inspect(connection).get_table_names())
    engine.dispose()
    assert tables == set(schema.metadata.tables) | {"alembic_version"}


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
