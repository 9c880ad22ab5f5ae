from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, true, update

from dashboard.store import schema, search


@pytest.mark.req("R42")
def test_a_name_finds_what_belongs_to_it_and_no_neighbour(engine: Engine, seed: Any) -> None:
    seed.site()
    keys = {"a": "test.example", "b": "test.example.shop", "c": "test.example-shop", "d": "test.exampleshop", "e": None}
    for finding_id, key in keys.items():
        seed.finding(finding_id)
        with engine.begin() as connection:
            which = schema.finding.c.finding_id == finding_id
            column = "asked_key" if finding_id == "b" else "name_key"
            connection.execute(update(schema.finding).where(which).values({column: key}))
    with engine.begin() as connection:
        found = {item.finding_id for item in search.findings(connection, true(), "test.example")}
        assert found == {"a", "b"}
        assert search.findings(connection, schema.site.c.site == "other", "test.example") == ()


def test_lists_are_bounded(engine: Engine, seed: Any) -> None:
    seed.site()
    for number in range(search.MOST + 5):
        seed.device(f"dev-{number}")
    with engine.begin() as connection:
        assert len(search.devices(connection, true(), "02:00:5e")) == search.MOST
        assert search.devices(connection, true(), "2:00:5e") == ()
        assert [item.site for item in search.households(connection, true(), "nm-")] == ["site-1"]
