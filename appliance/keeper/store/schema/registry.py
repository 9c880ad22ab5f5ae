"""The one list of migrations that the modules beside this one add their steps to."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations


class _ByNumber(Migrations):
    """Steps in the order of their numbers, however the modules were imported."""

    def pending(self, db: Database) -> list[Migrations._Migration]:
        return sorted(super().pending(db), key=lambda step: step.name)


migrations = _ByNumber("gatehouse.keeper")
