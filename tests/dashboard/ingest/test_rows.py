from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update

from dashboard.ingest.rows import Rows
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire.findings import Severity


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_engine(database_url)
    upgrade(made)
    with made.begin() as connection:
        connection.execute(
            schema.site.insert().values(
                site="site-1", tenant="example", title="1", verify_key="A" * 44, seal_key="A" * 44
            )
        )
    yield made
    made.dispose()


def _store(engine: Engine, *payloads: Any) -> None:
    with engine.begin() as connection:
        rows = Rows(connection, 1.0)
        for payload in payloads:
            rows.store("site-1", payload, payload.model_dump(mode="json", exclude_none=True))
        rows.flush()


@pytest.mark.req("R69")
def test_the_highest_revision_stands_in_whatever_order(engine: Engine, device: Any, finding: Any) -> None:
    _store(engine, device(1, 2), device(1, 3), device(1, 1), finding(1, 2, state="closed"), finding(1))
    _store(engine, device(1, 2), finding(1))
    with engine.begin() as connection:
        assert connection.execute(select(schema.device.c.revision)).scalars().all() == [3]
        assert connection.execute(select(schema.finding.c.state)).scalars().all() == ["closed"]
    _store(engine, device(1, 4))
    with engine.begin() as connection:
        assert connection.execute(select(schema.device.c.revision)).scalars().all() == [4]


def test_many_rows_are_one_statement_a_table(engine: Engine, device: Any, finding: Any) -> None:
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement.split()[0]))
    _store(engine, *(device(number) for number in range(50)), *(finding(number) for number in range(50)))
    assert said.count("INSERT") == 2


def test_what_was_flushed_is_not_written_twice(engine: Engine, device: Any) -> None:
    with engine.begin() as connection:
        rows = Rows(connection, 1.0)
        rows.store("site-1", device(1), {"addresses": []})
        rows.flush()
        rows.flush()
        assert len(connection.execute(select(schema.device)).all()) == 1


@pytest.mark.req("R37")
@pytest.mark.parametrize(
    ("change", "looked_at"),
    [
        ({}, 5.0),
        ({"state": "closed"}, 5.0),
        ({"severity": Severity.INFORMATION}, 5.0),
        ({"severity": Severity.ACT_NOW}, None),
    ],
)
def test_what_was_decided_waits_anew_only_when_it_became_worse(
    engine: Engine, finding: Any, change: dict[str, Any], looked_at: float | None
) -> None:
    _store(engine, finding(1, 1).model_copy(update={"severity": Severity.TODAY}))
    with engine.begin() as connection:
        connection.execute(update(schema.finding).values(looked_at=5.0))
    _store(engine, finding(1, 2).model_copy(update={"severity": Severity.TODAY} | change))
    with engine.begin() as connection:
        assert connection.execute(select(schema.finding.c.looked_at)).scalars().all() == [looked_at]


@pytest.mark.req("R37")
def test_what_comes_back_after_it_was_over_waits_anew(engine: Engine, finding: Any) -> None:
    _store(engine, finding(1, 1, state="closed"))
    with engine.begin() as connection:
        connection.execute(update(schema.finding).values(looked_at=5.0))
    _store(engine, finding(1, 2, state="open"))
    with engine.begin() as connection:
        assert connection.execute(select(schema.finding.c.looked_at)).scalars().all() == [None]
