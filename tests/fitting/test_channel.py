from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.fitting.channel import MAX_FRAME, MAX_UNSENT, Brought, Channel, ChannelError, Message, Reported, Show
from appliance.fitting.uplink import Desk
from wire.enrolment import MAX_ANSWER


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield Channel(one), other


def carried(message: Message) -> list[Message]:
    one, other = socket.socketpair()
    with one, other:
        sender, receiver = Channel(one), Channel(other)
        sender.send(message)
        found: list[Message] = []
        for _ in range(100):
            sender.flush()
            found += receiver.receive()
            if found and not sender.unsent:
                break
        return found


@pytest.mark.parametrize(
    "message",
    [
        Show(site="box-1", request="x" * 9000),
        Reported(desk=Desk.WAITING, names=False),
        Brought(answer="A" * MAX_ANSWER),
    ],
)
def test_messages_come_whole(message: Message) -> None:
    assert carried(message) == [message]


def test_one_that_hangs_up_is_told(pair: tuple[Channel, socket.socket]) -> None:
    channel, other = pair
    other.close()
    with pytest.raises(ChannelError, match="gone"):
        channel.receive()


def test_one_that_does_not_read_is_let_go(pair: tuple[Channel, socket.socket]) -> None:
    channel, _other = pair
    with pytest.raises(ChannelError, match="does not read"):  # noqa: PT012 - it fills up
        for _ in range(MAX_UNSENT // MAX_ANSWER + 3):
            channel.send(Brought(answer="A" * MAX_ANSWER))


@pytest.mark.parametrize(
    "raw",
    [
        struct.pack("!I", MAX_FRAME + 1),
        struct.pack("!I", 2) + b"{}",
        struct.pack("!I", 3) + b"\xff\xfe\x00",
        *(
            struct.pack("!I", len(body)) + body
            for body in (
                msgspec.json.encode({"type": "brought", "answer": "A" * (MAX_ANSWER + 1)}),
                b'{"type":"reported","desk":"else"}',
                b'{"type":"reported","more":1}',
                b"[" * 5000,
            )
        ),
    ],
)
def test_what_is_no_message_ends_the_connection(pair: tuple[Channel, socket.socket], raw: bytes) -> None:
    channel, other = pair
    other.setblocking(False)
    sent = 0
    with pytest.raises(ChannelError):  # noqa: PT012 - it may take several readings
        for _ in range(100):
            with contextlib.suppress(BlockingIOError):
                sent += other.send(raw[sent:]) if sent < len(raw) else 0
            channel.receive()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(min_size=1, max_size=200))
def test_any_octets_are_messages_or_the_end(junk: bytes) -> None:
    one, other = socket.socketpair()
    with one, other:
        other.sendall(junk)
        other.shutdown(socket.SHUT_WR)
        channel = Channel(one)
        with pytest.raises(ChannelError):  # noqa: PT012 - the last reading finds the end
            for _ in range(9):
                channel.receive()
