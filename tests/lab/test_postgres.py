from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from lab.postgres import Cluster, PostgresMissingError, cluster


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder that another user gets to, as pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-data-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder / "postgres"


def _one(server: Cluster, statement: str) -> object:
    engine = create_engine(server.fresh().replace("postgresql:", "postgresql+psycopg:", 1))
    try:
        with engine.connect() as connection:
            return connection.execute(text(statement)).scalar_one()
    finally:
        engine.dispose()


def test_much_data_go_where_there_is_room_and_are_gone_at_the_end(disk: Path) -> None:
    try:
        with cluster(data=disk) as server:
            assert _one(server, "SHOW data_directory") == str(disk / "data")
            assert (disk / "data" / "pg_wal").is_dir()
    except PostgresMissingError as error:
        pytest.skip(f"PostgreSQL cannot run here: {error}")
    assert not disk.exists()


def _ask_a_server_that_ended() -> None:
    with cluster() as server:
        engine = create_engine(server.fresh().replace("postgresql:", "postgresql+psycopg:", 1))
        # As where it cannot write its journal: every connection is cut, and none comes up again.
        server.stop()
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))


def test_a_server_that_ends_in_the_middle_says_why() -> None:
    try:
        with pytest.raises(OperationalError) as caught:
            _ask_a_server_that_ended()
    except PostgresMissingError as error:
        pytest.skip(f"PostgreSQL cannot run here: {error}")
    (note,) = caught.value.__notes__
    assert "The server's last words:" in note
    assert "database system is shut down" in note
