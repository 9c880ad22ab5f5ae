"""Alembic's entry: runs the migrations over the connection that `dashboard.store.migrate` hands in."""

from __future__ import annotations

from alembic import context

from dashboard.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    compare_type=True,
    # A comment tells who reads the code; PostgreSQL alone keeps it, and no step is written for words.
    autogenerate_plugins=["alembic.autogenerate.*", "~alembic.autogenerate.comments"],
)
with context.begin_transaction():
    context.run_migrations()
