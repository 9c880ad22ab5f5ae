"""Evidence bundles that the box holds until they are fetched, and the documents that were in force."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0012-bundles")
def bundles(db: Database) -> None:
    """Bundles by id, and accepted authority documents."""
    db.execute(
        """
        create table bundle (
            bundle_id text primary key,
            wanted text not null,
            state text not null check (state in ('wanted', 'built', 'failed')),
            at real not null,
            expires real not null,
            told text
        ) strict
        """
    )
    db.execute(
        """
        create table authority_kept (
            authority_id text not null,
            number integer not null,
            document text not null,
            primary key (authority_id, number)
        ) strict
        """
    )
