"""Between who holds the keys and who speaks to the world: two kinds of messages on a pair of sockets.

The holder believes nothing that comes: everything is bounded before it is read, and a front that sends anything else is
ended. Frames are a length of four octets and JSON. Bounded: `MAX_FRAME` octets a frame and unread, `MAX_UNSENT` unsent.
"""

from __future__ import annotations

import socket
import struct
from typing import Annotated, Literal

import msgspec

from appliance.fitting.uplink import Desk
from wire.enrolment import MAX_ANSWER

MAX_FRAME = MAX_ANSWER + 64 * 1024
MAX_UNSENT = 4 * MAX_FRAME
_LENGTH = struct.Struct("!I")
_CHUNK = 64 * 1024

_Short = Annotated[str, msgspec.Meta(max_length=300)]
_Long = Annotated[str, msgspec.Meta(max_length=20_000)]


class ChannelError(ConnectionError):
    """The other end is gone, or sends what it may not."""


class Show(msgspec.Struct, frozen=True, kw_only=True, tag="show", forbid_unknown_fields=True):
    """Holder to front: all that the set-up page may show, and what the desk is asked with. Nothing else is known there."""

    site: _Short = ""
    label: _Short = ""
    link: Annotated[str, msgspec.Meta(max_length=600)] = ""
    fingerprint: _Short = ""
    wifi_name: _Short = ""
    wifi_passphrase: _Short = ""
    card: _Long = ""
    request: _Long = ""
    operator: _Short = ""
    contact: _Short = ""
    enrol_url: _Short = ""
    ca: _Long = ""
    resolvers: tuple[_Short, ...] = ()
    stage: _Short = "starting"
    problem: _Short = ""
    upstream_wifi: bool = False
    says: _Short = ""
    """Why the service refuses, in its own words."""
    line: _Short = "dhcp"
    user: _Short = ""
    """How the internet comes, and the line's name; its password is not shown."""
    told: _Short = ""
    """What became of the last answer that somebody brought."""


class Reported(msgspec.Struct, frozen=True, kw_only=True, tag="reported", forbid_unknown_fields=True):
    """Front to holder: what the desk and the names are like."""

    desk: Desk | None = None
    says: _Short = ""
    """The desk's own sentence, where it refuses."""
    names: bool | None = None


class Brought(msgspec.Struct, frozen=True, kw_only=True, tag="brought", forbid_unknown_fields=True):
    """Front to holder: an answer, sealed."""

    answer: Annotated[str, msgspec.Meta(max_length=MAX_ANSWER)]
    by_hand: bool = False


class Line(msgspec.Struct, frozen=True, kw_only=True, tag="line", forbid_unknown_fields=True):
    """Front to holder: how the internet comes, as somebody entered it."""

    kind: Literal["dhcp", "pppoe", "modem"]
    user: Annotated[str, msgspec.Meta(max_length=128)] = ""
    password: Annotated[str, msgspec.Meta(max_length=128)] = ""


Message = Show | Reported | Brought | Line
_decoder = msgspec.json.Decoder(Message)


class Channel:
    """One end."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._in = bytearray()
        self._out = bytearray()

    def fileno(self) -> int:
        """So that a selector can wait for it."""
        return self._sock.fileno()

    @property
    def unsent(self) -> bool:
        """Whether `flush` has something to do."""
        return bool(self._out)

    def send(self, message: Message) -> None:
        """Send, or keep until `flush`.

        Raises:
            ChannelError: the other end is gone, or does not read.
        """
        body = msgspec.json.encode(message)
        if len(self._out) + len(body) > MAX_UNSENT:
            raise ChannelError("the other end does not read")
        self._out += _LENGTH.pack(len(body)) + body
        self.flush()

    def flush(self) -> None:
        """Send what could not be sent yet, as far as it goes.

        Raises:
            ChannelError: the other end is gone.
        """
        try:
            while self._out:
                del self._out[: self._sock.send(self._out)]
        except BlockingIOError:
            return
        except OSError as error:
            raise ChannelError(str(error)) from error

    def receive(self) -> list[Message]:
        """Whole messages that have come.

        Raises:
            ChannelError: the other end is gone, or sent what is no message.
        """
        try:
            chunk = self._sock.recv(_CHUNK)
        except BlockingIOError:
            return []
        except OSError as error:
            raise ChannelError(str(error)) from error
        if not chunk:
            raise ChannelError("the other end is gone")
        self._in += chunk
        found: list[Message] = []
        while len(self._in) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._in)
            if length > MAX_FRAME:
                raise ChannelError(f"a frame of {length} octets")
            if len(self._in) < _LENGTH.size + length:
                break
            body = bytes(self._in[_LENGTH.size : _LENGTH.size + length])
            del self._in[: _LENGTH.size + length]
            try:
                found.append(_decoder.decode(body))
            except (msgspec.DecodeError, RecursionError) as error:
                raise ChannelError("a frame that is no message") from error
        return found

    def close(self) -> None:
        """Hang up."""
        self._sock.close()
