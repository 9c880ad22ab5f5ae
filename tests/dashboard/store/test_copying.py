from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, null, select, update

from dashboard.store import schema
from dashboard.store.chain import check
from dashboard.store.copying import CopyError, copy
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from dashboard.store.queries import write_audit
from lab.generator import Sizes, fill

NOW = 1_800_000_000.0
FEW = Sizes(households=3, devices=8, events=50, days=3, officers=2)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Engine]:
    """A small SQLite dashboard, whatever the target is."""
    made = open_engine(f"sqlite:///{tmp_path / 'source.db'}")
    upgrade(made)
    fill(made, FEW, NOW)
    with made.begin() as connection:
        for number in range(5):
            write_audit(
                connection, at=NOW + number, account_id=None, action="view", subject=str(number), outcome="shown"
            )
        connection.execute(update(schema.site).where(schema.site.c.site == "site-00001").values(status=null()))
    yield made
    made.dispose()


def test_everything_arrives_and_goes_on_from_there(filled: Engine, engine: Engine) -> None:
    counts = copy(filled, engine)
    assert counts["site"] == 3
    assert counts["audit"] == 5
    for table in (schema.finding, schema.device, schema.stay, schema.event):
        with filled.connect() as here, engine.connect() as there:
            key = list(table.primary_key)
            assert here.execute(select(table).order_by(*key)).all() == there.execute(select(table).order_by(*key)).all()
    with engine.begin() as connection:
        empty = select(schema.site.c.site).where(schema.site.c.status.is_(None))
        assert connection.execute(empty).scalars().all() == ["site-00001"], "empty stays empty"
        write_audit(connection, at=NOW + 9, account_id=None, action="view", subject="after", outcome="shown")
        found = check(connection)
    assert (found.rows, found.broken_at) == (6, None)


def test_a_target_with_rows_is_left_as_it_is(filled: Engine, engine: Engine, seed: Any) -> None:
    seed.site("site-there")
    with pytest.raises(CopyError, match="not empty"):
        copy(filled, engine)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(schema.site)).scalar_one() == 1


def test_a_broken_chain_is_not_carried_over(filled: Engine, engine: Engine) -> None:
    with filled.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.exec_driver_sql("UPDATE audit SET subject = 'other' WHERE audit_id = 2")
    with pytest.raises(CopyError, match="chain does not hold at line 2"):
        copy(filled, engine)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(schema.site)).scalar_one() == 0
