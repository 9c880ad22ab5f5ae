"""Writing tables anew, so that their pages hold nothing of rows that are gone.

In: the database. Out: the same rows in fresh pages; the old ones are overwritten with zeros (`secure_delete`).

A row that is deleted is overwritten where it lay. But when a page of a table is divided, SQLite copies rows to other
pages and leaves what it copied in the free part of the old one: so a name can outlive its row. Taking all rows out and
putting them back frees every page of the table and of its indexes, and freed pages are overwritten whole.

That is done for tables with something readable in them. What the ledger keeps is sealed and grows without being read,
so it is left alone: this takes as long as the working tables are large, not the file. Bounded: a table of more than
`MAX_ROWS` rows is left for another time, and said.
"""

from __future__ import annotations

from sqlite_utils import Database

MAX_ROWS = 300_000
LEFT_ALONE = frozenset({"ledger", "ledger_boot", "ledger_head", "ledger_node", "ledger_ratchet", "sealed", "vault_key"})
"""Only sealed octets, hashes and signatures are in these."""


def write_anew(db: Database, *, most: int = MAX_ROWS) -> tuple[str, ...]:
    """Write the working tables anew, in a transaction of its own; the tables that were too long for that.

    Raises:
        sqlite3.Error: there was no room; then nothing was changed.
    """
    db.execute("pragma temp_store = memory")
    db.execute("pragma foreign_keys = off")  # rows are gone for a moment that others refer to
    try:
        with db.atomic():
            return tuple(table for table, rowid in _tables(db) if not _write(db, table, rowid=rowid, most=most))
    finally:
        db.execute("pragma foreign_keys = on")


def _tables(db: Database) -> list[tuple[str, bool]]:
    """Tables to write, and whether rows have a number that must stay as it is."""
    rows = db.execute(
        "select name, wr from pragma_table_list where schema = 'main' and type = 'table' "
        "and name not like 'sqlite\\_%' escape '\\' and name not like '\\_sqlite%' escape '\\' order by name"
    ).fetchall()
    return [(name, not without) for name, without in rows if name not in LEFT_ALONE]


def _write(db: Database, table: str, *, rowid: bool, most: int) -> bool:
    columns = db.execute("select name, type, pk from pragma_table_info(?) order by cid", (table,)).fetchall()
    keys = [kind.lower() for _name, kind, pk in columns if pk]
    named = [f'"{name}"' for name, _kind, _pk in columns]
    if rowid and keys != ["integer"]:  # else the number is one of the columns
        named.insert(0, "rowid")
    listed = ", ".join(named)
    if db.execute(f'select count(*) from "{table}"').fetchone()[0] > most:  # noqa: S608 - names come from the schema
        return False
    aliased = ", ".join(f"{name} as c{number}" for number, name in enumerate(named))
    db.execute(f'create temp table anew as select {aliased} from "{table}"')  # noqa: S608 - as above
    db.execute(f'delete from "{table}"')  # noqa: S608 - as above
    db.execute(f'insert into "{table}" ({listed}) select * from temp.anew')  # noqa: S608 - as above
    db.execute("drop table temp.anew")
    return True
