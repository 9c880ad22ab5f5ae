"""Tables of the keeper's database and how they came to be: one migration a step, never edited later.

sqlite-utils commits each migration together with the record that it was applied, so a power cut in
the middle leaves the database as it was before that step. All tables are STRICT. Steps are applied in
the order of their numbers, whichever module brings them.

Bounds: `device` by the registry, `address` by the registry and `devices.MAX_ADDRESSES` a device; each
other table by the module that keeps it, which says how many rows it lets stand.
"""

from __future__ import annotations

from appliance.keeper.store.schema import (
    bundles,
    carry,
    household,
    household_side,
    keeping,
    law,
    ledger,
    lists,
    rhythm,
    signs,
    vault,
)
from appliance.keeper.store.schema.registry import migrations

STEPS = (household, signs, rhythm, lists, law, ledger, vault, household_side, carry, bundles, keeping)
"""Modules with steps, oldest first."""

__all__ = ["STEPS", "migrations"]
