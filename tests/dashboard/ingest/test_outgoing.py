from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from dashboard.ingest.outgoing import (
    ANSWER_GRACE,
    MAX_COMMANDS,
    MAX_RANGES,
    Outgoing,
    Writer,
    due_commands,
    expire,
    ranges,
    receipts,
    send_command,
)
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire.base import Correction, Standing
from wire.codec import open_sealed
from wire.keys import public_text
from wire.models import Command
from wire.orders import AnswerProposal, BindPassphrase, CorrectDevice, Order, RunProbe, SetStanding, SplitDevice

NOW = 1_772_000_000.0
SERVER = Ed25519PrivateKey.generate()
BOX = X25519PrivateKey.generate()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_engine(database_url)
    upgrade(made)
    with made.begin() as connection:
        for site, key in (("site-1", public_text(BOX)), ("site-2", "no key")):
            connection.execute(
                schema.site.insert().values(site=site, tenant="example", title=site, verify_key="-", seal_key=key)
            )
        connection.execute(
            schema.account.insert().values(account_id="officer-1", name="Officer", role="officer", failures=0)
        )
    yield made
    made.dispose()


@pytest.fixture
def writer() -> Writer:
    return Writer(tenant="example", signing_key=SERVER, run="ingest-1-0000")


def ask(engine: Engine, name: str, *, site: str = "site-1", created: float = NOW, body: object = None) -> None:
    standing = SetStanding(device_id="device-1", standing=Standing.HOUSEHOLD).model_dump(mode="json")
    with engine.begin() as connection:
        connection.execute(
            schema.command.insert().values(
                command_id=name,
                site=site,
                device_id="device-1",
                body=standing if body is None else body,
                reason="asked",
                by="officer-1",
                created_at=created,
                expires_at=created + 600,
                state="waiting",
                detail="",
            )
        )


def send(engine: Engine, writer: Writer, now: float = NOW, again: tuple[str, ...] = ()) -> list[Outgoing]:
    with engine.begin() as connection:
        sent = [send_command(connection, row, writer, now) for row in due_commands(connection, now, again=again)]
    return [item for item in sent if item is not None]


def states(engine: Engine) -> dict[str, tuple[str, int | None]]:
    with engine.begin() as connection:
        return {row.command_id: (row.state, row.sequence) for row in connection.execute(select(schema.command))}


def opened(outgoing: Outgoing) -> Command:
    whole = open_sealed(outgoing.body, topic=outgoing.topic, recipient=BOX, signers=(SERVER.public_key(),))
    assert isinstance(whole.payload, Command)
    return whole.payload


@given(numbers=st.sets(st.integers(min_value=0, max_value=3000), min_size=1))
def test_receipts_hold_exactly_the_numbers(numbers: set[int]) -> None:
    held: set[int] = set()
    for receipt in receipts(numbers, epoch="e1", now=NOW):
        assert len(receipt.ranges) <= MAX_RANGES
        for first, last in receipt.ranges:
            held |= set(range(first, last + 1))
    assert held == numbers


def test_ranges_join_neighbours_and_further_ranges_become_further_receipts() -> None:
    assert ranges([5, 1, 2, 2, 3, 9]) == [(1, 3), (5, 5), (9, 9)]
    assert ranges([]) == []
    assert [len(item.ranges) for item in receipts(range(0, 600, 2), epoch="e1", now=NOW)] == [256, 44]


def test_commands_are_numbered_in_the_order_they_were_asked(engine: Engine, writer: Writer) -> None:
    ask(engine, "second", created=NOW + 1)
    ask(engine, "first", created=NOW)
    commands = [opened(item) for item in send(engine, writer, NOW + 2)]
    assert [(item.command_id, item.sequence) for item in commands] == [("first", 1), ("second", 2)]
    assert commands[0].by == "officer-1"
    assert commands[0].expires_at.timestamp() == NOW + 600
    assert states(engine) == {"first": ("sent", 1), "second": ("sent", 2)}
    assert send(engine, writer, NOW + 3) == []


def test_an_unanswered_command_goes_again_under_its_old_number(engine: Engine, writer: Writer) -> None:
    ask(engine, "first")
    once = send(engine, writer)[0]
    again = send(engine, writer, NOW + 30, again=("first",))[0]
    assert opened(once) == opened(again)
    assert once.body != again.body
    assert again.expires_at == NOW + 600
    assert send(engine, writer, NOW + 601, again=("first",)) == []


def test_commands_expire_and_no_word_is_put_into_the_boxs_mouth(engine: Engine, writer: Writer) -> None:
    ask(engine, "sent")
    send(engine, writer)
    ask(engine, "waiting")
    with engine.begin() as connection:
        assert expire(connection, NOW + 599) == 0
        assert expire(connection, NOW + 600) == 1
        assert expire(connection, NOW + 600 + ANSWER_GRACE) == 1
    assert {name: state for name, (state, _) in states(engine).items()} == {
        "sent": "unanswered",
        "waiting": "unsent",
    }


def test_what_cannot_be_sent_is_said_and_does_not_hold_up_the_rest(engine: Engine, writer: Writer) -> None:
    ask(engine, "no-key", site="site-2")
    ask(engine, "no-body", body={"action": "something-else"})
    ask(engine, "good")
    assert [opened(item).command_id for item in send(engine, writer)] == ["good"]
    assert {name: state for name, (state, _) in states(engine).items()} == {
        "no-key": "unsent",
        "no-body": "unsent",
        "good": "sent",
    }


@pytest.mark.req("N3")
def test_a_revoked_box_is_told_nothing_more(engine: Engine, writer: Writer) -> None:
    ask(engine, "one")
    send(engine, writer)
    ask(engine, "two")
    with engine.begin() as connection:
        connection.execute(update(schema.site).where(schema.site.c.site == "site-1").values(revoked_at=NOW))
    assert send(engine, writer, again=("one",)) == []


def test_one_poll_takes_a_bounded_number(engine: Engine, writer: Writer) -> None:
    for number in range(MAX_COMMANDS + 5):
        ask(engine, f"command-{number}")
    assert len(send(engine, writer)) == MAX_COMMANDS
    assert len(send(engine, writer)) == 5


@pytest.mark.parametrize(
    "order",
    [
        SetStanding(device_id="device-1", standing=Standing.WORK),
        CorrectDevice(device_id="device-1", correction=Correction(category="tv")),
        AnswerProposal(proposal_id="proposal-1", confirm=True),
        SplitDevice(device_id="device-1", macs=("02:00:5e:00:53:01",)),
        BindPassphrase(key_id="k-1", purpose="household"),
        RunProbe(kind="dhcp"),
    ],
)
def test_every_order_goes_as_it_was_asked(engine: Engine, writer: Writer, order: Order) -> None:
    ask(engine, "order", body=order.model_dump(mode="json", exclude_none=True))
    (sent,) = send(engine, writer)
    assert opened(sent).body == order
