"""The table of the vault: keys of what is kept sealed, each wrapped by the key file beside the database."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0009-vault")
def vault(db: Database) -> None:
    """One key a data class and month (or a case hold); numbers are never given twice."""
    db.execute(
        """
        create table vault_key (
            key integer primary key autoincrement,
            data_class text not null,
            month integer not null,
            hold_id text,
            wrapped blob not null
        ) strict
        """
    )
    db.execute("create index vault_key_month on vault_key (data_class, month)")
