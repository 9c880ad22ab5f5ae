from __future__ import annotations

from pathlib import Path

import pytest
from sqlite_utils import Database

from appliance.keeper.store.database import Store
from appliance.keeper.store.schema import migrations


@pytest.mark.req("N4", "R26")
def test_findings_of_the_version_before_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"
    db = Database(path)
    migrations.apply(db, stop_before="0004-signs")
    db.execute("insert into finding values ('f-1', 'd-1', 'tor', '', 'open', '{}', 5.0, 1)")
    db.conn.commit()
    with pytest.raises(Exception, match="NOT NULL"):
        db.execute("insert into finding values ('f-2', null, 'tor', '', 'open', '{}', 5.0, 0)")
    db.conn.rollback()
    db.close()

    store = Store(path)
    with store.transaction():
        store._db.execute("insert into finding values ('f-2', null, 'upstream-device', 'x', 'open', '{}', 6.0, 0)")
    rows = store._db.execute("select finding_id, device_id, kind, state, reported_at, dirty from finding").fetchall()
    assert rows == [("f-1", "d-1", "tor", "open", 5.0, 1), ("f-2", None, "upstream-device", "open", 6.0, 0)]
    indexes = {row[0] for row in store._db.execute("select name from sqlite_master where type = 'index'")}
    assert {"finding_device", "finding_dirty", "finding_subject", "record_last", "record_mac_last"} <= indexes
    assert store._db.execute("pragma foreign_key_check").fetchall() == []
    plan = str(
        store._db.execute("explain query plan select 1 from finding where device_id is null and kind = 'x'").fetchall()
    )
    assert "finding_device" in plan, "also findings without a device are found by index"
    store.close()
