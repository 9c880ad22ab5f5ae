from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from appliance.keeper.store.schema import migrations


def test_steps_are_applied_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    db = Database(tmp_path / "keeper.db")
    pending = [step.name for step in migrations.pending(db)]
    assert pending == sorted(pending)
    migrations.apply(db)
    assert [step.name for step in migrations.applied(db)] == pending
    assert migrations.pending(db) == []
    db.close()
