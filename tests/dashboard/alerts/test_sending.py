"""Messages over real sockets: a mail server and a web server on loopback."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from dashboard.alerts import channels
from dashboard.alerts.sending import FENCED, NOT_TAKEN, UNUSABLE, send
from dashboard.settings import Alerts

KINDS = ("mailto", "json", "jsons", "ntfys")
INSIDE = Alerts(address="https://gatehouse.example.org/", kinds=KINDS, allow_private=True)
OUTSIDE = Alerts(address="https://gatehouse.example.org/", kinds=KINDS)


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as takes a message."""

    def handle(self) -> None:
        server: Any = self.server
        self.wfile.write(b"220 mail.example.test\r\n")
        while line := self.rfile.readline(1000):
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while (part := self.rfile.readline(1000)) not in {b".\r\n", b""}:
                    text += part
                server.got.append(text.decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


class Web(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        server.got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(server.status)
        if server.to:
            self.send_header("Location", server.to)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def run(server: Any) -> Iterator[Any]:
    server.got, server.status, server.to = [], 200, ""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def mail() -> Iterator[Any]:
    yield from run(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail))


@pytest.fixture
def web() -> Iterator[Any]:
    yield from run(HTTPServer(("127.0.0.1", 0), Web))


@pytest.mark.req("R38")
def test_a_mail_server_and_a_webhook_take_a_message(mail: Any, web: Any) -> None:
    port = mail.server_address[1]
    url = f"mailto://127.0.0.1:{port}?from=box@example.test&to=ann@example.test&mode=insecure"
    assert send(url, "Northmoor", "1 new alert.", INSIDE) is None
    assert "1 new alert." in mail.got[0]
    assert send(f"json://127.0.0.1:{web.server_address[1]}/x", "Northmoor", "1 new alert.", INSIDE) is None
    assert "1 new alert." in web.got[0]


def test_who_does_not_take_it_is_said_without_the_address(web: Any) -> None:
    web.status = 500
    assert send(f"json://127.0.0.1:{web.server_address[1]}/x", "N", "b", INSIDE) == NOT_TAKEN
    assert send("json://", "N", "b", INSIDE) == UNUSABLE
    assert send("file:///etc/passwd", "N", "b", INSIDE) == UNUSABLE


def test_a_name_that_leads_inwards_is_refused_at_the_connection(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    port = web.server_address[1]
    real = socket.getaddrinfo

    def rebound(host: Any, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == "public.example.com" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    assert send(f"jsons://public.example.com:{port}/x", "N", "b", OUTSIDE) == FENCED
    assert web.got == []


@pytest.mark.parametrize(
    ("address", "goes"),
    [
        ("192.0.2.1", False),
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("224.0.0.1", False),
        ("not an address", False),
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
    ],
)
def test_only_public_addresses_are_reached(address: str, goes: bool) -> None:
    assert channels.may_connect(address, OUTSIDE) is goes
