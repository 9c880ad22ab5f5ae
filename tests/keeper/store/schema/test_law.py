from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from appliance.keeper.store.blinding import blind
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from appliance.keeper.store.schema import migrations
from appliance.traits import Trait
from wire.base import Standing

MAC, OTHER = "02:00:00:00:00:02", "02:00:00:00:00:03"
KEY = bytes(range(32))
AT = 1_900_000_000.0
HOUR = int(AT // 3600)
BEFORE: dict[str, list[tuple[Any, ...]]] = {
    "meta": [
        ("epoch", "0badcafe"),
        ("blinding_key", KEY.hex()),
        ("status_number", "513"),
        ("time_floor", repr(AT)),
        ("mask_generation", "4"),
    ],
    "device": [
        ("d-1", 3, "registered", "Made up", None, None, 0, AT, AT, AT, None, None, None, None, None),
        ("d-2", 1, "unknown", None, None, None, 0, AT, AT, AT, None, None, None, None, None),
    ],
    "address": [(MAC, "d-1", AT, AT, None, None, 0), (OTHER, "d-2", AT, AT, None, None, 0)],
    "evidence": [(MAC, "dhcp4-host-name", blind(KEY, "made-up-host"), "made-up-host", 3.0, AT, AT, 5)],
    "name_visit": [(MAC, "kept.example", "authority-1", 1, "3", AT, AT, 7)],
    "record": [("r-1", MAC, "ssh", "", "", -1, HOUR, AT, AT, 3, None, "authority-1", 1, "7", 4)],
    "finding": [("f-1", "d-2", "unregistered-device", "", "open", "{}", AT, 0)],
    "outbox": [(seq, "0badcafe", "device", f"d-{seq}", "{}", seq % 3, AT) for seq in (7, 8, 9)],
    "command": [("c-1", 1, "applied", "", AT)],
    "mask": [(MAC, 2)],
    "gap": [(1, AT - 60, AT, "keeper-away")],
    "activity": [(MAC, HOUR, 1, 0, 100, 0, 0, 0, 0)],
    "category_day": [(MAC, "gambling", int(AT // 86400), "authority-1", 1, "4", 2)],
    "quiet": [("q-1", "tor", None, None, "Made up", "officer-1", AT, None, 0)],
}
"""Rows as the version before the law and the ledger wrote them."""


def filled(path: Path) -> Database:
    """A database of that version, with something in the tables that later steps change or that others refer to."""
    db = Database(path)
    db.execute("pragma page_size=4096")
    db.execute("pragma journal_mode=wal")
    migrations.apply(db, stop_before="0007-law")
    for table, values in BEFORE.items():
        places = ", ".join("?" for _ in values[0])
        db.conn.executemany(f"insert into {table} values ({places})", values)  # noqa: S608 - tables of ours
    db.conn.commit()
    return db


def check(store: Store) -> None:
    """Everything of before is there, in today's terms."""
    assert store.epoch == "0badcafe"
    assert store.blinding_key == KEY
    assert store.next_status_number() >= 513
    devices = {item.device_id: item for item in store.devices.all()}
    assert (devices["d-1"].standing, devices["d-1"].macs, devices["d-1"].revision) == (Standing.REGISTERED, (MAC,), 3)
    (piece,) = store.evidence.of([MAC])
    assert (piece.trait, piece.value) == (Trait.DHCP4_HOST_NAME, "made-up-host")
    assert store.evidence.names([MAC]) == {"kept.example": 7}
    assert store.command("c-1") == ("applied", "", AT)
    assert store.mask() == {MAC: 2}
    waiting = store.outbox.waiting(without=(), most=9)
    assert [(row.seq, row.priority) for row in waiting] == [
        (9, Priority.FINDING),
        (7, Priority.RESULT),
        (8, Priority.STATE),
    ]
    assert len(store.outbox) == 3
    assert [row["record_id"] for row in store.ledger.log.unfiled_signals(HOUR + 1, 9)] == ["r-1"], "it is filed yet"
    assert store.ledger.size == 0
    for pragma, said in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
        assert store._db.execute(f"pragma {pragma}").fetchall() == said


@pytest.mark.req("R69", "N15")
def test_a_database_of_before_the_law_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"
    filled(path).close()
    for _ in range(2):
        store = Store(path)
        check(store)
        store.close()


@pytest.mark.req("R69")
@pytest.mark.parametrize("step", ["0007-law", "0008-ledger", "0009-vault", "0010-household-side", "0011-carry"])
def test_cut_off_in_any_step_it_is_taken_over_at_the_next_start(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keeper.db"
    db = filled(path)
    (which,) = [each for each in migrations.pending(db) if each.name == step]
    whole = which.fn

    def cut(own: Database) -> None:
        whole(own)
        raise InterruptedError

    monkeypatch.setattr(which, "fn", cut)
    with pytest.raises(InterruptedError):
        migrations.apply(db)
    db.close()
    monkeypatch.undo()
    store = Store(path)
    check(store)
    store.close()


@pytest.mark.req("R69", "N8")
def test_a_keeper_goes_on_with_it(tmp_path: Path, make_bench: Callable[..., Any], signed: Callable[..., bytes]) -> None:
    """The register of before stands: nobody of the family is told as unknown."""
    path = tmp_path / "bench0" / "keeper.db"
    path.parent.mkdir()
    filled(path).close()
    bench = make_bench(signed())
    assert bench.path == path
    bench.online()
    bench.sight(MAC)
    bench.wait(30)
    assert bench.device(MAC).device_id == "d-1"
    assert bench.device(MAC).standing is Standing.REGISTERED
    assert bench.open_kinds(MAC) == []
    assert bench.store.ledger.size > 0
