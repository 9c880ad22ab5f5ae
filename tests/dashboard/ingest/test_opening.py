"""What the broker delivered: opened, or refused with a reason that holds nothing of its payload."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, insert

from dashboard.ingest.opening import Arrived, Refusal, open_batch
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire.box import BoxStatus
from wire.codec import Opened, payload_json, seal
from wire.keys import public_text
from wire.models import Receipt, type_of
from wire.topics import Topic

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOX, SERVER = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_engine(database_url)
    upgrade(made)
    row = {"tenant": "example", "title": "EX-1", "verify_key": public_text(BOX), "seal_key": "A" * 43 + "="}
    with made.begin() as connection:
        connection.execute(insert(schema.site), [row | {"site": "box-1"}, row | {"site": "box-2", "verify_key": "?"}])
    yield made
    made.dispose()


def arrived(payload: BoxStatus | Receipt, *, site: str = "box-1", topic: str | None = None, **keys: object) -> Arrived:
    entry = type_of(payload)
    true_topic = Topic(tenant="example", site=site, channel=entry.channel, name=entry.name)
    signer = keys.get("signer", BOX)
    assert isinstance(signer, Ed25519PrivateKey)
    body = seal(
        payload_json(payload),
        type_=entry.ce_type,
        topic=true_topic,
        id_="e-1",
        sequence=1,
        at=AT,
        signer=signer,
        recipient=SERVER.public_key(),
    )
    return Arrived(topic=topic or str(true_topic), body=body, packet=1, connection=1)


STATUS = BoxStatus(online=True, at=AT, authority="plainly-secret-word")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (arrived(STATUS, topic="elsewhere/v1"), "not a topic of ours"),
        (arrived(STATUS, site="box-9"), "unknown site"),
        (arrived(STATUS, site="box-2"), "not a key"),
        (arrived(STATUS, topic="gatehouse/v1/other/box-1/status/box"), "unknown site"),
        (arrived(STATUS, signer=Ed25519PrivateKey.generate()), "signed by no known key"),
        (arrived(Receipt(epoch="e", ranges=((1, 2),), at=AT)), "not a message a box may send"),
        (Arrived(topic="gatehouse/v1/example/box-1/status/box", body=b"{", packet=1, connection=1), "not an envelope"),
    ],
)
@pytest.mark.req("R69")
def test_what_does_not_hold_is_refused_with_a_reason(engine: Engine, message: Arrived, why: str) -> None:
    with engine.begin() as connection:
        good, bad = open_batch(connection, [arrived(STATUS), message], tenant="example", sealing_key=SERVER)
    assert isinstance(good, Opened), "one bad message does not spoil the batch"
    assert isinstance(bad, Refusal)
    assert why in bad.why
    assert "plainly-secret-word" not in bad.why


@pytest.mark.req("N3", "S6")
def test_what_a_revoked_box_says_does_not_count(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(schema.site.update().where(schema.site.c.site == "box-1").values(revoked_at=1.0))
        (said,) = open_batch(connection, [arrived(STATUS)], tenant="example", sealing_key=SERVER)
    assert isinstance(said, Refusal)
    assert said.why == "unknown site"
