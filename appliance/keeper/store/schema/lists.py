"""The tables of lists: a household's own entries, and counts of categories that are told as a trend only."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0006-lists")
def lists(db: Database) -> None:
    """Own entries and their end, and look-ups of a category by address and day."""
    for statement in (
        """
        create table watch (
            watch_id text primary key,
            name text not null,
            below integer not null,
            excluded integer not null,
            severity text not null,
            reason text not null,
            by text not null,
            at real not null,
            expires real not null,
            unique (name, excluded)
        ) strict
        """,
        """
        create table category_day (
            mac text not null,
            category text not null,
            day integer not null,
            authority_id text not null,
            authority_number integer not null,
            clause text not null,
            count integer not null,
            primary key (mac, category, day)
        ) strict
        """,
    ):
        db.execute(statement)
