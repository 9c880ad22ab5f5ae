from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from appliance.keeper.devices.model import Address, Device
from appliance.keeper.store import database
from appliance.keeper.store.blinding import blind
from appliance.keeper.store.database import Store, StoreError
from appliance.keeper.store.outbox import Priority
from appliance.keeper.store.purge import KEPT, TABLES
from appliance.keeper.store.schema.household import gaps, household
from appliance.traits import Trait
from wire.base import Standing

MAC = "02:00:00:00:00:02"


def device(device_id: str = "d-1", mac: str = MAC, **changes: Any) -> Device:
    fields: dict[str, Any] = {
        "device_id": device_id,
        "revision": 1,
        "standing": Standing.UNKNOWN,
        "addresses": (Address(mac=mac, first_seen=1.0, last_seen=2.0),),
        "first_seen": 1.0,
        "last_seen": 2.0,
        "reported_at": 2.0,
    }
    return Device(**(fields | changes))


def test_how_the_file_is_opened(store: Store, tmp_path: Path) -> None:
    pragma = {
        name: store._db.execute(f"pragma {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
    }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    path = tmp_path / "keeper" / "keeper.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    tables = {
        row[0]: row[1]
        for row in store._db.execute("select name, strict from pragma_table_list where schema = 'main'")
        if not row[0].startswith(("sqlite_", "_sqlite"))
    }
    assert set(tables) == {*TABLES, *KEPT}, "each with a rule for how long its rows stay, or a reason"
    assert set(tables.values()) == {1}, "all tables are STRICT"


def test_a_second_keeper_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="another keeper has this database open"):
        Store(tmp_path / "keeper" / "keeper.db")
    with store.transaction():
        store.set("still", "ours")
    assert store.get("still") == "ours"


def test_what_is_rolled_back_is_not_counted(store: Store) -> None:
    def work() -> None:
        with store.transaction():
            store.outbox.add(type_="t", subject="s", body="{}", priority=Priority.FINDING, created=1.0)
            assert len(store.outbox) == 1
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        work()
    assert len(store.outbox) == 0


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"
    path.write_bytes(b"this is no database" * 100)
    for _ in range(2):  # the lock is given back
        with pytest.raises(StoreError, match=r"is damaged .* docs/engineers\.md"):
            Store(path)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(file / "keeper.db")


@pytest.mark.req("R69")
def test_wherever_it_is_damaged_it_is_opened_or_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"
    store = Store(path)
    with store.transaction():
        for number in range(50):
            store.outbox.add(type_="t", subject=str(number), body="x" * 300, priority=Priority.RECORD, created=1.0)
    store.close()
    whole = path.read_bytes()
    page, refused = 2048, []
    for at in range(0, len(whole), page):
        path.write_bytes(whole[:at] + bytes(page) + whole[at + page :])
        try:
            Store(path).close()
        except StoreError as error:
            refused.append(str(error))
    assert all("docs/engineers.md" in text for text in refused)
    assert len(refused) > 5, "among them damage that only the parts see, not the opening"
    path.write_bytes(whole)
    again = Store(path)  # the lock was given back each time
    assert len(again.outbox) == 50
    again.close()


def test_what_is_wrong_with_it_is_told_apart(tmp_path: Path) -> None:
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    assert "cannot be used" in database.wrong_with(tmp_path, locked)
    torn = sqlite3.DatabaseError("database disk image is malformed")
    torn.sqlite_errorcode = sqlite3.SQLITE_CORRUPT_INDEX
    assert "is damaged" in database.wrong_with(tmp_path, torn)


