"""The desk behind HTTPS: POST a request, get a certificate, or all that a new box needs. It holds the authority's key.

In: hostile HTTP. Out: `wire.renewal.RenewalAnswer` or a sealed `wire.enrolment.Enrolment`, or one plain sentence. No
client certificate is asked for: requests are signed with the box's own key. Bounded: `MAX_CONNECTIONS` at once (more
are closed at the door and counted), `TIMEOUT` seconds of silence, `LONGEST` seconds in all, `MAX_REQUEST` octets of
each kind; headers as `http.server` bounds them.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from typing import Any, cast

from sqlalchemy.exc import SQLAlchemyError

from dashboard.enrol.asking import Outcome
from dashboard.enrol.desk import Desk
from dashboard.enrol.enrolling import Enroller
from dashboard.enrol.issuing import RenewalRefusedError
from wire import enrolment
from wire.codec import payload_json
from wire.renewal import MAX_REQUEST, PATH, RenewalAnswer

MAX_CONNECTIONS = 32
TIMEOUT = 10.0
LONGEST = 30.0
"""A caller that says an octet now and then would hold a place for ever."""
_LEFTOVER = 0.5
STATUS = {
    Outcome.DONE: HTTPStatus.OK,
    Outcome.WAITING: HTTPStatus.ACCEPTED,
    Outcome.REFUSED: HTTPStatus.FORBIDDEN,
    Outcome.BUSY: HTTPStatus.TOO_MANY_REQUESTS,
    Outcome.LATER: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""How an enrolment is answered."""
_log = logging.getLogger(__name__)


class Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: Server
    timeout = TIMEOUT
    server_version = "gatehouse"
    sys_version = ""

    def do_POST(self) -> None:
        """Answer a request for a certificate, or for all that a new box needs."""
        most = self._most()
        length = self.headers.get("Content-Length", "")
        if most is None:
            self._refuse(HTTPStatus.NOT_FOUND, b"nothing here\n")
        elif not length.isascii() or not length.isdigit() or len(length) > 6 or int(length) > most:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"too large, or of no stated size\n")
        else:
            raw = self.rfile.read(int(length))
            try:
                if self.path == PATH:
                    self._renew(raw)
                else:
                    self._enrol(raw)
            except SQLAlchemyError as error:
                _log.warning("the database does not answer (%s)", type(error).__name__)
                self._say(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"not now; try again\n")

    def _most(self) -> int | None:
        """Octets that a request of this path may have; None where there is no such path."""
        if self.path == PATH:
            return MAX_REQUEST
        return enrolment.MAX_REQUEST if self.path == enrolment.PATH and self.server.enroller is not None else None

    def _renew(self, raw: bytes) -> None:
        try:
            certificate = self.server.desk.answer(raw, self.server.now())
        except RenewalRefusedError as error:
            _log.warning("refused: %s", error)
            self._say(HTTPStatus.FORBIDDEN, "text/plain", f"{error}\n".encode())
        else:
            answer = payload_json(RenewalAnswer(certificate=certificate.decode()))
            self._say(HTTPStatus.OK, "application/json", answer)

    def _enrol(self, raw: bytes) -> None:
        if self.server.enroller is None:
            raise ValueError("nobody enrols here")
        answer = self.server.enroller.answer(raw, self.server.now())
        if answer.outcome not in (Outcome.DONE, Outcome.WAITING):
            _log.warning("not enrolled: %s", answer.says)
        body = answer.sealed if answer.outcome is Outcome.DONE else f"{answer.says}\n".encode()
        self._say(STATUS[answer.outcome], "text/plain", body)

    def log_message(self, *_said: Any) -> None:
        """Who asked for what path is not kept."""

    def _refuse(self, status: HTTPStatus, why: bytes) -> None:
        """Say why; what came along is taken first, or closing would take the answer with it (RFC 9112 section 9.6)."""
        with contextlib.suppress(OSError):
            self.connection.settimeout(_LEFTOVER)
            cast("BufferedReader", self.rfile).read1(MAX_REQUEST)
        self._say(status, "text/plain", why)

    def _say(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True


class Server(ThreadingHTTPServer):
    """Listens; TLS is made in each connection's own thread, so that a slow caller holds nobody up."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        desk: Desk,
        context: ssl.SSLContext,
        *,
        now: Callable[[], float],
        enroller: Enroller | None = None,
    ) -> None:
        self.desk = desk
        self.enroller = enroller
        self.now = now
        self.turned_away = 0
        self._context = context
        self._room = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection if there is room."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.turned_away += 1
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Shake hands and answer."""
        twin = request.dup()  # TLS takes the other one over
        end = threading.Timer(LONGEST, _cut, (twin,))
        end.daemon = True
        end.start()
        try:
            request.settimeout(TIMEOUT)
            with self._context.wrap_socket(request, server_side=True) as sock:
                self.finish_request(sock, client_address)
        except (OSError, ValueError) as error:
            _log.info("a connection ended early: %s", type(error).__name__)
        finally:
            end.cancel()
            twin.close()
            request.close()
            self._room.release()


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """TLS 1.2 or newer with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
