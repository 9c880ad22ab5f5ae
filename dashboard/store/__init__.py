"""The dashboard's tables, engine and migrations."""
