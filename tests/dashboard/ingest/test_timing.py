from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import create_engine

from dashboard.ingest.handlers import Means, assemble
from wire.base import Payload
from wire.box import BoxStatus
from wire.codec import Opened, read_envelope, seal
from wire.keys import public_text
from wire.timing import TimeAnswer, TimeRequest, run_key, seal_run_key
from wire.topics import Channel, Topic

NOW = 1_900_000_000.0
NONCE = "ab" * 32


def ask(payload: Payload, server: X25519PrivateKey, *, site: str = "box-1") -> list[Payload]:
    """What the handlers of a server with this sealing key answer to a box of `site`."""
    topic = Topic(tenant="force-a", site=site, channel=Channel.TELEMETRY, name="time")
    raw = seal(
        b"{}",
        type_="gatehouse.time.v1",
        topic=topic,
        id_="e-s1",
        sequence=1,
        at=datetime.fromtimestamp(NOW, UTC),
        signer=Ed25519PrivateKey.generate(),
        recipient=server.public_key(),
    )
    opened = Opened(topic=topic, envelope=read_envelope(raw), payload=payload, digest="0" * 64)
    handlers = assemble(Means(tenant="force-a", signing_key=Ed25519PrivateKey.generate(), sealing_key=server))
    with create_engine("sqlite://").begin() as connection:
        return list(handlers[TimeRequest](connection, opened, NOW))


@pytest.mark.req("R54")
def test_a_question_is_answered_with_its_nonce_and_the_servers_time() -> None:
    answers = ask(TimeRequest(nonce=NONCE, boot="ab12"), X25519PrivateKey.generate())
    assert answers == [TimeAnswer(nonce=NONCE, at=datetime.fromtimestamp(NOW, UTC))]


@pytest.mark.req("R54")
def test_the_key_comes_back_only_to_the_box_and_the_run_that_it_was_sealed_for() -> None:
    server, private = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    sealed = seal_run_key(private, server.public_key(), tenant="force-a", site="box-1", boot="ab12")
    question = TimeRequest(nonce=NONCE, boot="ab12", sealed_key=sealed, sealed=3)
    (answer,) = ask(question, server)
    assert isinstance(answer, TimeAnswer)
    assert answer.key is not None
    opened = run_key(answer.key)
    assert opened is not None
    assert public_text(opened) == public_text(private)
    for other in (
        ask(question.model_copy(update={"boot": "cd34"}), server),
        ask(question, server, site="box-2"),
        ask(question, X25519PrivateKey.generate()),
        ask(question.model_copy(update={"sealed_key": "no key"}), server),
    ):
        assert other == [TimeAnswer(nonce=NONCE, at=datetime.fromtimestamp(NOW, UTC))]


def test_another_payload_is_not_answered() -> None:
    assert ask(BoxStatus(online=True, at=datetime.fromtimestamp(NOW, UTC)), X25519PrivateKey.generate()) == []
