"""A newer box and an older dashboard: what cannot be read is kept, holds nothing up, and is read later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection, Engine, select, update

from dashboard.ingest.apply import Applied, apply, read_again
from dashboard.ingest.handlers import Handlers
from dashboard.ingest.opening import Arrived, Refusal, open_batch
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire.base import Payload
from wire.codec import Opened, payload_json, seal
from wire.findings import Finding
from wire.keys import public_text
from wire.models import type_of
from wire.topics import Channel, Topic

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = AT.timestamp()


class Desk:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._box, self._server = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        with engine.begin() as connection:
            connection.execute(
                schema.site.insert().values(
                    site="site-1", tenant="example", title="1", verify_key=public_text(self._box), seal_key="A" * 44
                )
            )

    def message(self, body: bytes, number: str, *, type_: str, channel: Channel, name: str) -> Arrived:
        topic = Topic(tenant="example", site="site-1", channel=channel, name=name)
        sealed = seal(
            body,
            type_=type_,
            topic=topic,
            id_=number,
            sequence=1,
            at=AT,
            signer=self._box,
            recipient=self._server.public_key(),
        )
        return Arrived(topic=str(topic), body=sealed, packet=1, connection=1)

    def known(self, payload: Payload, number: int, **changes: Any) -> Arrived:
        """A message of today's types, with fields as no version of today has them."""
        entry = type_of(payload)
        body = json.dumps(json.loads(payload_json(payload)) | changes).encode()
        return self.message(body, f"e1-{number}", type_=entry.ce_type, channel=entry.channel, name=entry.name)

    def take(self, *batch: Arrived) -> Applied:
        with self.engine.begin() as connection:
            results = open_batch(connection, batch, tenant="example", sealing_key=self._server)
            done = apply(connection, [item for item in results if not isinstance(item, Refusal)], NOW)
            done.refusals[:0] = [item for item in results if isinstance(item, Refusal)]
        return done

    def read_all(self, handlers: Handlers | None = None) -> None:
        after: tuple[str, str] | None = ("", "")
        while after is not None:
            with self.engine.begin() as connection:
                after = read_again(connection, NOW, after=after, most=2, handlers=handlers or {})

    def learn(self) -> None:
        """The version that comes next knows the kind: the same words, now of a kind that there is."""
        with self.engine.begin() as connection:
            for row in connection.execute(select(schema.event)).all():
                if row.unread:
                    text = row.unread.replace("of-next-year", "visit-over")
                    connection.execute(update(schema.event).where(schema.event.c.id == row.id).values(unread=text))

    def rows(self, table: Any) -> list[Any]:
        with self.engine.begin() as connection:
            return list(connection.execute(select(table)))


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    engine = open_engine(database_url)
    upgrade(engine)
    yield Desk(engine)
    engine.dispose()


def test_an_unknown_kind_of_finding_is_kept_and_receipted_and_holds_nothing_up(
    desk: Desk, finding: Callable[..., Finding], device: Callable[..., Any]
) -> None:
    batch = [desk.known(device(1), 1), desk.known(finding(1), 2, kind="of-next-year"), desk.known(finding(2), 3)]
    done = desk.take(*batch)
    assert done.numbers == {("site-1", "e1"): {1, 2, 3}}
    assert [(item.action, item.site) for item in done.refusals] == [("message-unread", "site-1")]
    assert [row.finding_id for row in desk.rows(schema.finding)] == ["finding-2"]
    assert len(desk.rows(schema.device)) == 1
    again = desk.take(*batch)
    assert (again.stored, again.repeated, again.refusals) == (0, 3, [])
    assert again.numbers == done.numbers
    other = desk.take(desk.known(finding(1), 2, kind="of-another-year"))
    assert [item.action for item in other.refusals] == ["event-conflict"]


def test_an_unknown_type_is_kept_as_it_was_signed(desk: Desk) -> None:
    body = b'{"sleeps": "na\xc3\xafvely"}'
    done = desk.take(desk.message(body, "e1-9", type_="gatehouse.dream.v1", channel=Channel.EVENT, name="dream"))
    assert done.numbers == {("site-1", "e1"): {9}}
    (row,) = desk.rows(schema.event)
    assert (row.type, row.payload, row.unread) == ("gatehouse.dream.v1", {}, body.decode())
    desk.read_all()
    assert desk.rows(schema.event) == [row]


def test_a_newer_version_reads_what_was_kept(desk: Desk, finding: Callable[..., Finding]) -> None:
    numbers = range(1, 6)
    desk.take(*(desk.known(finding(number), number, kind="of-next-year") for number in numbers))
    desk.take(desk.known(finding(3, 2, state="closed"), 9))
    desk.learn()
    desk.read_all()
    assert not [row for row in desk.rows(schema.event) if row.unread is not None or not row.payload]
    found = {row.finding_id: (row.kind, row.state) for row in desk.rows(schema.finding)}
    assert set(found) == {f"finding-{number}" for number in numbers}
    assert found["finding-1"] == ("visit-over", "open")
    assert found["finding-3"] == ("unregistered-device", "closed"), "the higher revision stands"


