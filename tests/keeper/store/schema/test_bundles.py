from __future__ import annotations

import sqlite3

import pytest

from appliance.keeper.store.database import Store


def test_a_bundle_has_one_of_three_states(store: Store) -> None:
    store.bundles.want("b-1", wanted="{}", at=1.0, expires=2.0)
    for state in ("wanted", "built", "failed"):
        store.bundles.done("b-1", state=state, told="{}")
        assert store.bundles.all()[0].state == state
    with pytest.raises(sqlite3.IntegrityError):
        store.bundles.done("b-1", state="lost", told="{}")