def test_epoch_and_numbers_survive(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"
    store = Store(path)
    epoch, key = store.epoch, store.blinding_key
    numbers = [store.next_status_number() for _ in range(300)]
    store.close()
    again = Store(path)
    assert (again.epoch, again.blinding_key) == (epoch, key)
    assert len(epoch) == 8
    assert len(key) == 32
    assert again.next_status_number() > max(numbers)
    assert len(set(numbers)) == 300
    again.close()


def test_a_number_of_a_block_that_was_rolled_back_is_not_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"
    store = Store(path)

    def fails() -> None:
        with store.transaction():
            store.next_status_number()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    given = [store.next_status_number() for _ in range(3)]
    store.close()
    again = Store(path)
    assert again.next_status_number() > max(given)
    again.close()


@pytest.mark.req("N17")
def test_what_is_still_to_be_written_anew_outlives_a_failed_transaction(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There was no room to write the tables anew; the next turn fails; then there is room."""
    written: list[int] = []

    def no_room(_db: Database) -> tuple[str, ...]:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        written.append(0)
        raise error

    def fails() -> None:
        with store.transaction():
            raise RuntimeError

    monkeypatch.setattr(database, "write_anew", no_room)
    with store.transaction():
        store.note_erased()
    assert store.room.narrow
    with store.transaction():
        pass
    assert written == [0], "each try copies the tables: it is not made every turn"
    with pytest.raises(RuntimeError):
        fails()

    def room(_db: Database) -> tuple[str, ...]:
        written.append(1)
        return ("outbox",)

    monkeypatch.setattr(database, "write_anew", room)
    for _ in range(database.CLEAN_COMMITS):
        with store.transaction():
            pass
    assert written == [0, 1]
    assert not store.get("erasing")


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def fails() -> None:
        with store.transaction():
            store.devices.put(device())
            store.set("key", "value")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert store.devices.all() == []
    assert store.get("key") is None


def test_bound_of_commands(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_COMMANDS", 3)
    with store.transaction():
        for number in range(5):
            store.put_command(f"c-{number}", sequence=number, outcome="applied", detail="", at=1.0)
    assert [store.command(f"c-{n}") is not None for n in range(5)] == [False, False, True, True, True]


def test_a_migration_and_its_record_commit_together(tmp_path: Path) -> None:
    """Broken in the middle, a step leaves nothing behind and is done whole at the next start."""
    path = tmp_path / "keeper.db"
    broken = Migrations("gatehouse.keeper")

    @broken(name="0001-household")
    def stops_midway(db: Database) -> None:
        household(db)
        raise sqlite3.OperationalError("power cut")

    db = Database(path)
    with pytest.raises(sqlite3.OperationalError, match="power cut"):
        broken.apply(db)
    assert set(db.table_names()) <= {"_sqlite_migrations", "sqlite_sequence"}
    assert broken.applied(db) == []
    db.close()
    store = Store(path)
    assert store.devices.all() == []
    store.close()


@pytest.mark.req("R13", "R55", "N8")
def test_a_filled_database_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    """Evidence and names of a device hang on its address from now on; what was readable stays so, no more."""
    path = tmp_path / "keeper.db"
    db = Database(path)
    earlier = Migrations("gatehouse.keeper")
    earlier(name="0001-household")(household)
    earlier(name="0002-gaps")(gaps)
    earlier.apply(db)
    key = bytes(range(32))
    db.execute("insert into meta values ('blinding_key', ?), ('epoch', '0badcafe')", (key.hex(),))
    for device_id, mac, standing in (("d-1", MAC, "registered"), ("d-2", "02:00:00:00:00:03", "unknown")):
        db.execute(
            "insert into device values (?, 3, ?, 'Made up', null, null, 0, 1.0, 2.0, 2.0)", (device_id, standing)
        )
        db.execute("insert into address values (?, ?, 1.0, 2.0)", (mac, device_id))
    blinded = blind(key, "made-up-host")
    for device_id, source, value in (
        ("d-1", "dhcp-host-name", "made-up-host"),
        ("d-1", "dhcp-client-id", ""),
        ("d-1", "dhcp4-parameters", "1,3,6"),
        ("d-2", "dhcp-host-name", blinded),
        ("d-2", "something-older", "x"),
    ):
        db.execute("insert into evidence values (?, ?, ?, 1.0, 2.0, 5)", (device_id, source, value))
    db.execute("insert into name_visit values ('d-1', 'kept.example', 'a', 1, '3', 1.0, 2.0, 7)")
    db.conn.commit()
    db.close()

    store = Store(path)
    devices = {item.device_id: item for item in store.devices.all()}
    assert (devices["d-1"].standing, devices["d-1"].macs, devices["d-1"].revision) == (Standing.REGISTERED, (MAC,), 3)
    own = {piece.trait: piece for piece in store.evidence.of([MAC])}
    assert (own[Trait.DHCP4_HOST_NAME].token, own[Trait.DHCP4_HOST_NAME].value) == (blinded, "made-up-host")
    assert own[Trait.DHCP4_HOST_NAME].distinctive > 0
    assert (own[Trait.DHCP4_CLIENT_ID].token, own[Trait.DHCP4_CLIENT_ID].value) == ("", "")
    assert own[Trait.DHCP4_PARAMETERS].token == "1,3,6"
    others = store.evidence.of(["02:00:00:00:00:03"])
    assert [(piece.trait, piece.token, piece.value) for piece in others] == [(Trait.DHCP4_HOST_NAME, blinded, None)]
    assert store.evidence.names([MAC]) == {"kept.example": 7}
    assert [link.device_id for link in store.devices.links([MAC])] == ["d-1"], "so that a split finds it again"
    assert store.epoch == "0badcafe"
    store.close()
