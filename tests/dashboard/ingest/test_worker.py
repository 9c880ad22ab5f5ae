"""The loop's promises with a session in memory: commit before acknowledgement, poison alone, no crash."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, event, func, select
from sqlalchemy.exc import OperationalError

from dashboard.ingest.handlers import Handler
from dashboard.ingest.opening import Arrived
from dashboard.ingest.outgoing import Outgoing, Writer
from dashboard.ingest.rows import Rows
from dashboard.ingest.session import Session
from dashboard.ingest.worker import BATCH, POLL_SECONDS, Worker
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire.base import Payload
from wire.batch import Batch, BatchItem
from wire.codec import open_sealed, payload_json, seal, topic_for
from wire.keys import public_text
from wire.models import Device, Receipt, type_of

MakeDevice = Callable[..., Device]


class MemorySession:
    """What a worker uses of a session; notes the order of things."""

    def __init__(self, log: list[str]) -> None:
        self.arrivals: deque[Arrived] = deque()
        self.trouble = ""
        self.online = True
        self.opened = True
        self.acknowledged: list[int] = []
        self.published: list[Outgoing] = []
        self.waits: list[float] = []
        self._log = log

    def open(self) -> bool:
        return True

    def turn(self, timeout: float) -> None:
        assert timeout >= 0
        self.waits.append(timeout)

    def acknowledge(self, arrived: Arrived) -> None:
        self._log.append("acknowledge")
        self.acknowledged.append(arrived.packet)

    def publish(self, outgoing: Outgoing, now: float) -> bool:
        assert now > 0
        self._log.append("publish")
        self.published.append(outgoing)
        return True

    def close(self) -> None:
        self._log.append("close")


class Bench:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.log: list[str] = []
        self.session = MemorySession(self.log)
        self.box, self.box_sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.server, self.server_sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.moment = 100.0
        with engine.begin() as connection:
            connection.execute(
                schema.site.insert().values(
                    site="site-1",
                    tenant="example",
                    title="1",
                    verify_key=public_text(self.box),
                    seal_key=public_text(self.box_sealing),
                )
            )
        self.handlers: dict[type[Payload], Handler] = {}
        event.listen(engine, "commit", lambda _connection: self.log.append("commit"))
        self.worker = Worker(
            session=cast("Session", self.session),
            engine=engine,
            tenant="example",
            sealing_key=self.server_sealing,
            writer=Writer(tenant="example", signing_key=self.server, run="ingest-1"),
            handlers=self.handlers,
            now=lambda: 1_772_000_000.0,
            monotonic=self._clock,
            pause=lambda _seconds: None,
        )

    def _clock(self) -> float:
        self.moment += 0.001
        return self.moment

    def arrive_batch(self, items: list[tuple[int, Payload]], *, packet: int) -> None:
        """Many in one envelope."""
        batch = Batch(
            epoch="e1",
            items=tuple(
                BatchItem(
                    seq=number, type=type_of(item).ce_type, created=datetime.now(UTC), body=payload_json(item).decode()
                )
                for number, item in items
            ),
        )
        self.arrive(batch, packet, id_="e1-b1")

    def arrive(self, payload: Payload, number: int, *, body: bytes | None = None, id_: str | None = None) -> None:
        topic = topic_for(payload, tenant="example", site="site-1")
        sealed = seal(
            payload_json(payload),
            type_=type_of(payload).ce_type,
            topic=topic,
            id_=id_ or f"e1-{number}",
            sequence=number,
            at=datetime.now(UTC),
            signer=self.box,
            recipient=self.server_sealing.public_key(),
        )
        self.session.arrivals.append(
            Arrived(topic=str(topic), body=sealed if body is None else body, packet=number, connection=1)
        )

    def receipted(self) -> set[int]:
        numbers: set[int] = set()
        for outgoing in self.session.published:
            opened = open_sealed(
                outgoing.body, topic=outgoing.topic, recipient=self.box_sealing, signers=(self.server.public_key(),)
            )
            assert isinstance(opened.payload, Receipt)
            for first, last in opened.payload.ranges:
                numbers |= set(range(first, last + 1))
        return numbers

    def count(self, table: Any) -> int:
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def bench(database_url: str) -> Iterator[Bench]:
    engine = open_engine(database_url)
    upgrade(engine)
    yield Bench(engine)
    engine.dispose()


def test_nothing_is_acknowledged_or_receipted_before_the_commit(bench: Bench, device: MakeDevice) -> None:
    for number in (1, 2, 3):
        bench.arrive(device(number), number)
    bench.worker.turn()
    first = bench.log.index("commit")
    assert bench.log.index("acknowledge") > first
    assert bench.log.index("publish") > bench.log.index("acknowledge")
    assert bench.session.acknowledged == [1, 2, 3]
    assert bench.receipted() == {1, 2, 3}


def test_batches_are_bounded(bench: Bench, device: MakeDevice) -> None:
    for number in range(1, BATCH + 6):
        bench.arrive(device(number), number)
    bench.worker.turn()
    assert len(bench.session.acknowledged) == BATCH
    bench.worker.turn()
    assert bench.receipted() == set(range(1, BATCH + 6))


def test_a_database_that_is_away_costs_nothing_but_time(
    bench: Bench, device: MakeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_event: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    for number in (1, 2):
        bench.arrive(device(number), number)
    event.listen(bench.engine, "before_cursor_execute", _as_operational(away))
    for _ in range(3):
        bench.worker.turn()
        bench.moment += 2
    assert bench.session.acknowledged == []
    assert bench.session.published == []
    assert len(bench.session.arrivals) == 2
    assert len([line for line in caplog.messages if "database is not available" in line]) == 1
    _Away.on = False
    bench.moment += 2
    bench.worker.turn()
    assert bench.receipted() == {1, 2}


def test_a_full_batch_does_not_spin_while_the_database_is_away(bench: Bench, device: MakeDevice) -> None:
    def away(*_event: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    for number in range(1, BATCH + 1):
        bench.arrive(device(number), number)
    event.listen(bench.engine, "before_cursor_execute", _as_operational(away))
    bench.worker.turn()
    bench.session.waits.clear()
    bench.worker.turn()
    assert bench.session.waits == [POLL_SECONDS]
    _Away.on = False


def test_a_refusal_is_audited_once_although_the_commit_failed(bench: Bench, device: MakeDevice) -> None:
    bench.arrive(device(1), 1, body=b"{}")
    fails = iter((True, False))

    def locked(_connection: object) -> None:
        if next(fails, False):
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("database is locked"))

    event.listen(bench.engine, "commit", locked)
    bench.worker.turn()
    assert bench.count(schema.audit) == 0
    assert bench.session.acknowledged == []
    bench.moment += 2
    bench.worker.turn()
    with bench.engine.connect() as connection:
        row = connection.execute(select(schema.audit)).one()
    assert (row.action, row.outcome) == ("message-refused", "refused")
    assert "times" not in row.subject
    assert bench.session.acknowledged == [1]


def test_a_reader_that_does_not_let_go_delays_the_commit_and_loses_nothing(bench: Bench, device: MakeDevice) -> None:
    """With a rollback journal a commit waits for the readers (SQLite, "File Locking", section 3)."""
    event.listen(bench.engine, "checkout", lambda connection, *_: connection.execute("PRAGMA busy_timeout=1").close())
    bench.arrive(device(1), 1)
    with contextlib.closing(sqlite3.connect(str(bench.engine.url.database), isolation_level=None)) as page:
        page.execute("BEGIN")
        page.execute("SELECT * FROM site").fetchall()
        bench.worker.turn()
        assert bench.session.acknowledged == []
    bench.moment += 2
    bench.worker.turn()
    assert bench.session.acknowledged == [1]
    assert bench.receipted() == {1}
    assert bench.count(schema.event) == 1


class _Away:
    on = True


def _as_operational(raising: Callable[..., None]) -> Callable[..., None]:
    def hook(*event_: object) -> None:
        if not _Away.on:
            return
        try:
            raising(*event_)
        except Exception as error:
            raise OperationalError("statement", {}, error) from error

    _Away.on = True
    return hook


def test_a_message_the_database_refuses_stands_alone(
    bench: Bench, device: MakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value no column takes: here the driver's OverflowError for one device of three."""
    real = Rows.event

    def picky(rows: Rows, row: dict[str, Any]) -> None:
        if row["id"] == "e1-2":
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        real(rows, row)

    monkeypatch.setattr(Rows, "event", picky)
    for number in (1, 2, 3):
        bench.arrive(device(number), number)
    bench.worker.turn()
    assert bench.session.acknowledged == [1, 2, 3]
    assert bench.receipted() == {1, 3}
    assert bench.count(schema.event) == 2
    with bench.engine.connect() as connection:
        row = connection.execute(select(schema.audit)).one()
    assert row.subject == "site-1: cannot be stored: OverflowError"


