from __future__ import annotations

import contextlib
import http.client
import socket
import sqlite3
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from sqlalchemy.exc import OperationalError

from dashboard.enrol import server as module
from dashboard.enrol.server import TIMEOUT, Server, server_context
from wire.renewal import MAX_REQUEST, PATH, RenewalAnswer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def server(office: Any) -> Iterator[Server]:
    files = office.authority.issue("enrol", addresses=["127.0.0.1"])
    made = Server(
        ("127.0.0.1", 0), office.desk, server_context(str(files.certificate), str(files.key)), now=lambda: NOW
    )
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def _ask(server: Server, ca: Path, body: bytes, *, path: str = PATH, length: str | None = None) -> tuple[int, bytes]:
    context = ssl.create_default_context(cafile=str(ca))
    connection = http.client.HTTPSConnection("127.0.0.1", server.server_address[1], timeout=10, context=context)
    try:
        connection.request("POST", path, body, {} if length is None else {"Content-Length": length})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.req("N3")
def test_a_genuine_request_is_answered_with_a_certificate(office: Any, server: Server) -> None:
    status, body = _ask(server, office.authority.certificate_path, office.request())
    assert status == 200
    assert x509.load_pem_x509_certificate(RenewalAnswer.model_validate_json(body).certificate.encode())


def test_all_else_is_a_plain_sentence(office: Any, server: Server) -> None:
    ca = office.authority.certificate_path
    assert _ask(server, ca, b"{}") == (403, b"it is no request for a certificate\n")
    assert _ask(server, ca, office.request(site="site-9")) == (403, b"no such box\n")
    assert _ask(server, ca, b"{}", path="/")[0] == 404
    for length in (str(MAX_REQUEST + 1), "-1", "²", "9" * 50):
        assert _ask(server, ca, b"{}", length=length.encode().decode("latin-1"))[0] == 413


def test_who_says_nothing_holds_nobody_up_and_the_room_is_bounded(
    office: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = threading.BoundedSemaphore(2)
    monkeypatch.setattr(server, "_room", room)
    port = server.server_address[1]
    with socket.create_connection(("127.0.0.1", port)):
        assert _ask(server, office.authority.certificate_path, b"{}")[0] == 403
        assert room.acquire(timeout=10), "the one that was answered has left its place"
        room.release()
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)) as third:
            third.settimeout(10)
            assert third.recv(1) == b""
    assert room.acquire(timeout=10)
    assert room.acquire(timeout=10), "who has gone has left his place"
    assert server.turned_away >= 1
    assert module.MAX_CONNECTIONS <= 64


def test_a_database_that_is_away_is_said(office: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_given: object) -> bytes:
        raise OperationalError("select", {}, sqlite3.OperationalError("database is locked"))

    monkeypatch.setattr(type(office.desk), "answer", away)
    assert _ask(server, office.authority.certificate_path, b"{}") == (503, b"not now; try again\n")


def test_a_caller_that_never_comes_to_an_end_is_cut_off(
    office: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.2)
    context = ssl.create_default_context(cafile=str(office.authority.certificate_path))
    with (
        socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=TIMEOUT / 2) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as caller,
    ):
        caller.sendall(b"POST / HTTP/1.1\r\nX: ")
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # but no timeout
            assert caller.recv(1) == b""
