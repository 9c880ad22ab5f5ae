"""Who does more with a message than keep it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection, Engine

from dashboard.ingest.apply import Applied, apply
from dashboard.ingest.handlers import MAX_ANSWERS, Handlers, Means, assemble
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire.base import Payload
from wire.codec import Envelope, Opened, source, topic_for
from wire.models import TYPES, Device, type_of
from wire.timing import TimeAnswer, TimeRequest

NOW = 1_772_000_000.0


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


def _opened(payload: Payload, id_: str) -> Opened:
    envelope = Envelope(
        id=id_,
        source=source("example", "site-1"),
        type=type_of(payload).ce_type,
        time=datetime.fromtimestamp(NOW, UTC),
        sequence="1",
    )
    return Opened(
        topic=topic_for(payload, tenant="example", site="site-1"), envelope=envelope, payload=payload, digest="0" * 64
    )


def _apply(engine: Engine, handlers: Handlers, *batch: Opened, careful: bool = False) -> Applied:
    with engine.begin() as connection:
        return apply(connection, batch, NOW, handlers=handlers, careful=careful)


def _answer(_connection: Connection, _opened: Opened, now: float) -> Iterable[Payload]:
    return (TimeAnswer(nonce="a1" * 32, at=datetime.fromtimestamp(now, UTC)),)


@pytest.mark.req("R54")
@pytest.mark.parametrize("careful", [False, True])
def test_a_new_message_is_handed_on_once_and_telemetry_each_time(engine: Engine, device: Any, careful: bool) -> None:
    handlers: Handlers = {Device: _answer, TimeRequest: _answer}
    question = _opened(TimeRequest(nonce="a1" * 32, boot="01"), "e1-s5")
    done = _apply(engine, handlers, _opened(device(1), "e1-1"), question, question, careful=careful)
    assert [site for site, _ in done.answers] == ["site-1"] * 3
    assert (done.stored, done.numbers) == (1, {("site-1", "e1"): {1}})
    again = _apply(engine, handlers, _opened(device(1), "e1-1"), careful=careful)
    assert (again.answers, again.repeated) == ([], 1)


@pytest.mark.parametrize("error", [OverflowError("no column takes it"), KeyError("no such thing"), RecursionError()])
def test_a_handler_that_fails_takes_only_its_message_with_it(engine: Engine, device: Any, error: Exception) -> None:
    def picky(_connection: Connection, opened: Opened, _now: float) -> Iterable[Payload]:
        yield device(int(opened.envelope.id[-1]))
        if opened.envelope.id == "e1-2":
            raise error

    done = _apply(engine, {Device: picky}, *(_opened(device(n), f"e1-{n}") for n in (1, 2, 3)), careful=True)
    assert done.numbers == {("site-1", "e1"): {1, 3}}
    assert [refusal.why for refusal in done.refusals] == [f"cannot be stored: {type(error).__name__}"]
    assert [answer for _, answer in done.answers] == [device(1), device(3)], "what it had said by then is not said"


def test_answers_are_bounded(engine: Engine, device: Any) -> None:
    many = _apply(engine, {Device: lambda *_: iter([device(9)] * 50)}, _opened(device(1), "e1-1"))
    assert len(many.answers) == MAX_ANSWERS


def test_every_handler_is_for_a_message_that_goes_up() -> None:
    means = Means(tenant="example", signing_key=Ed25519PrivateKey.generate(), sealing_key=X25519PrivateKey.generate())
    up = {entry.model for entry in TYPES.values() if entry.up}
    assert set(assemble(means)) <= up
