from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import ROW_OCTETS, Priority
from appliance.keeper.store.schema import migrations


def test_what_waited_before_waits_on_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"
    db = Database(path)
    migrations.apply(db, stop_before="0011-carry")
    for seq, priority in ((1, 2), (2, 1), (3, 0)):
        db.execute("insert into outbox values (?, 'e', 't', 's', '{\"ä\":1}', ?, 5.0)", (seq, priority))
    db.conn.commit()
    db.close()
    store = Store(path)
    rows = store.outbox.waiting(without=(), most=9)
    assert [(row.seq, row.priority) for row in rows] == [(3, 0), (2, 1), (1, Priority.STATE)]
    assert store.outbox.octets == 3 * (ROW_OCTETS + 8)
    store.close()
