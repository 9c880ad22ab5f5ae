"""One question to the enrolment desk: a request's octets in, its status and answer out. An edge: one TLS connection.

The desk is believed by the authority on the operator's card and by no other. Its answer is not read here: it is
sealed, and whoever holds the key opens it. Bounded: `TIMEOUT` seconds in all, `MAX_ANSWER` octets.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance.fitting.asking import of_status
from appliance.fitting.uplink import Desk
from wire.enrolment import MAX_ANSWER, PATH

TIMEOUT = 20.0
SAYS = 160
_SILENCE = 8.0
_CHUNK = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of a question."""

    desk: Desk
    answer: bytes = b""
    """With `Desk.ANSWERED`: sealed octets."""
    says: str = ""
    """Otherwise the desk's own sentence, as far as it can be shown."""


def ask(url: str, ca: str, request: bytes) -> Came:
    """Ask once. `ca` is PEM; never raises."""
    try:
        address = urlsplit(url)
        context = ssl.create_default_context(cadata=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        host, port = address.hostname or "", address.port or 443
        raw = socket.create_connection((host, port), timeout=_SILENCE)
        with raw, _ended(raw), context.wrap_socket(raw, server_hostname=host) as sock:
            connection = http.client.HTTPConnection(host, port)
            connection.sock = sock
            connection.request("POST", PATH, request, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = _read(answer)
    except ssl.SSLCertVerificationError:
        return Came(desk=Desk.UNTRUSTED)
    except ssl.SSLError:  # something that speaks no TLS: a sign-in page, as much as a broken network
        return Came(desk=Desk.UNTRUSTED)
    except (OSError, ValueError, http.client.HTTPException):
        return Came(desk=Desk.UNREACHABLE)
    desk = of_status(answer.status)
    if body is None:
        return Came(desk=Desk.BAD_ANSWER if desk is Desk.ANSWERED else desk)
    return Came(desk=desk, answer=body) if desk is Desk.ANSWERED else Came(desk=desk, says=_plain(body))


@contextlib.contextmanager
def _ended(raw: socket.socket) -> Iterator[None]:
    """Cut the connection after `TIMEOUT`: who says an octet now and then would hold the box's only question for ever."""
    with raw.dup() as twin:  # TLS takes the other one over
        end = threading.Timer(TIMEOUT, _cut, (twin,))
        end.daemon = True
        end.start()
        try:
            yield
        finally:
            end.cancel()
            end.join()


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _read(answer: http.client.HTTPResponse) -> bytes | None:
    """The body; None where it is too long."""
    body = b""
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > MAX_ANSWER:
            return None
    if answer.length:  # `read1` ends as quietly where the connection was cut (RFC 9112 section 8)
        raise http.client.IncompleteRead(body, answer.length)
    return body


def _plain(body: bytes) -> str:
    text = body[:SAYS].decode("ascii", errors="replace").strip()
    return "".join(character for character in text if character.isprintable())
