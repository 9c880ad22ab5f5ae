"""Unix SEQPACKET sockets that carry `appliance.messages` between two processes.

`listen` opens the server end and `accept` admits a peer by its uid (SO_PEERCRED); `connect`
opens the client end. A `Link` sends and receives whole datagrams without blocking.
Bounded: one datagram is at most `messages.MAX_DATAGRAM`; at most `MAX_DESCRIPTORS` ride along.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection, Sequence
from pathlib import Path

from appliance import messages

MAX_DESCRIPTORS = 16
_SEND_BUFFER = 1 << 20


class LinkClosedError(ConnectionError):
    """The other process is gone."""


class LinkFullError(ConnectionError):
    """The other process does not read fast enough; nothing was sent."""


class Link:
    """One end of a connection to another process of the box."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._sock = sock

    def fileno(self) -> int:
        """Descriptor, so that a selector can wait for this link."""
        return self._sock.fileno()

    def send(self, *batch: messages.Message, descriptors: Sequence[int] = ()) -> None:
        """Send messages as one datagram, with descriptors beside it.

        Raises:
            LinkFullError: the peer's buffer is full; nothing of the batch was sent.
            LinkClosedError: the peer is gone.
            messages.MessageError: the batch is too large for one datagram.
        """
        datagram = messages.encode(batch)
        try:
            if descriptors:
                socket.send_fds(self._sock, [datagram], list(descriptors))
            else:
                self._sock.send(datagram)
        except BlockingIOError as error:
            raise LinkFullError("peer is not reading") from error
        except OSError as error:
            raise LinkClosedError(str(error)) from error

    def receive(self) -> list[messages.Message]:
        """Messages of the next datagram; empty when none is waiting.

        Raises:
            LinkClosedError: the peer is gone.
            messages.MessageError: the peer sent what no message is.
        """
        try:
            datagram = self._sock.recv(messages.MAX_DATAGRAM + 1)
        except BlockingIOError:
            return []
        except OSError as error:
            raise LinkClosedError(str(error)) from error
        if not datagram:
            raise LinkClosedError("peer closed the connection")
        return messages.decode(datagram)

    def receive_descriptors(self) -> tuple[list[messages.Message], list[int]]:
        """As `receive`, with the descriptors that came along. The caller owns them."""
        try:
            datagram, descriptors, _flags, _address = socket.recv_fds(
                self._sock, messages.MAX_DATAGRAM + 1, MAX_DESCRIPTORS
            )
        except BlockingIOError:
            return [], []
        except OSError as error:
            raise LinkClosedError(str(error)) from error
        if not datagram:
            raise LinkClosedError("peer closed the connection")
        try:
            return messages.decode(datagram), descriptors
        except messages.MessageError:
            for descriptor in descriptors:
                os.close(descriptor)
            raise

    def close(self) -> None:
        """Close this end."""
        self._sock.close()


def listen(path: Path) -> socket.socket:
    """Open a listening socket at `path`, replacing what a killed process left there.

    Raises:
        OSError: the directory is missing or not writable.
    """
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    sock.bind(str(path))
    path.chmod(0o666)  # who may talk is decided by uid in `accept`, not by the file's mode
    sock.listen(4)
    sock.setblocking(False)
    return sock


def accept(listener: socket.socket, allowed_uids: Collection[int]) -> Link | None:
    """Admit a waiting peer; None when none waits or its uid is not among `allowed_uids`."""
    try:
        sock, _ = listener.accept()
    except BlockingIOError:
        return None
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", credentials)
    if uid not in allowed_uids:
        sock.close()
        return None
    return Link(sock)


def connect(path: Path) -> Link:
    """Connect to a listening process.

    Raises:
        OSError: nobody listens there (yet).
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        sock.connect(str(path))
    except OSError:
        sock.close()
        raise
    return Link(sock)
