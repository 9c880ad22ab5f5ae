"""TCP flows, as far as their first words.

Enters: segments with their five-tuple. Leaves: what a reader makes of them (ClientHellos, requests, DNS
messages). Bounded: `MAX_OPEN` flows with bytes waiting, `MAX_FLOW` octets each, `MAX_POSITIONS` flows of
which only a position is known, `MAX_EARLY` flows of unknown beginning with `MAX_EARLY_OCTETS` each; all
aged by packet time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from appliance.sensor.packet.assembly import Assembly
from appliance.sensor.packet.cursor import ParseError
from appliance.sensor.table import AgedTable

MAX_OPEN = 1024
"""Flows with bytes waiting; the longest idle one is dropped and counted."""
MAX_FLOW = 20 * 1024
"""Octets waiting in one flow: the largest hello, its record headers and what came around it."""
MAX_CANDIDATES = 8
"""Places of one flow where content may begin."""
MAX_CONTENTS = 64
"""Contents that one segment may complete; what stands behind them is passed over and counted."""
MAX_POSITIONS = 16384
"""Flows whose next octet is known. Dropping one loses nothing but the order of its first segments."""
FLOW_AGE = 30.0
"""Seconds without a segment after which a flow is forgotten."""

MAX_EARLY = 256
"""Flows of unknown beginning whose first segments are kept, should they have overtaken the beginning.
Dropping one loses only a hello whose SYN was not heard and whose parts changed places."""
MAX_EARLY_OCTETS = 4096
MAX_EARLY_PIECES = 8
EARLY_AGE = 1.0
"""Seconds by which a segment may overtake another."""

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

    __slots__ = ("_early", "_open", "_positions", "_reader", "refused", "unread")

    def __init__(self, reader: Reader[Content]) -> None:
        self._reader = reader
        self._early: AgedTable[bytes, tuple[tuple[int, bytes], ...]] = AgedTable(bound=MAX_EARLY, age=EARLY_AGE)
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
            return self._unknown(key, sequence, data, ts)
        ahead = (sequence - position) % _MODULUS
        if ahead >= _HALF:  # heard before, at least its beginning
            data = data[_MODULUS - ahead :]
            if not data:
                return []
            ahead = 0
        if ahead:
            return self._open_at(key, position, position + ahead, data, ts)
        if not self._reader.may_begin(data):
            self._positions.put(key, (position + len(data)) % _MODULUS, ts)
            return []
        return self._begun(key, position, data, ts)

    def _unknown(self, key: bytes, sequence: int, data: bytes, ts: float) -> list[Content]:
        """A segment of a flow of which nothing is known, or only segments that may have overtaken its beginning."""
        if not self._reader.may_begin(data):
            self._keep_early(key, sequence, data, ts)
            return []
        early = self._early.get(key, ts) if len(self._early) else None
        found = self._begun(key, sequence, data, ts)
        if early is None:
            return found
        self._early.drop(key)
        for began, piece in early:
            # What is older than the beginning, or far away, is another content.
            if (began - sequence) % _MODULUS < MAX_FLOW:
                found += self.segment(key, began, piece, ts)
        return found

    def _begun(self, key: bytes, position: int, data: bytes, ts: float) -> list[Content]:
        """Content may begin with this segment, the next in order."""
        found = self._whole(data)
        if found is None:
            return self._open_at(key, position, position, data, ts)
        self._positions.put(key, (position + len(data)) % _MODULUS, ts)
        return found

    def _open_at(self, key: bytes, base: int, sequence: int, data: bytes, ts: float) -> list[Content]:
        opened = _Open(base=base, assembly=Assembly(MAX_FLOW))
        self._open.put(key, opened, ts)
        return self._continue(key, opened, sequence % _MODULUS, data, ts)

    def _whole(self, data: bytes) -> list[Content] | None:
        """Contents of a segment that holds nothing else and nothing cut short; None if it must be kept."""
        found: list[Content] = []
        try:
            while result := self._reader.read(data):
                found.append(result[0])
                data = data[result[1] :]
                if not data or not self._reader.may_begin(data):
                    return found
                if len(found) >= MAX_CONTENTS:
                    self.refused += 1
                    return found
        except ParseError:
            self.unread += 1
            return found
        # Something is cut short: all of it is read again when the rest has come.
        return None

    def _keep_early(self, key: bytes, sequence: int, data: bytes, ts: float) -> None:
        held = self._early.get(key, ts) or ()
        if len(held) < MAX_EARLY_PIECES and sum(len(piece) for _, piece in held) + len(data) <= MAX_EARLY_OCTETS:
            self._early.put(key, (*held, (sequence, data)), ts)

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
                    if len(found) >= MAX_CONTENTS:
                        self.refused += 1
                        break
            except ParseError:
                self.unread += 1
            read_to = max(read_to, at)
        opened.candidates = waiting
        return found