def test_a_flood_of_refusals_is_two_lines_of_audit(bench: Bench, device: MakeDevice) -> None:
    for number in range(1, 51):
        bench.arrive(device(number), number, body=b"{}")
        bench.worker.turn()
    assert bench.count(schema.audit) == 1
    bench.moment += 61
    bench.worker.turn()
    assert bench.count(schema.audit) == 2
    assert len(bench.session.acknowledged) == 50


def test_a_site_without_a_usable_key_gets_rows_but_no_receipt(bench: Bench, device: MakeDevice) -> None:
    with bench.engine.begin() as connection:
        connection.execute(schema.site.update().values(seal_key="none"))
    bench.arrive(device(1), 1)
    bench.worker.turn()
    assert bench.session.acknowledged == [1]
    assert bench.session.published == []
    assert bench.count(schema.event) == 1


def test_it_stops_when_told(bench: Bench) -> None:
    asked = iter((False, False, True))
    bench.worker.run(lambda: next(asked))
    assert bench.log[-1] == "close"


def test_what_an_older_version_could_not_read_is_read_at_the_start(bench: Bench, device: MakeDevice) -> None:
    with bench.engine.begin() as connection:
        for number in range(BATCH + 2):
            connection.execute(
                schema.event.insert().values(
                    source="urn:gatehouse:example:site-1",
                    id=f"e1-{number}",
                    site="site-1",
                    type="gatehouse.device.v1",
                    digest="0" * 64,
                    received_at=1.0,
                    payload={},
                    unread=payload_json(device(number)).decode(),
                )
            )
    for _ in range(4):
        bench.worker.turn()
    with bench.engine.begin() as connection:
        assert connection.execute(select(func.count()).select_from(schema.device)).scalar_one() == BATCH + 2
        unread = connection.execute(select(schema.event.c.id).where(schema.event.c.unread.is_not(None))).all()
    assert unread == []


