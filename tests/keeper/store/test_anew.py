"""Pages hold nothing of rows that are gone, also where they were divided."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from appliance.keeper.store.anew import LEFT_ALONE, write_anew
from appliance.keeper.store.database import Store
from appliance.keeper.store.purge import KEPT, TABLES

NAME = b"quillfeather"


def names_in(path: Path) -> int:
    return sum(file.read_bytes().count(NAME) for file in path.parent.iterdir())


def fill(db: Database) -> None:
    """Rows in an order in which pages are divided again and again."""
    db.execute(
        "insert into device values ('d-1', 1, 'registered', null, null, null, 0, 1, 1, 1, null, null, null, null, null)"
    )
    db.execute("insert into address values ('02:00:00:00:00:01', 'd-1', 1, 1, null, null, 0)")
    for number in range(4000):
        name = f"{(number * 2654435761) % 2**32:08x}-{'sparrow' if number % 8 else 'quillfeather'}.example"
        db.execute(
            "insert into name_visit (mac, name, authority_id, authority_number, clause, first_seen, last_seen, count) "
            "values ('02:00:00:00:00:01', ?, 'a-1', 1, '3', 1, ?, 1)",
            (name, float(number)),
        )


@pytest.mark.req("N17", "R65")
def test_nothing_is_left_of_what_was_divided(store: Store) -> None:
    path = Path(store._db.execute("pragma database_list").fetchone()[2])
    with store.transaction():
        fill(store._db)
    store._db.execute("pragma secure_delete = off")  # what is left of rows then is where a divided page leaves copies
    with store.transaction():
        store._db.execute("delete from name_visit where name like '%quillfeather%'")
    store._db.execute("pragma secure_delete = on")
    store._db.execute("pragma wal_checkpoint(truncate)").fetchall()
    left = names_in(path)
    write_anew(store._db)
    store._db.execute("pragma wal_checkpoint(truncate)").fetchall()
    assert names_in(path) == 0
    assert left > 0, "the search can find"


def dump(db: Database) -> dict[str, list[tuple[object, ...]]]:
    tables = [
        name
        for (name,) in db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite%'")
    ]
    return {table: db.execute(f'select * from "{table}" order by 1, 2').fetchall() for table in tables}  # noqa: S608 - ours


def test_rows_are_what_they_were(store: Store) -> None:
    with store.transaction():
        fill(store._db)
        store._db.execute("insert into proposal values ('p-2', 'd-1', 'd-2', 'open', '{}', '[]', 1)")
        store._db.execute("delete from proposal")
        for number in range(5):
            store._db.execute(
                "insert into proposal values (?, 'd-1', 'd-2', 'open', '{}', '[]', 1)", (f"p-{9 - number}",)
            )
        store._db.execute("delete from proposal where proposal_id = 'p-8'")
        store._db.execute("insert into watched values (7, 60.0)")
    rowids = store._db.execute("select rowid, proposal_id from proposal").fetchall()
    before = dump(store._db)
    assert write_anew(store._db) == ()
    assert dump(store._db) == before
    assert store._db.execute("select rowid, proposal_id from proposal").fetchall() == rowids
    assert store._db.execute("pragma foreign_keys").fetchone()[0] == 1
    assert store._db.execute("pragma foreign_key_check").fetchall() == []
    assert store._db.execute("pragma integrity_check").fetchone()[0] == "ok"


def test_numbers_are_never_given_again(store: Store) -> None:
    row = "insert into outbox (epoch, type, subject, body, priority, created) values ('e', 't', 's', 'b', 0, 1)"
    with store.transaction():
        for _ in range(3):
            store._db.execute(row)
        store._db.execute("delete from outbox")
    write_anew(store._db)
    with store.transaction():
        assert store._db.execute(row).lastrowid == 4


def test_a_long_table_waits(store: Store) -> None:
    with store.transaction():
        fill(store._db)
    assert write_anew(store._db, most=3999) == ("name_visit",)


def test_what_fails_changes_nothing(store: Store) -> None:
    with store.transaction():
        fill(store._db)
    before = dump(store._db)
    store._db.execute("create trigger no_more before insert on name_visit begin select raise(abort, 'full'); end")
    with pytest.raises(sqlite3.Error):
        write_anew(store._db)
    store._db.execute("drop trigger no_more")
    assert dump(store._db) == before
    assert store._db.execute("pragma foreign_keys").fetchone()[0] == 1


def test_what_is_left_alone_is_there() -> None:
    assert {*TABLES, *KEPT} >= LEFT_ALONE
