"""TCP and QUIC flows, as far as their first words.

Enters: segments and datagrams with their five-tuple. Leaves: what a reader makes of them
(ClientHellos, DNS messages). Bounded: `MAX_OPEN` flows with bytes waiting, `MAX_FLOW` octets each,
`MAX_POSITIONS` flows of which only a position is known; all aged by packet time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from appliance.sensor.packet import quic, tls
from appliance.sensor.packet.assembly import Assembly
from appliance.sensor.packet.cursor import ParseError
from appliance.sensor.table import AgedTable

MAX_OPEN = 1024
"""Flows with bytes waiting; the longest idle one is dropped and counted."""
MAX_FLOW = 20 * 1024
"""Octets waiting in one flow: the largest hello, its record headers and what came around it."""
MAX_CANDIDATES = 8
"""Places of one flow where content may begin."""
MAX_POSITIONS = 16384
"""Flows whose next octet is known. Dropping one loses nothing but the order of its first segments."""
FLOW_AGE = 30.0
"""Seconds without a segment after which a flow is forgotten."""

_MODULUS = 1 << 32
_HALF = 1 << 31

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader(Generic[Content]):
    """How one kind of content is found in a stream."""

    may_begin: Callable[[bytes], bool]
    """Whether content may begin with these octets, as far as they go."""
    read: Callable[[bytes], tuple[Content, int] | None]
    """Content and octets taken; None while more are needed; ParseError."""


@dataclass(slots=True, kw_only=True)
class _Open:
    """A flow with bytes waiting: parts of content, or parts that came before their forerunners."""

    base: int
    """Sequence number of offset 0."""
    assembly: Assembly
    candidates: list[int] = field(default_factory=list)
    """Offsets where content may begin."""


class TcpStreams(Generic[Content]):
    """One direction of many TCP connections, read by one kind of reader.

    Content is looked for where a segment begins: a client may speak to a proxy first
    (SOCKS, CONNECT), and a lost segment must not hide a hello that came whole after it.
    """

    __slots__ = ("_open", "_positions", "_reader", "refused", "unread")

    def __init__(self, reader: Reader[Content]) -> None:
        self._reader = reader
        self._open: AgedTable[bytes, _Open] = AgedTable(bound=MAX_OPEN, age=FLOW_AGE)
        self._positions: AgedTable[bytes, int] = AgedTable(bound=MAX_POSITIONS, age=FLOW_AGE)
        self.refused = 0
        """Segments not kept because their flow was at a bound."""
        self.unread = 0
        """Beginnings of content that turned out to be none."""

    @property
    def overflow(self) -> int:
        """What went over a bound."""
        return self.refused + self._open.overflow

    def begin(self, key: bytes, sequence: int, ts: float) -> None:
        """A SYN: the stream's first octet has the sequence number after its own."""
        self._open.drop(key)
        self._positions.put(key, (sequence + 1) % _MODULUS, ts)

    def segment(self, key: bytes, sequence: int, data: bytes, ts: float) -> list[Content]:
        """A segment with data; returns what it completes, usually nothing or one."""
        opened = self._open.get(key, ts)
        if opened is not None:
            return self._continue(key, opened, sequence, data, ts)
        position = self._positions.get(key, ts)
        if position is None:
            if not self._reader.may_begin(data):
                return []
            position = sequence
        ahead = (sequence - position) % _MODULUS
        if ahead >= _HALF:  # heard before, at least its beginning
            data = data[_MODULUS - ahead :]
            if not data:
                return []
            ahead = 0
        if ahead == 0 and not self._reader.may_begin(data):
            self._positions.put(key, (position + len(data)) % _MODULUS, ts)
            return []
        opened = _Open(base=position, assembly=Assembly(MAX_FLOW))
        self._open.put(key, opened, ts)
        return self._continue(key, opened, (position + ahead) % _MODULUS, data, ts)

    def _continue(self, key: bytes, opened: _Open, sequence: int, data: bytes, ts: float) -> list[Content]:
        offset = (sequence - opened.base) % _MODULUS
        if offset >= _HALF:
            data = data[_MODULUS - offset :]
            offset = 0
        begins = self._reader.may_begin(data)
        if not opened.assembly.add(offset, data):
            self.refused += 1
            if not begins:
                self._settle(key, sequence + len(data), ts)
                return []
            # What came before is given up for content that may begin here; of a large merged segment its head.
            opened, offset = _Open(base=sequence, assembly=Assembly(MAX_FLOW)), 0
            opened.assembly.add(0, data[:MAX_FLOW])
        if begins and offset not in opened.candidates and len(opened.candidates) < MAX_CANDIDATES:
            opened.candidates.append(offset)
        found = self._read(opened)
        end = opened.assembly.whole_to
        if not opened.candidates and end is not None:
            self._settle(key, opened.base + end, ts)
        else:
            self._open.put(key, opened, ts)
        return found

    def _settle(self, key: bytes, sequence: int, ts: float) -> None:
        """Nothing waits any more: keep the position only."""
        self._open.drop(key)
        self._positions.put(key, sequence % _MODULUS, ts)

    def _read(self, opened: _Open) -> list[Content]:
        found: list[Content] = []
        waiting: list[int] = []
        read_to = -1
        for candidate in sorted(opened.candidates):
            at = candidate
            if at < read_to:
                continue  # inside what has just been read
            try:
                while run := opened.assembly.run(at):
                    if not self._reader.may_begin(run):
                        break
                    result = self._reader.read(run)
                    if result is None:
                        waiting.append(at)
                        break
                    found.append(result[0])
                    at += result[1]
            except ParseError:
                self.unread += 1
            read_to = max(read_to, at)
        opened.candidates = waiting
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connection:
    """A QUIC connection whose hello is not whole yet."""

    keys: quic.Keys
    assembly: Assembly


