"""A connection to the collector: messages in, what it took out; TLS (RFC 5425), TCP (RFC 6587) or UDP (RFC 5426).

Syslog has no answer. On a stream a batch counts as taken when the peer's system has acknowledged every octet, which is
all that can be known; a batch that was cut off is sent again. A datagram counts as taken when it was sent.
Bounded: one connection, `CONNECT_SECONDS` and `SEND_SECONDS` for each try.
"""

from __future__ import annotations

import fcntl
import socket
import ssl
import struct
import termios
from collections.abc import Callable, Sequence

from dashboard.alerts.syslog import framed
from dashboard.settings import Siem
from wire.files import FileError

CONNECT_SECONDS, SEND_SECONDS = 10.0, 20.0
_STEP = 0.02


class CollectorError(OSError):
    """The collector could not be reached, or did not take a batch."""


class Collector:
    """One collector; opens its connection when it is first needed."""

    def __init__(self, settings: Siem, *, pause: Callable[[float], object]) -> None:
        """`pause` lets some seconds pass."""
        self._settings = settings
        self._pause = pause
        self._socket: socket.socket | None = None
        self._context = _context(settings) if settings.transport == "tls" else None

    def send(self, lines: Sequence[bytes]) -> None:
        """Send messages in order.

        Raises:
            CollectorError: not all of them were taken; the connection is closed.
        """
        try:
            found = self._socket or self._connect()
            self._socket = found
            if self._settings.transport == "udp":
                for line in lines:
                    found.send(line)
                return
            if _closed(found):
                raise ConnectionResetError("closed by the collector")
            found.sendall(b"".join(map(framed, lines)))
            self._wait_until_taken(found)
        except (OSError, ValueError) as error:
            self.close()
            raise CollectorError(type(error).__name__) from error

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        host, port = self._settings.host, self._settings.port
        if self._settings.transport == "udp":
            family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            found = socket.socket(family, kind, number)
            found.settimeout(SEND_SECONDS)
            found.connect(address)
            return found
        plain = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
        plain.settimeout(SEND_SECONDS)
        if self._context is None:
            return plain
        try:
            return self._context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _wait_until_taken(self, found: socket.socket) -> None:
        for _ in range(int(SEND_SECONDS / _STEP)):
            # tcp(7), SIOCOUTQ: octets that the peer has not acknowledged. Its number is that of TIOCOUTQ.
            (left,) = struct.unpack("i", fcntl.ioctl(found.fileno(), termios.TIOCOUTQ, b"\0" * 4))
            if not left:
                break
            self._pause(_STEP)
        else:
            raise TimeoutError("not acknowledged")
        if _closed(found):
            raise ConnectionResetError("closed by the collector")


def _closed(found: socket.socket) -> bool:
    """Whether the peer has ended the connection; what it says otherwise is thrown away."""
    before = found.gettimeout()
    found.settimeout(0)
    try:
        return found.recv(4096) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        found.settimeout(before)


def _context(settings: Siem) -> ssl.SSLContext:
    """Raises: FileError: a certificate that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=None if settings.ca is None else str(settings.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.key)
    except OSError as error:
        raise FileError(f"[siem]: a certificate or key cannot be used ({error.strerror or 'not PEM'})") from error
    return context
