"""The one list of migrations that the modules beside this one add their steps to."""

from __future__ import annotations

from sqlite_utils.migrations import Migrations

migrations = Migrations("gatehouse.keeper")
