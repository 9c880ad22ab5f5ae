from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import link
from appliance.messages import InboundDone, LinkChanged, MessageError, NoticeRequest, StatusRequest, TapsHanded


@pytest.fixture
def pair() -> Iterator[tuple[link.Link, link.Link]]:
    ends = [link.Link(sock) for sock in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]
    yield ends[0], ends[1]
    for end in ends:
        end.close()


def test_a_batch_arrives_whole_and_in_order(pair: tuple[link.Link, link.Link]) -> None:
    batch = (StatusRequest(), LinkChanged(ts=1.0, interface="lan0", up=True), NoticeRequest())
    pair[0].send(*batch)
    pair[0].send(InboundDone(token=7))
    assert pair[1].receive() == list(batch)
    assert pair[1].receive() == [InboundDone(token=7)]
    assert pair[1].receive() == []


def test_descriptors_ride_along(pair: tuple[link.Link, link.Link]) -> None:
    read, write = os.pipe()
    pair[0].send(TapsHanded(taps=("flow",)), descriptors=[write])
    os.close(write)
    found, descriptors = pair[1].receive_descriptors()
    assert found == [TapsHanded(taps=("flow",))]
    os.write(descriptors[0], b"x")
    assert os.read(read, 1) == b"x"
    os.close(descriptors[0])
    os.close(read)
    assert pair[1].receive_descriptors() == ([], [])


def test_a_peer_that_is_gone_is_told(pair: tuple[link.Link, link.Link]) -> None:
    pair[0].close()
    with pytest.raises(link.LinkClosedError):
        pair[1].receive()
    with pytest.raises(link.LinkClosedError):
        pair[1].receive_descriptors()
    with pytest.raises(link.LinkClosedError):
        pair[1].send(StatusRequest())


def test_a_peer_that_does_not_read_is_told_and_nothing_is_half_sent(pair: tuple[link.Link, link.Link]) -> None:
    sent = 0
    full = False
    while not full and sent < 1_000_000:
        try:
            pair[0].send(InboundDone(token=sent))
            sent += 1
        except link.LinkFullError:
            full = True
    assert full
    assert [pair[1].receive() for _ in range(sent)] == [[InboundDone(token=number)] for number in range(sent)]
    assert pair[1].receive() == []


def test_what_is_no_message_is_refused() -> None:
    raw, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end = link.Link(other)
    raw.send(b"[{]")
    with pytest.raises(MessageError):
        end.receive()
    # A descriptor that rides on nonsense is closed, not kept: its other end says so.
    read, write = os.pipe()
    socket.send_fds(raw, [b"[{]"], [write])
    os.close(write)
    with pytest.raises(MessageError):
        end.receive_descriptors()
    assert os.read(read, 1) == b""
    os.close(read)
    raw.close()
    end.close()


def test_listen_replaces_what_a_killed_process_left(short_path: Path) -> None:
    path = short_path / "a.sock"
    link.listen(path).close()
    assert stat.S_ISSOCK(path.stat().st_mode)
    with link.listen(path) as listener:
        client = link.connect(path)
        server = link.accept(listener, {os.getuid()})
        assert server is not None
        client.send(StatusRequest())
        assert server.receive() == [StatusRequest()]
        assert link.accept(listener, {os.getuid()}) is None
        client.close()
        server.close()


def test_a_peer_of_another_uid_is_turned_away(short_path: Path) -> None:
    path = short_path / "a.sock"
    with link.listen(path) as listener:
        client = link.connect(path)
        assert link.accept(listener, {os.getuid() + 1}) is None
        with pytest.raises(link.LinkClosedError):
            client.receive()
        client.close()


def test_nobody_listens(short_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        link.connect(short_path / "none.sock")
