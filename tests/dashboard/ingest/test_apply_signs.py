"""What a box says of arrangements, of itself and of what it could name, into rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from dashboard.ingest.apply import apply
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire.base import Payload
from wire.box import Arrangements, Away, BoxStatus
from wire.codec import Envelope, Opened, topic_for
from wire.findings import Finding
from wire.models import Device, Visibility, type_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = AT.timestamp()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(
            schema.site.insert().values(
                site="site-1", tenant="example", title="1", verify_key="A" * 44, seal_key="A" * 44
            )
        )
    yield engine
    engine.dispose()


def _opened(payload: Payload, number: int, *, id_: str | None = None) -> Opened:
    topic = topic_for(payload, tenant="example", site="site-1")
    envelope = Envelope.model_validate(
        {
            "specversion": "1.0",
            "id": id_ or f"e1-{number}",
            "source": "urn:gatehouse:example:site-1",
            "type": type_of(payload).ce_type,
            "time": AT.isoformat(),
            "sequence": str(number),
            "datacontenttype": "application/json",
            "data_base64": "",
        }
    )
    return Opened(topic=topic, envelope=envelope, payload=payload, digest=f"{number:064}")


def _take(engine: Engine, *payloads: Payload) -> int:
    with engine.begin() as connection:
        return apply(connection, [_opened(one, place) for place, one in enumerate(payloads, start=1)], NOW).stored


def _row(engine: Engine, table: Any) -> Any:
    with engine.begin() as connection:
        return connection.execute(select(table)).one()


@pytest.mark.req("R15", "R30")
def test_what_is_arranged_is_kept_at_its_highest_revision(engine: Engine) -> None:
    away = Away(away_id="away-1", starts=AT, ends=AT + timedelta(days=2), reason="Holiday", by="officer-1")
    said = [Arrangements(revision=revision, away=(away,) * (revision % 2)) for revision in (2, 3, 1)]
    assert _take(engine, *said) == 3
    row = _row(engine, schema.arrangements)
    assert (row.site, row.revision, row.stored_at) == ("site-1", 3, NOW)
    assert Arrangements.model_validate(row.payload).away == (away,)


@pytest.mark.req("R30")
def test_what_was_arranged_with_another_memory_of_the_box_holds_no_more(engine: Engine) -> None:
    def heard(id_: str, seconds: int) -> None:
        status = BoxStatus(online=True, at=AT + timedelta(seconds=seconds))
        with engine.begin() as connection:
            apply(connection, [_opened(status, 1, id_=id_)], NOW)

    def revisions() -> list[int]:
        with engine.begin() as connection:
            return list(connection.execute(select(schema.arrangements.c.revision)).scalars())

    heard("e1-s1", 0)
    _take(engine, Arrangements(revision=7))
    heard("e1-s2", 10)
    assert revisions() == [7]
    heard("e2-s1", 5)
    assert revisions() == [7], "it says that it is older than what was heard"
    heard("e2-s2", 20)
    assert revisions() == []
    with engine.begin() as connection:
        apply(connection, [_opened(Arrangements(revision=1), 2, id_="e2-1")], NOW)
    assert revisions() == [1], "it counts from one again"


@pytest.mark.req("R19", "R26", "N10")
def test_a_finding_may_be_of_no_device_and_name_its_cause(
    engine: Engine, device: Callable[..., Device], finding: Callable[..., Finding]
) -> None:
    about_box = finding(1).model_copy(update={"device_id": None, "cause": "box/power"})
    seen = Visibility(day=AT, connections=10, named=0.5)
    assert _take(engine, about_box, device(1).model_copy(update={"visibility": seen})) == 2
    row = _row(engine, schema.finding)
    assert (row.device_id, row.cause) == (None, "box/power")
    assert Visibility.model_validate(_row(engine, schema.device).visibility) == seen