@pytest.mark.req("R69")
def test_many_in_one_envelope_are_as_many_rows_and_one_receipt(bench: Bench, device: MakeDevice) -> None:
    bench.arrive(device(2), 2)
    bench.worker.turn()
    bench.arrive_batch([(number, device(number)) for number in (1, 2, 3)], packet=9)
    bench.worker.turn()
    assert bench.count(schema.event) == 3
    assert bench.count(schema.device) == 3
    assert bench.session.acknowledged == [2, 9]
    assert bench.receipted() == {1, 2, 3}


@pytest.mark.req("R69")
def test_the_same_number_with_other_words_is_a_finding_also_in_a_batch(bench: Bench, device: MakeDevice) -> None:
    bench.arrive(device(1), 1)
    bench.worker.turn()
    bench.session.published.clear()
    bench.arrive_batch([(1, device(7)), (2, device(2))], packet=9)
    bench.worker.turn()
    assert bench.receipted() == {2}
    with bench.engine.connect() as connection:
        (finding,) = connection.execute(select(schema.finding)).all()
        devices = set(connection.execute(select(schema.device.c.device_id)).scalars())
    assert finding.kind == "ledger-conflict"
    assert finding.finding_id.startswith("srv-")
    assert devices == {"device-1", "device-2"}, "what contradicts the first leaves no trace in the tables"


def test_one_item_that_the_database_refuses_stands_alone_in_its_batch(
    bench: Bench, device: MakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Rows.event

    def picky(rows: Rows, row: dict[str, Any]) -> None:
        real(rows, row | ({"digest": None} if row["id"] == "e1-2" else {}))

    monkeypatch.setattr(Rows, "event", picky)
    bench.arrive_batch([(number, device(number)) for number in (1, 2, 3)], packet=9)
    bench.worker.turn()
    assert bench.receipted() == {1, 3}
    assert bench.count(schema.event) == 2
    assert bench.count(schema.device) == 2


def test_a_large_backlog_is_committed_in_portions(bench: Bench, device: MakeDevice) -> None:
    bench.arrive(device(1), 1)
    size = len(bench.session.arrivals[0].body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashboard.ingest.worker.BATCH_OCTETS", size + 1)
        for number in (2, 3):
            bench.arrive(device(number), number)
        bench.worker.turn()
        assert bench.session.acknowledged == [1, 2]
        bench.worker.turn()
    assert bench.session.acknowledged == [1, 2, 3]
