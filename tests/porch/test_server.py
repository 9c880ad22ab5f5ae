from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.porch.server import DEADLINE, MAX_CONNECTIONS, MAX_HEAD, MAX_PER_ADDRESS, Reply, Server


class Rig:
    """A server on loopback with a clock that only the test moves."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.server = Server(
            self.listener, lambda asked: Reply(content_type="text/plain", body=asked.path.encode()), self.selector
        )
        self.now = 1000.0
        self.clients: list[socket.socket] = []

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            for key, _events in self.selector.select(0.02):
                key.data(self.now)

    def client(self, source: str = "127.0.0.1") -> socket.socket:
        client = socket.create_connection(self.listener.getsockname(), timeout=5, source_address=(source, 0))
        self.clients.append(client)
        return client

    def ask(self, request: bytes) -> bytes:
        client = self.client()
        client.setblocking(False)
        answer = b""
        sent = 0
        for _ in range(2000):
            try:
                sent += client.send(request[sent : sent + 65536]) if sent < len(request) else 0
                chunk = client.recv(65536)
                if not chunk:
                    break
                answer += chunk
            except BlockingIOError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                break
            if not self.server.open and sent >= len(request) and not answer:
                self.turn()
            self.turn()
        return answer


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.server.close()
    rig.listener.close()
    rig.selector.close()
    for client in rig.clients:
        client.close()


@pytest.mark.parametrize("path", ["/", "/generate_204", "/hotspot-detect.html", "/a/b?c=d"])
@pytest.mark.req("R59")
def test_any_path_is_answered_with_the_page(rig: Rig, path: str) -> None:
    answer = rig.ask(f"GET {path} HTTP/1.1\r\nHost: example.org\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == path.encode()


def test_head_has_the_headers_and_no_body(rig: Rig) -> None:
    answer = rig.ask(b"HEAD /abc HTTP/1.1\r\nHost: example.org\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: 4" in head.lower()
    assert body == b""


def test_headers_are_strict_and_set_no_cookie(rig: Rig) -> None:
    head = rig.ask(b"GET / HTTP/1.1\r\nHost: example.org\r\nCookie: a=b\r\n\r\n").partition(b"\r\n\r\n")[0].lower()
    assert b"content-security-policy: default-src 'none'" in head
    assert b"cache-control: no-store" in head
    assert b"x-content-type-options: nosniff" in head
    assert b"connection: close" in head
    assert b"set-cookie" not in head


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"])
def test_other_methods_are_refused(rig: Rig, method: str) -> None:
    answer = rig.ask(f"{method} / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 0\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 405 Method Not Allowed")
    assert b"allow: get, head, post" in answer.lower()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTQ/1.1\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"\r\n" * 20 + b"x\r\n\r\n",
    ],
)
def test_garbage_is_answered_as_such_or_dropped(rig: Rig, request_bytes: bytes) -> None:
    client = rig.client()
    client.sendall(request_bytes)
    client.shutdown(socket.SHUT_WR)
    rig.turn(5)
    assert client.recv(65536)[:12] in {b"", b"HTTP/1.1 400", b"HTTP/1.1 505"}
    assert rig.server.open == 0


def test_a_header_of_a_megabyte_is_cut_off(rig: Rig) -> None:
    answer = rig.ask(b"GET / HTTP/1.1\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n")
    assert answer[:12] in {b"", b"HTTP/1.1 431"}  # the reset may overtake the answer
    assert rig.server.open == 0


def test_a_header_just_over_the_bound_is_named(rig: Rig) -> None:
    client = rig.client()
    client.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD)
    rig.turn(6)
    assert client.recv(65536).startswith(b"HTTP/1.1 431")


def test_slow_headers_have_one_deadline_for_everything(rig: Rig) -> None:
    client = rig.client()
    rig.turn()
    for _ in range(10):
        client.sendall(b"G")
        rig.turn()
        rig.now += DEADLINE / 20
        rig.server.expire(rig.now)
    assert rig.server.open == 1
    rig.now += DEADLINE / 2
    rig.server.expire(rig.now)
    assert rig.server.open == 0


def test_a_reader_that_does_not_read_is_let_go(rig: Rig) -> None:
    rig.server._answer = lambda _asked: Reply(content_type="text/plain", body=b"x" * 50_000_000)
    client = rig.client()
    client.sendall(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
    rig.turn(3)
    assert rig.server.open == 1
    rig.server.expire(rig.now + DEADLINE)
    assert rig.server.open == 0


def test_two_hundred_connections_are_bounded_and_counted(rig: Rig) -> None:
    for number in range(200):
        rig.client(f"127.0.0.{2 + number % 50}")
        rig.turn()
    assert rig.server.open == MAX_CONNECTIONS
    assert rig.server.refused == 200 - MAX_CONNECTIONS
    rig.server.expire(rig.now + DEADLINE)
    assert rig.server.open == 0
    assert not rig.server._addresses
    assert rig.ask(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_one_address_cannot_shut_out_the_others(rig: Rig) -> None:
    for _ in range(MAX_PER_ADDRESS + 5):
        rig.client("127.0.0.9")
        rig.turn()
    assert rig.server.open == MAX_PER_ADDRESS
    assert rig.server.refused == 5
    assert rig.ask(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").startswith(b"HTTP/1.1 200")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300), cut=st.integers(0, 40))
def test_arbitrary_bytes_raise_nothing_and_leave_nothing(rig: Rig, junk: bytes, cut: int) -> None:
    request = b"GET /abc HTTP/1.1\r\nHost: example.org\r\n\r\n"
    client = rig.client()
    client.sendall(request[:cut] + junk)
    client.shutdown(socket.SHUT_WR)
    rig.turn(4)
    rig.server.expire(rig.now + DEADLINE)
    assert rig.server.open == 0
    client.close()
