"""A small HTTP server for a few pages and forms: connections on a listener in, bounded answers out.

h11 parses (RFC 9112); this module sets the limits, because everybody on the LAN may send anything.
A general server lets a client that drips a byte now and then hold its connection for ever; here
each connection has one deadline for everything. One answer a connection, then it is closed.

An answer that has to be asked for comes later, by the connection's ticket, and never sooner than `HOLD` seconds
after the question: how long it took to find tells nobody anything.

Bounded: `MAX_CONNECTIONS` at once and `MAX_PER_ADDRESS` from one address (what comes above is closed
at once and counted in `refused`), `MAX_HEAD` bytes of request, `MAX_BODY` bytes of a form and `DEADLINE` seconds a
connection (or what `Server` is given in their place), `GRACE` more to read the answer to one that was asked for.
What a peer still sends when it is answered already is read and thrown away, `MAX_DRAIN` octets of it and no longer than
that: closed at once, the kernel would reset the connection, and the answer would never be read.
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
MAX_BODY = 8 * 1024
"""A browser writes a letter of four octets as twelve characters: a text of the longest in any script, and the fields."""

MAX_DRAIN = 16 * 1024 * 1024
"""More than a picture that somebody chose by mistake."""

DEADLINE = 5.0
GRACE = 2.0
HOLD = 0.75
_CHUNK = 4096
_DRAIN_CHUNK = 64 * 1024
_SAID_ALL = (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)
_HTTP = 80
_SO_ORIGINAL_DST = 80  # linux/netfilter_ipv4.h
_WRONG_METHOD = HTTPStatus.METHOD_NOT_ALLOWED
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"

_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),  # with no-referrer, a browser does not say where a form of ours comes from
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
    forms: str = "'none'"
    """Where forms on it may be sent (Content-Security-Policy, form-action)."""


_TOO_LONG = Reply(
    content_type="text/plain; charset=utf-8",
    body=b"This was not sent, because it is too long. Please go back and make it shorter.\n",
    status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, as far as an answer may depend on it."""

    path: str
    """As sent, at most MAX_HEAD characters."""
    host: str = ""
    """The Host field, as sent; empty when there is none."""
    own_address: bool = True
    """The client called this address itself; else the rules led it here from another."""
    client: str = ""
    """Its IP address."""
    server: str = ""
    """The box's own address as it stands in a link, with the port where that is not 80."""
    ticket: int = 0
    """For an answer that comes later."""
    at: float = 0.0
    """Monotonic seconds."""
    form: bytes | None = None
    """What was sent by POST, at most MAX_BODY octets; None for GET and HEAD."""
    form_type: str = ""
    """Content-Type, as sent."""
    origin: str = ""
    """Where the form comes from, as the browser says."""


Answer = Callable[[Asked], Reply | None]
"""None: it comes later, by `Server.reply`."""


@dataclass(slots=True, eq=False)
class _Connection:
    sock: socket.socket
    address: str
    deadline: float
    parser: h11.Connection = field(
        default_factory=lambda: h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
    )
    out: memoryview = field(default_factory=lambda: memoryview(b""))
    request: h11.Request | None = None
    body: bytearray = field(default_factory=bytearray)
    ticket: int = 0
    asked_at: float | None = None
    """When an answer was asked for that comes later."""
    held: Reply | None = None
    """That answer, until its time has come."""
    drain: int = 0
    """Octets that may still be thrown away, once the answer is out."""


