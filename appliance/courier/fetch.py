"""One file of a list over HTTP: `ListWanted` in, `ListFetched` and an open file out. Reads nothing of it.

What comes is for the keeper to verify: a signature and a hash protect the content, so plain http is
taken as well. The file has no name from the moment it is made (O_TMPFILE, else unlinked at once), so
that nothing is left when this process dies, and a confidential list never lies in a folder.

Bounded: `most` octets of a body, `MAX_REDIRECTS` redirects, `Limits` in time; at the last of them the
connection is cut from outside, whatever the server is dripping. No proxy, cookie or password of the
environment is used, and no compression is asked for: a small answer cannot unfold into a large one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from appliance.messages import ListFetched, ListWanted
from wire.files import FileError

MAX_REDIRECTS = 3
_CHUNK = 64 * 1024
_MAX_ETAG = 256
_MAX_DETAIL = 300
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOO_LONG = "the server took too long"
HEADERS = {"User-Agent": "gatehouse", "Accept-Encoding": "identity", "Accept": "*/*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds that a fetch may take."""

    connect: float = 10.0
    idle: float = 30.0
    """Without an octet."""
    total: float = 30 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of a wish; the descriptor is the receiver's to close."""

    message: ListFetched
    descriptor: int | None = None


class FetchError(ValueError):
    """The file could not be had; the text says why in plain words."""


def fetch(wanted: ListWanted, *, context: ssl.SSLContext, folder: Path, limits: Limits) -> Fetched:
    """Fetch one file. Never raises: what goes wrong is told as `failed`, with the reason."""
    line = Line()
    try:
        with line.cut_after(limits.total):
            fetched = _fetch(wanted, line, context=context, folder=folder, limits=limits)
    except FetchError as error:
        return failed(wanted, _TOO_LONG if line.is_cut else str(error))
    except OSError as error:
        return failed(wanted, f"the file could not be kept: {error.strerror or error}")
    if line.is_cut:  # an answer without a length ends where it is cut, and looks whole
        if fetched.descriptor is not None:
            os.close(fetched.descriptor)
        return failed(wanted, _TOO_LONG)
    return fetched


def failed(wanted: ListWanted, why: str) -> Fetched:
    """The answer to a wish that could not be met."""
    return Fetched(
        message=ListFetched(list_id=wanted.list_id, url=wanted.url, outcome="failed", detail=why[:_MAX_DETAIL])
    )


def trust(ca: Path | None) -> ssl.SSLContext:
    """TLS that checks the server's name, and trusts `ca` alone or, for None, the system's authorities.

    Raises:
        FileError: `ca` cannot be read or is no certificate.
    """
    context = ssl.create_default_context() if ca is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is not None:
        try:
            context.load_verify_locations(cafile=str(ca))
        except ssl.SSLError as error:
            raise FileError(f"{ca}: not a PEM certificate of a certificate authority") from error
        except OSError as error:
            raise FileError(f"{ca}: cannot be read ({error.strerror})") from error
    return context


