"""Courier, broker and ingest as processes: what is committed arrives once, whatever is killed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from dashboard.store import schema

pytestmark = pytest.mark.req("R11")


@pytest.fixture
def running(exchange: Any) -> Any:
    exchange.broker.start()
    return exchange


def test_a_finding_becomes_a_row_and_a_receipt(running: Any, finding: Any, device: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    keeper.put(1, device(1))
    keeper.put(2, finding(1))
    running.courier(box)
    running.ingest()
    keeper.until(lambda: keeper.receipted == {1, 2})
    assert keeper.outbox == {}
    with running.engine.begin() as connection:
        row = connection.execute(select(schema.finding)).one()
        heard = connection.execute(select(schema.site.c.heard_at)).scalar_one()
    assert (row.site, row.finding_id, row.revision, row.device_id) == ("site-1", "finding-1", 1, "device-1")
    assert heard is not None
    assert running.count(schema.audit) == 0


@pytest.mark.req("N3")
def test_a_broker_killed_in_the_middle_costs_nothing_and_doubles_nothing(running: Any, device: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    total = 400
    for number in range(1, total + 1):
        keeper.put(number, device(number))
    running.courier(box)
    running.ingest()
    for share in (1, 2):
        keeper.until(lambda share=share: len(keeper.receipted) >= share * total // 4)
        running.broker.kill()
        assert len(keeper.receipted) < total, "the broker was killed too late to show anything"
        running.broker.start()
    keeper.until(lambda: len(keeper.receipted) == total, seconds=60)
    assert running.count(schema.event) == total
    assert running.count(schema.device) == total


def test_ingest_killed_after_commits_stores_nothing_twice(running: Any, device: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    total = 300
    for number in range(1, total + 1):
        keeper.put(number, device(number))
    running.courier(box)
    for share in (1, 2):
        worker = running.ingest()
        keeper.until(lambda share=share: running.count(schema.event) >= share * total // 4)
        running.kill(worker)
    running.ingest()
    keeper.until(lambda: len(keeper.receipted) == total, seconds=60)
    assert running.count(schema.event) == total


def test_courier_killed_while_it_carries_loses_nothing(running: Any, device: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    for number in range(1, 201):
        keeper.put(number, device(number))
    courier = running.courier(box)
    running.ingest()
    keeper.until(lambda: len(keeper.receipted) >= 50)
    running.kill(courier)
    running.courier(box)
    keeper.until(lambda: len(keeper.receipted) == 200, seconds=60)
    assert running.count(schema.event) == 200
