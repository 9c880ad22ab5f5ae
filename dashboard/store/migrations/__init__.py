"""Alembic migrations of the dashboard's tables; run by `dashboard.store.migrate`."""
