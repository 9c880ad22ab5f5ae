"""A small HTTP server for one page: connections on a listener in, bounded answers out.

h11 parses (RFC 9112); this module sets the limits, because everybody on the LAN may send anything.
A general server lets a client that drips a byte now and then hold its connection for ever; here
each connection has one deadline for everything. One answer a connection, then it is closed.

Bounded: `MAX_CONNECTIONS` at once and `MAX_PER_ADDRESS` from one address (what comes above is closed
at once and counted in `refused`), `MAX_HEAD` bytes of request, `DEADLINE` seconds a connection.
No log line and no counter tells who asked for what.
"""

from __future__ import annotations

import selectors
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import h11

MAX_CONNECTIONS = 64
MAX_PER_ADDRESS = 8
MAX_HEAD = 8 * 1024
DEADLINE = 5.0
_CHUNK = 4096
_SO_ORIGINAL_DST = 80  # linux/netfilter_ipv4.h
_WRONG_METHOD = HTTPStatus.METHOD_NOT_ALLOWED

_HEADERS = [
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Cache-Control", "no-store"),
    ("Connection", "close"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a path answers."""

    content_type: str
    body: bytes
    status: HTTPStatus = HTTPStatus.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, as far as an answer may depend on it."""

    path: str
    """As sent, at most MAX_HEAD characters."""
    host: str = ""
    """The Host field, as sent; empty when there is none."""
    own_address: bool = True
    """The client called this address itself; else the rules led it here from another."""


Answer = Callable[[Asked], Reply]


@dataclass(slots=True, eq=False)
class _Connection:
    sock: socket.socket
    address: str
    deadline: float
    parser: h11.Connection = field(
        default_factory=lambda: h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
    )
    out: memoryview = field(default_factory=lambda: memoryview(b""))


class Server:
    """Serves `answer` on a listener, driven by a selector that the caller owns and waits on."""

    def __init__(self, listener: socket.socket, answer: Answer, selector: selectors.BaseSelector) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._answer = answer
        self._selector = selector
        self._connections: set[_Connection] = set()
        self._addresses: Counter[str] = Counter()
        self.refused = 0
        """Connections closed unread because a bound was reached."""
        selector.register(listener, selectors.EVENT_READ, self.accept)

    @property
    def open(self) -> int:
        """Connections at this moment, at most MAX_CONNECTIONS."""
        return len(self._connections)

    def accept(self, now: float) -> None:
        """Take what waits at the listener."""
        for _ in range(MAX_CONNECTIONS):
            try:
                sock, (address, *_rest) = self._listener.accept()
            except OSError:  # nobody waits, or it left again, or descriptors have run out
                return
            if self.open >= MAX_CONNECTIONS or self._addresses[address] >= MAX_PER_ADDRESS:
                self.refused += 1
                sock.close()
                continue
            self._admit(_Connection(sock=sock, address=address, deadline=now + DEADLINE))

    def _admit(self, connection: _Connection) -> None:
        connection.sock.setblocking(False)
        self._connections.add(connection)
        self._addresses[connection.address] += 1
        self._selector.register(connection.sock, selectors.EVENT_READ, lambda _now: self._serve(connection))

    def expire(self, now: float) -> None:
        """Close connections whose time is over."""
        for connection in [each for each in self._connections if each.deadline <= now]:
            self._close(connection)

    def close(self) -> None:
        """Close all connections; the listener stays the caller's."""
        for connection in list(self._connections):
            self._close(connection)
        self._selector.unregister(self._listener)

    def _serve(self, connection: _Connection) -> None:
        try:
            if not connection.out:
                self._read(connection)
            if connection.out:
                self._write(connection)
        except BlockingIOError:
            return
        except OSError:
            self._close(connection)

    def _read(self, connection: _Connection) -> None:
        chunk = connection.sock.recv(_CHUNK)
        try:
            connection.parser.receive_data(chunk)
            event = connection.parser.next_event()
        except h11.RemoteProtocolError as error:
            self._reply(connection, error.error_status_hint, None, head=False)
            return
        if event is h11.NEED_DATA:
            return
        if not isinstance(event, h11.Request):  # the peer closed before it asked
            self._close(connection)
            return
        if event.method not in {b"GET", b"HEAD"}:
            self._reply(connection, _WRONG_METHOD, None, head=False)
            return
        host = next((value for name, value in event.headers if name == b"host"), b"")
        asked = Asked(
            path=event.target.decode("ascii", "replace"),
            host=host.decode("ascii", "replace"),
            own_address=_called_here(connection.sock),
        )
        reply = self._answer(asked)
        self._reply(connection, reply.status, reply, head=event.method == b"HEAD")

    def _reply(self, connection: _Connection, status: int, reply: Reply | None, *, head: bool) -> None:
        body = b"" if reply is None else reply.body
        headers = [*_HEADERS, ("Content-Length", str(len(body)))]
        if reply is not None:
            headers.append(("Content-Type", reply.content_type))
        if status == _WRONG_METHOD:
            headers.append(("Allow", "GET, HEAD"))
        parser = connection.parser
        out = parser.send(h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)) or b""
        if body and not head:
            out += parser.send(h11.Data(data=body)) or b""
        connection.out = memoryview(out)
        self._selector.modify(connection.sock, selectors.EVENT_WRITE, lambda _now: self._serve(connection))

    def _write(self, connection: _Connection) -> None:
        connection.out = connection.out[connection.sock.send(connection.out) :]
        if not connection.out:
            connection.sock.shutdown(socket.SHUT_WR)
            self._close(connection)

    def _close(self, connection: _Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        self._addresses[connection.address] -= 1
        if not self._addresses[connection.address]:
            del self._addresses[connection.address]
        self._selector.unregister(connection.sock)
        connection.sock.close()


def _called_here(sock: socket.socket) -> bool:
    """Whether the client called our own address; where the rules changed nothing, the kernel knows of no other."""
    try:
        original = sock.getsockopt(socket.SOL_IP, _SO_ORIGINAL_DST, 16)
        return bool(socket.inet_ntop(socket.AF_INET, original[4:8]) == sock.getsockname()[0])
    except (OSError, ValueError):
        return True
