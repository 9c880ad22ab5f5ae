from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.web import (
    DEADLINE,
    GRACE,
    HOLD,
    MAX_BODY,
    MAX_CONNECTIONS,
    MAX_HEAD,
    MAX_PER_ADDRESS,
    Asked,
    Reply,
    Server,
)


@pytest.mark.parametrize("path", ["/", "/generate_204", "/hotspot-detect.html", "/a/b?c=d"])
@pytest.mark.req("R59")
def test_any_path_is_answered_with_the_page(rig: Any, path: str) -> None:
    answer = rig.ask(f"GET {path} HTTP/1.1\r\nHost: example.org\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == path.encode()


def test_head_has_the_headers_and_no_body(rig: Any) -> None:
    answer = rig.ask(b"HEAD /abc HTTP/1.1\r\nHost: example.org\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: 4" in head.lower()
    assert body == b""


def test_headers_are_strict_and_set_no_cookie(rig: Any) -> None:
    head = rig.ask(b"GET / HTTP/1.1\r\nHost: example.org\r\nCookie: a=b\r\n\r\n").partition(b"\r\n\r\n")[0].lower()
    assert b"content-security-policy: default-src 'none'" in head
    assert b"cache-control: no-store" in head
    assert b"x-content-type-options: nosniff" in head
    assert b"connection: close" in head
    assert b"set-cookie" not in head


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"])
def test_other_methods_are_refused(rig: Any, method: str) -> None:
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
def test_garbage_is_answered_as_such_or_dropped(rig: Any, request_bytes: bytes) -> None:
    client = rig.client()
    client.sendall(request_bytes)
    client.shutdown(socket.SHUT_WR)
    rig.turn(5)
    assert client.recv(65536)[:12] in {b"", b"HTTP/1.1 400", b"HTTP/1.1 505"}
    assert rig.server.open == 0


def test_a_header_of_a_megabyte_is_cut_off(rig: Any) -> None:
    answer = rig.ask(b"GET / HTTP/1.1\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n")
    assert answer[:12] == b"HTTP/1.1 431", "no reset overtakes the answer"
    rig.clients[-1].close()
    rig.turn(50)
    assert rig.server.open == 0


def test_a_header_just_over_the_bound_is_named(rig: Any) -> None:
    client = rig.client()
    client.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD)
    rig.turn(6)
    assert client.recv(65536).startswith(b"HTTP/1.1 431")


def test_slow_headers_have_one_deadline_for_everything(rig: Any) -> None:
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


def test_a_reader_that_does_not_read_is_let_go(rig: Any) -> None:
    rig.server._answer = lambda _asked: Reply(content_type="text/plain", body=b"x" * 50_000_000)
    client = rig.client()
    client.sendall(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
    rig.turn(3)
    assert rig.server.open == 1
    rig.server.expire(rig.now + DEADLINE)
    assert rig.server.open == 0


def test_two_hundred_connections_are_bounded_and_counted(rig: Any) -> None:
    for number in range(200):
        rig.client(f"127.0.0.{2 + number % 50}")
        rig.turn()
    assert rig.server.open == MAX_CONNECTIONS
    assert rig.server.refused == 200 - MAX_CONNECTIONS
    rig.server.expire(rig.now + DEADLINE)
    assert rig.server.open == 0
    assert not rig.server._addresses
    assert rig.ask(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_one_address_cannot_shut_out_the_others(rig: Any) -> None:
    for _ in range(MAX_PER_ADDRESS + 5):
        rig.client("127.0.0.9")
        rig.turn()
    assert rig.server.open == MAX_PER_ADDRESS
    assert rig.server.refused == 5
    assert rig.ask(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").startswith(b"HTTP/1.1 200")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300), cut=st.integers(0, 40))
def test_arbitrary_bytes_raise_nothing_and_leave_nothing(rig: Any, junk: bytes, cut: int) -> None:
    request = b"GET /abc HTTP/1.1\r\nHost: example.org\r\n\r\n"
    client = rig.client()
    client.sendall(request[:cut] + junk)
    client.shutdown(socket.SHUT_WR)
    rig.turn(4)
    rig.server.expire(rig.now + DEADLINE)
    assert rig.server.open == 0
    client.close()


# --- forms, and answers that come later -------------------------------------------------------------


class Later:
    """Answers that the test gives when it likes."""

    def __init__(self, rig: Any) -> None:
        self.rig = rig
        self.asked: list[Asked] = []
        rig.server._answer = self.take

    def take(self, asked: Asked) -> Reply | None:
        self.asked.append(asked)
        return None

    def post(self, body: bytes, *headers: str) -> socket.socket:
        client: socket.socket = self.rig.client()
        head = "".join(f"{line}\r\n" for line in ("POST /ask HTTP/1.1", "Host: 192.0.2.1", *headers))
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.rig.turn(3)
        return client

    def answer(self, text: bytes = b"done") -> None:
        self.rig.server.reply(self.asked[-1].ticket, Reply(content_type="text/plain", body=text, forms="'self'"))

    def pass_(self, seconds: float) -> None:
        self.rig.now += seconds
        self.rig.server.expire(self.rig.now)
        self.rig.turn(3)


def nothing_yet(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        client.recv(1)
    except BlockingIOError:
        return True
    return False


@pytest.mark.req("N12")
def test_a_form_reaches_the_answer_whole(rig: Any) -> None:
    later = Later(rig)
    client = later.post(b"kind=access", "Content-Type: text/x", "Origin: http://192.0.2.1")
    (asked,) = later.asked
    assert (asked.path, asked.form, asked.form_type, asked.origin) == (
        "/ask",
        b"kind=access",
        "text/x",
        "http://192.0.2.1",
    )
    assert asked.client == "127.0.0.1"
    later.answer()
    later.pass_(HOLD)
    answer = client.recv(65536)
    assert answer.endswith(b"done")
    assert b"form-action 'self'" in answer
    assert b"set-cookie" not in answer.lower()


@pytest.mark.req("N12")
@pytest.mark.parametrize("found_after", [0.0, HOLD / 2])
def test_how_long_an_answer_took_to_find_does_not_show(rig: Any, found_after: float) -> None:
    later = Later(rig)
    client = later.post(b"code=1")
    later.pass_(found_after)
    later.answer()
    later.pass_(HOLD - found_after - 0.01)
    assert nothing_yet(client)
    later.pass_(0.02)
    client.setblocking(True)
    assert client.recv(65536).endswith(b"done")


def test_an_answer_that_does_not_come_is_made_up_for_at_the_deadline(rig: Any) -> None:
    later = Later(rig)
    client = later.post(b"code=1")
    later.pass_(DEADLINE - 0.1)
    assert nothing_yet(client)
    later.pass_(0.2)
    client.setblocking(True)
    assert client.recv(65536).startswith(b"HTTP/1.1 503")
    later.answer(b"too late")
    later.pass_(GRACE)
    assert rig.server.open == 0
    assert not rig.server._tickets


def test_who_leaves_before_the_answer_is_forgotten(rig: Any) -> None:
    later = Later(rig)
    client = later.post(b"code=1")
    client.sendall(b"more that nobody asked for")
    rig.turn(2)
    assert rig.server.open == 1
    client.close()
    rig.turn(3)
    assert rig.server.open == 0
    later.answer()
    later.pass_(HOLD)
    assert not rig.server._tickets


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_bound_is_refused_unread(rig: Any, *, chunked: bool) -> None:
    later = Later(rig)
    body = b"x" * (MAX_BODY + 1)
    if chunked:
        head, body = b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    else:
        head = b"Content-Length: 9999999"
    client = rig.client()
    client.sendall(b"POST /ask HTTP/1.1\r\nHost: 192.0.2.1\r\n" + head + b"\r\n\r\n" + body)
    rig.turn(5)
    answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.endswith(b"make it shorter.\n")
    assert later.asked == []


def test_a_body_that_drips_has_the_same_deadline(rig: Any) -> None:
    later = Later(rig)
    client = rig.client()
    client.sendall(b"POST /ask HTTP/1.1\r\nHost: 192.0.2.1\r\nContent-Length: 100\r\n\r\n")
    for _ in range(20):
        client.sendall(b"x")
        later.pass_(DEADLINE / 19)
        if not rig.server.open:
            break
    assert rig.server.open == 0
    assert later.asked == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300), length=st.integers(0, 400), cut=st.integers(0, 90))
def test_arbitrary_forms_raise_nothing_and_leave_nothing(rig: Any, junk: bytes, length: int, cut: int) -> None:
    rig.server._answer = lambda _asked: None
    request = b"POST /ask HTTP/1.1\r\nHost: example.org\r\nContent-Length: %d\r\n\r\n" % length
    client = rig.client()
    client.sendall(request[: max(len(request) - cut, 0)] + junk)
    client.shutdown(socket.SHUT_WR)
    rig.turn(4)
    for _ in range(2):
        rig.now += DEADLINE + GRACE
        rig.server.expire(rig.now)
        rig.turn(2)
    assert rig.server.open == 0
    assert not rig.server._tickets
    client.close()


def test_a_room_may_take_longer_forms_and_more_time(rig: Any) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    took: list[int] = []

    def answer(asked: Asked) -> Reply:
        took.append(len(asked.form or b""))
        return Reply(content_type="text/plain", body=b"done")

    server = Server(listener, answer, rig.selector, max_body=3 * MAX_BODY, deadline=3 * DEADLINE)
    with socket.create_connection(listener.getsockname(), timeout=5) as client:
        body = b"x" * (3 * MAX_BODY)
        client.sendall(b"POST / HTTP/1.1\r\nHost: 192.0.2.1\r\nContent-Length: %d\r\n\r\n" % len(body))
        rig.turn(3)
        server.expire(rig.now + 2 * DEADLINE)
        assert server.open == 1
        client.sendall(body)
        rig.turn(12)
        assert took == [3 * MAX_BODY]
        assert client.recv(65536).endswith(b"done")
    server.close()
    listener.close()