class QuicFlows:
    """Hellos of QUIC connections, opened from their Initials and joined over datagrams.

    A connection is its five-tuple and first destination id: several may share one five-tuple, and
    after the server's first answer the client's Initials carry an id the server chose.
    """

    __slots__ = ("_latest", "_open", "_told", "refused", "unread")

    def __init__(self) -> None:
        self._open: AgedTable[bytes, _Connection] = AgedTable(bound=MAX_OPEN, age=FLOW_AGE)
        self._latest: AgedTable[bytes, bytes] = AgedTable(bound=MAX_OPEN, age=FLOW_AGE)
        self._told: AgedTable[bytes, bool] = AgedTable(bound=MAX_POSITIONS, age=FLOW_AGE)
        self.refused = 0
        """CRYPTO frames not kept because their connection was at a bound."""
        self.unread = 0
        """Datagrams with an Initial that held no hello."""

    @property
    def overflow(self) -> int:
        """What went over a bound."""
        return self.refused + self._open.overflow

    def datagram(self, key: bytes, data: bytes, ts: float) -> list[tls.ClientHello]:
        """The hellos that a datagram completes; what is not the client's Initial says nothing."""
        found: list[tls.ClientHello] = []
        try:
            for initial in quic.initials(data):
                hello = self._initial(key, initial, ts)
                if hello is not None:
                    found.append(hello)
        except ParseError:
            self.unread += 1
        return found

    def _initial(self, key: bytes, initial: quic.Initial, ts: float) -> tls.ClientHello | None:
        name = key + initial.destination
        if self._told.get(name, ts):
            return None
        connection = self._open.get(name, ts)
        if connection is None:
            connection = _Connection(
                keys=quic.client_keys(initial.version, initial.destination), assembly=Assembly(MAX_FLOW)
            )
        plain = quic.unprotect(initial, connection.keys)
        if plain is None:
            name = self._latest.get(key, ts) or b""
            earlier = self._open.get(name, ts)
            plain = quic.unprotect(initial, earlier.keys) if earlier is not None else None
            if earlier is None or plain is None:
                return None
            connection = earlier
        self._latest.put(key, name, ts)
        self._open.put(name, connection, ts)
        for offset, piece in quic.crypto_frames(plain):
            if not connection.assembly.add(offset, piece):
                self.refused += 1
        try:
            hello = tls.read_handshake(connection.assembly.run(0))
        except ParseError:
            self._end(name, ts)
            raise
        if hello is not None:
            self._end(name, ts)
        return hello

    def _end(self, name: bytes, ts: float) -> None:
        self._open.drop(name)
        self._told.put(name, True, ts)