def test_one_that_the_database_refuses_stays_and_the_next_are_read(
    desk: Desk, finding: Callable[..., Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.ingest import rows as module

    desk.take(*(desk.known(finding(number), number, kind="of-next-year") for number in (1, 2)))
    desk.learn()
    real = module._finding_row

    def poisoned(site: str, found: Finding, plain: dict[str, Any], now: float) -> dict[str, Any]:
        return real(site, found, plain, now) | ({"kind": None} if found.finding_id == "finding-1" else {})

    monkeypatch.setattr(module, "_finding_row", poisoned)
    desk.read_all()
    assert [row.finding_id for row in desk.rows(schema.finding)] == ["finding-2"]
    assert [row.id for row in desk.rows(schema.event) if row.unread is not None] == ["e1-1"]


@pytest.mark.req("R69")
def test_what_is_read_late_reaches_its_handler_too(desk: Desk, finding: Callable[..., Finding]) -> None:
    handed: list[tuple[str, str, str]] = []

    def handler(_connection: Connection, opened: Opened, _now: float) -> Iterator[Payload]:
        assert isinstance(opened.payload, Finding)
        if opened.payload.finding_id == "finding-1":
            raise KeyError("it stumbles")
        handed.append((opened.topic.site, opened.envelope.id, opened.payload.finding_id))
        yield opened.payload

    desk.take(*(desk.known(finding(number), number, kind="of-next-year") for number in (1, 2)))
    desk.learn()
    desk.read_all({Finding: handler})
    desk.read_all({Finding: handler})
    assert handed == [("site-1", "e1-2", "finding-2")]
    assert [row.finding_id for row in desk.rows(schema.finding)] == ["finding-2"], "the other is kept for a better one"


@pytest.mark.req("R69")
def test_a_box_does_not_speak_for_the_dashboard_by_speaking_of_next_year(
    desk: Desk, finding: Callable[..., Finding]
) -> None:
    desk.take(desk.known(finding(1), 1, kind="of-next-year", finding_id="srv-1"))
    desk.learn()
    desk.read_all()
    assert desk.rows(schema.finding) == []


@pytest.mark.parametrize(
    "body",
    [b"[" * 30_000, b"[]", b"7", b'"x"', b"{", b"\xff\xfe{}", b'{"a": "\x00"}', b"", b'{"a": ' * 5_000],
)
def test_what_is_no_json_object_is_refused(desk: Desk, body: bytes) -> None:
    done = desk.take(desk.message(body, "e1-1", type_="gatehouse.dream.v1", channel=Channel.STATE, name="dream"))
    assert done.numbers == {}
    assert [item.action for item in done.refusals] == ["message-refused"]
    assert desk.rows(schema.event) == []


@pytest.mark.parametrize(
    ("type_", "channel", "name"),
    [
        ("gatehouse.dream.v1", Channel.STATUS, "dream"),
        ("gatehouse.status.v1", Channel.STATUS, "box"),
        ("gatehouse.dream.v1", Channel.CMD, "dream"),
        ("gatehouse.command.v1", Channel.CMD, "command"),
        ("gatehouse.finding.v1", Channel.STATE, "device"),
    ],
)
def test_a_heartbeat_or_what_comes_the_wrong_way_is_not_kept(
    desk: Desk, type_: str, channel: Channel, name: str
) -> None:
    done = desk.take(desk.message(b'{"future": 1}', "e1-1", type_=type_, channel=channel, name=name))
    assert done.numbers == {}
    assert [item.action for item in done.refusals] == ["message-refused"]


def test_a_strangers_unknown_message_is_not_kept(desk: Desk) -> None:
    arrived = desk.message(b"{}", "e1-1", type_="gatehouse.dream.v1", channel=Channel.EVENT, name="dream")
    with desk.engine.begin() as connection:
        key = public_text(Ed25519PrivateKey.generate())
        connection.execute(update(schema.site).values(verify_key=key))
    assert [item.why for item in desk.take(arrived).refusals] == ["signed by no known key"]


def test_without_anything_unread_there_is_nothing_to_do(desk: Desk, device: Callable[..., Any]) -> None:
    desk.take(desk.known(device(1), 1))
    with desk.engine.begin() as connection:
        assert read_again(connection, NOW, after=("", ""), most=2) is None


def test_an_unread_message_holds_no_word_of_its_payload_in_the_audit(
    desk: Desk, finding: Callable[..., Finding]
) -> None:
    done = desk.take(desk.known(finding(1), 1, kind="secret-word"))
    assert "secret-word" not in done.refusals[0].why