@dataclass(slots=True)
class Line:
    """The sockets of one fetch, so that another thread can cut them: a server may drip headers for days."""

    sockets: list[socket.socket] = field(default_factory=list)
    is_cut: bool = False

    def add(self, sock: socket.socket) -> None:
        """Know one more."""
        self.sockets.append(sock)
        if self.is_cut:
            self.cut()

    def cut(self) -> None:
        """Cut all of them, and those to come."""
        self.is_cut = True
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                # Not the TLS socket's own: it would take the TLS state from under the thread that reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    @contextlib.contextmanager
    def cut_after(self, seconds: float) -> Iterator[None]:
        """Cut after so long, unless it is over before."""
        timer = threading.Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def pool(self, context: ssl.SSLContext, limits: Limits) -> urllib3.PoolManager:
        """Connections whose sockets are known here."""
        line = self

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                line.add(self.sock)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:  # before the TLS handshake, which can be dripped as well
                sock = super()._new_conn()
                line.add(sock)
                return sock

            def connect(self) -> None:
                super().connect()
                line.add(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        timeout = urllib3.Timeout(connect=limits.connect, read=limits.idle)
        pool = urllib3.PoolManager(num_pools=1, ssl_context=context, retries=False, timeout=timeout)
        pool.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
        return pool


def _fetch(wanted: ListWanted, line: Line, *, context: ssl.SSLContext, folder: Path, limits: Limits) -> Fetched:
    headers = HEADERS | ({"If-None-Match": wanted.etag} if wanted.etag else {})
    said: dict[str, Any] = {"list_id": wanted.list_id, "url": wanted.url}
    with line.pool(context, limits) as pool, contextlib.closing(respond(pool, wanted.url, headers)) as response:
        etag = _etag(response.headers.get("ETag"))
        if response.status == 304 and wanted.etag:
            return Fetched(message=ListFetched(**said, outcome="same", etag=etag or wanted.etag))
        if response.status != 200:
            raise FetchError(f"the server answered {response.status} {response.reason or ''}".strip())
        descriptor = nameless(folder)
        try:
            _keep(response, descriptor, wanted.most)
        except BaseException:
            os.close(descriptor)
            raise
    return Fetched(message=ListFetched(**said, outcome="new", etag=etag), descriptor=descriptor)


def respond(pool: urllib3.PoolManager, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
    """The answer after at most `MAX_REDIRECTS` redirects, its body unread."""
    for _ in range(MAX_REDIRECTS + 1):
        try:
            response = pool.request("GET", url, headers=headers, redirect=False, preload_content=False)
        except (HTTPError, ValueError, OSError) as error:
            raise FetchError(plain(error)) from error
        if response.status not in _REDIRECTS:
            return response
        onwards = response.headers.get("Location")
        response.close()
        url = _onwards(url, onwards)
    raise FetchError(f"the server sends on more than {MAX_REDIRECTS} times")


def _onwards(url: str, location: str | None) -> str:
    if not location:
        raise FetchError("the server sends on, and does not say where to")
    try:
        after = urljoin(url, location)
        parts = urlsplit(after)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise FetchError("the server sends on to what is no web address")
    if urlsplit(url).scheme == "https" and parts.scheme != "https":
        raise FetchError("the server sends on from https to http")
    return after


def _keep(response: urllib3.BaseHTTPResponse, descriptor: int, most: int) -> None:
    """The body into a file, which is then to be read from its start."""
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > most:
        raise FetchError(f"it has {int(length):,} octets, the most is {most:,}")
    taken = 0
    while chunk := read_chunk(response):
        taken += len(chunk)
        if taken > most:
            raise FetchError(f"it has more than {most:,} octets")
        view = memoryview(chunk)
        while view:
            view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)


def read_chunk(response: urllib3.BaseHTTPResponse) -> bytes:
    """The next octets of a body; none at its end.

    Raises:
        FetchError: the server is gone, or too slow.
    """
    try:
        return response.read1(_CHUNK)
    except (HTTPError, ValueError, OSError) as error:
        raise FetchError(plain(error)) from error


def nameless(folder: Path) -> int:
    """A new file in `folder` that has no name: open it is there, closed it is gone.

    Raises:
        OSError: it cannot be made.
    """
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:  # not every file system has them (open(2)): some say EISDIR, some EOPNOTSUPP
        descriptor, name = tempfile.mkstemp(prefix=".list-", dir=folder)
        Path(name).unlink()
        return descriptor


def _etag(value: str | None) -> str | None:
    """A validator as it may be sent back (RFC 9110 section 8.8.3); None for what is too long or no token."""
    if value is None or len(value) > _MAX_ETAG or not value.isascii() or not value.isprintable():
        return None
    return value


def plain(error: Exception) -> str:
    """Why there was no answer, in a few words."""
    seen: BaseException | None = error
    for _ in range(8):
        match seen:
            case ssl.SSLCertVerificationError():
                return f"the server's certificate does not hold: {seen.verify_message}"
            case urllib3.exceptions.NewConnectionError():
                return "the server is not reached"
            case urllib3.exceptions.TimeoutError() | TimeoutError():
                return "the server does not answer in time"
            case urllib3.exceptions.ProtocolError():
                return "the server hung up in the middle"
            case None:
                break
        seen = next((item for item in seen.args if isinstance(item, BaseException)), seen.__cause__)
    return f"the server is not reached: {error}"
