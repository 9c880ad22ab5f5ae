from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from appliance.keeper.store.database import Store
from appliance.keeper.store.schema import migrations


@pytest.mark.req("R68")
def test_what_was_kept_before_there_was_a_ledger_is_filed_with_its_first_hour(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"
    db = Database(path)
    migrations.apply(db, stop_before="0008-ledger")
    db.execute(
        "insert into record (record_id, mac, signal, value, server, port, hour, first, last, count, authority_id, "
        "authority_number, clause, generation) values ('r-1', '02:00:00:00:00:01', 'ssh', '', '', -1, 5, 1.0, 2.0, 3, "
        "'authority-1', 1, '7', 1)"
    )
    db.conn.commit()
    db.close()
    store = Store(path)
    (row,) = store.ledger.log.unfiled_signals(6, 10)
    assert (row["record_id"], row["count"]) == ("r-1", 3)
    assert store.ledger.log.unfiled_signals(5, 10) == []
    store.close()


def test_a_position_is_given_once(tmp_path: Path) -> None:
    db = Database(tmp_path / "keeper.db")
    migrations.apply(db)
    insert = (
        "insert into ledger (n, kind, data_class, wall_ms, mono_ms, boot, clock, commitment, hash) "
        "values (0, 'gap', 'box', 1, 1, 1, 'free', x'00', x'00')"
    )
    db.execute("insert into ledger_boot (boot, name) values (1, 'a')")
    db.execute(insert)
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(insert)
    db.close()