class Server:
    """Serves `answer` on a listener, driven by a selector that the caller owns and waits on."""

    def __init__(
        self,
        listener: socket.socket,
        answer: Answer,
        selector: selectors.BaseSelector,
        *,
        sorry: Reply | None = None,
        max_body: int = MAX_BODY,
        deadline: float = DEADLINE,
    ) -> None:
        """`sorry` is said where an answer that was to come later did not come."""
        self._max_body = max_body
        self._deadline = deadline
        listener.setblocking(False)
        self._sorry = sorry or Reply(
            content_type="text/plain", body=b"Please try again later.\n", status=HTTPStatus.SERVICE_UNAVAILABLE
        )
        self._tickets: dict[int, _Connection] = {}
        self._ticket = 0
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
            self._admit(_Connection(sock=sock, address=address, deadline=now + self._deadline))

    def _admit(self, connection: _Connection) -> None:
        connection.sock.setblocking(False)
        self._connections.add(connection)
        self._addresses[connection.address] += 1
        self._selector.register(connection.sock, selectors.EVENT_READ, lambda now: self._serve(connection, now))

    def reply(self, ticket: int, reply: Reply) -> None:
        """The answer that a connection waits for; it goes out when its time has come. Too late, it is dropped."""
        connection = self._tickets.get(ticket)
        if connection is not None and connection.held is None:
            connection.held = reply

    def expire(self, now: float) -> None:
        """Send answers whose time has come, close connections whose time is over."""
        for connection in list(self._tickets.values()):
            late = connection.deadline <= now
            ready = connection.held is not None and now >= (connection.asked_at or 0.0) + HOLD
            if late or ready:
                del self._tickets[connection.ticket]
                connection.deadline = now + GRACE
                reply = connection.held or self._sorry
                self._reply(connection, reply.status, reply, head=False)
        for connection in [each for each in self._connections if each.deadline <= now]:
            self._close(connection)

    def close(self) -> None:
        """Close all connections; the listener stays the caller's."""
        for connection in list(self._connections):
            self._close(connection)
        self._selector.unregister(self._listener)

    def _serve(self, connection: _Connection, now: float) -> None:
        try:
            if connection.drain:
                self._drain(connection)
                return
            if not connection.out:
                self._read(connection, now)
            if connection.out:
                self._write(connection, now)
        except BlockingIOError:
            return
        except OSError:
            self._close(connection)

    def _read(self, connection: _Connection, now: float) -> None:
        chunk = connection.sock.recv(_CHUNK)
        if connection.asked_at is not None:
            if not chunk:  # it does not wait any longer; what it says beside its question is not read
                self._close(connection)
            return
        try:
            connection.parser.receive_data(chunk)
            while self._event(connection, connection.parser.next_event(), now):
                pass
        except h11.RemoteProtocolError as error:
            self._reply(connection, error.error_status_hint, None, head=False)

    def _event(self, connection: _Connection, event: object, now: float) -> bool:
        """Take one event in; whether there may be more before an answer."""
        match event:
            case h11.Request() if event.method in {b"GET", b"HEAD"}:
                connection.request = event
                self._ask(connection, None, now)
            case h11.Request() if event.method == b"POST":
                connection.request = event
                return True
            case h11.Request():
                self._reply(connection, _WRONG_METHOD, None, head=False)
            case h11.Data() if len(connection.body) + len(event.data) > self._max_body:
                self._reply(connection, _TOO_LONG.status, _TOO_LONG, head=False)
            case h11.Data():
                connection.body += event.data
                return True
            case h11.EndOfMessage():
                self._ask(connection, bytes(connection.body), now)
            case _ if event is h11.NEED_DATA:
                pass
            case _:  # the peer closed before it asked
                self._close(connection)
        return False

    def _ask(self, connection: _Connection, form: bytes | None, now: float) -> None:
        request = connection.request
        if request is None:
            self._close(connection)
            return
        self._ticket += 1
        connection.ticket = self._ticket
        address, port, *_rest = connection.sock.getsockname()
        asked = Asked(
            path=request.target.decode("ascii", "replace"),
            host=_field(request, b"host"),
            own_address=_called_here(connection.sock),
            client=connection.address,
            server=address if port == _HTTP else f"{address}:{port}",
            ticket=connection.ticket,
            at=now,
            form=form,
            form_type=_field(request, b"content-type"),
            origin=_field(request, b"origin"),
        )
        reply = self._answer(asked)
        if reply is not None:
            self._reply(connection, reply.status, reply, head=request.method == b"HEAD")
        else:
            connection.asked_at = now
            self._tickets[connection.ticket] = connection

    def _reply(self, connection: _Connection, status: int, reply: Reply | None, *, head: bool) -> None:
        body = b"" if reply is None else reply.body
        forms = "'none'" if reply is None else reply.forms
        headers = [
            *_HEADERS,
            ("Content-Security-Policy", _POLICY.format(forms=forms)),
            ("Content-Length", str(len(body))),
        ]
        if reply is not None:
            headers.append(("Content-Type", reply.content_type))
        if status == _WRONG_METHOD:
            headers.append(("Allow", "GET, HEAD, POST"))
        parser = connection.parser
        out = parser.send(h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)) or b""
        if body and not head:
            out += parser.send(h11.Data(data=body)) or b""
        connection.out = memoryview(out)
        self._selector.modify(connection.sock, selectors.EVENT_WRITE, lambda now: self._serve(connection, now))

    def _write(self, connection: _Connection, now: float) -> None:
        connection.out = connection.out[connection.sock.send(connection.out) :]
        if connection.out:
            return
        connection.sock.shutdown(socket.SHUT_WR)
        if connection.parser.their_state in _SAID_ALL:
            self._close(connection)
            return
        connection.drain, connection.body = MAX_DRAIN, bytearray()
        connection.deadline = max(connection.deadline, now + GRACE)
        self._selector.modify(connection.sock, selectors.EVENT_READ, lambda at: self._serve(connection, at))

    def _drain(self, connection: _Connection) -> None:
        chunk = connection.sock.recv(_DRAIN_CHUNK)
        connection.drain -= len(chunk)
        if not chunk or connection.drain <= 0:
            self._close(connection)

    def _close(self, connection: _Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        self._tickets.pop(connection.ticket, None)
        self._addresses[connection.address] -= 1
        if not self._addresses[connection.address]:
            del self._addresses[connection.address]
        self._selector.unregister(connection.sock)
        connection.sock.close()


def _field(request: h11.Request, name: bytes) -> str:
    return next((value for key, value in request.headers if key == name), b"").decode("ascii", "replace")


def _called_here(sock: socket.socket) -> bool:
    """Whether the client called our own address; where the rules changed nothing, the kernel knows of no other."""
    try:
        original = sock.getsockopt(socket.SOL_IP, _SO_ORIGINAL_DST, 16)
        return bool(socket.inet_ntop(socket.AF_INET, original[4:8]) == sock.getsockname()[0])
    except (OSError, ValueError):
        return True
