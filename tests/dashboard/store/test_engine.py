from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from dashboard.store import schema
from dashboard.store.engine import DatabaseUrlError, open_engine, reading
from dashboard.store.migrate import upgrade


def test_sqlite_runs_with_a_rollback_journal_and_full_synchronisation(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    with engine.begin() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    engine.dispose()
    assert found == {"journal_mode": "delete", "synchronous": 2, "busy_timeout": 5000, "foreign_keys": 1}


def test_a_row_of_an_unknown_site_is_refused(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    upgrade(engine)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(
            schema.event.insert().values(
                source="s", id="1", site="absent", type="t", digest="d", received_at=0, payload={}
            )
        )
    engine.dispose()


def test_a_writer_holds_the_lock_from_its_first_read_and_readers_need_none(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    upgrade(engine)
    impatient = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    with engine.connect() as writer:
        writer.execute(schema.site.select())
        with reading(impatient).connect() as reader:
            assert reader.execute(schema.site.select()).all() == []
            reader.exec_driver_sql("PRAGMA busy_timeout=1")
            reader.rollback()
        with impatient.connect() as second, pytest.raises(OperationalError, match="locked"):
            second.execute(text("SELECT 1"))
    engine.dispose()
    impatient.dispose()


def test_what_a_statement_held_is_not_in_its_error(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    upgrade(engine)
    with pytest.raises(IntegrityError) as caught, engine.begin() as connection:
        connection.execute(schema.device.insert().values(site="absent", device_id="d", label="black phone"))
    engine.dispose()
    assert "black phone" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [("nonsense", "not a database URL"), ("oracles://x", "not a database URL"), ("mssql+absent://x", "database")],
)
def test_unusable_urls_are_said(url: str, says: str) -> None:
    with pytest.raises(DatabaseUrlError, match=says):
        open_engine(url)


def test_a_missing_driver_is_named() -> None:
    try:
        import psycopg  # noqa: F401 - only whether it is there
    except ModuleNotFoundError:
        with pytest.raises(DatabaseUrlError, match="psycopg"):
            open_engine("postgresql://host/name")
    else:
        assert open_engine("postgresql://host/name").dialect.driver == "psycopg"
