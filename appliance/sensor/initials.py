"""QUIC and DTLS hellos, joined over datagrams.

Enters: datagrams with their five-tuple. Leaves: ClientHellos, each once. Bounded: `MAX_OPEN` connections with
bytes waiting, `MAX_FLOW` octets each, `MAX_TOLD` connections whose hello is not told again; all aged by
packet time.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from appliance.sensor.packet import dtls, quic, tls
from appliance.sensor.packet.assembly import Assembly
from appliance.sensor.packet.cursor import ParseError
from appliance.sensor.table import AgedTable

MAX_OPEN = 1024
"""Connections with bytes waiting; the longest idle one is dropped and counted."""
MAX_FLOW = 20 * 1024
"""Octets waiting in one connection: the largest hello and what came around it."""
MAX_TOLD = 16384
"""Connections whose hello was told, or turned out to be none. Dropping one may tell a repeated hello again."""
FLOW_AGE = 30.0
"""Seconds without a datagram after which a connection is forgotten."""


Piece = TypeVar("Piece")
Waiting = TypeVar("Waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connection:
    """A QUIC connection whose hello is not whole yet."""

    keys: quic.Keys
    assembly: Assembly


class _Flows(Generic[Piece, Waiting]):
    """Connections of one protocol; `_pieces` takes a datagram apart, `_take` gives the hello a piece completes."""

    __slots__ = ("_open", "_told", "refused", "unread")

    def __init__(self) -> None:
        self._open: AgedTable[bytes, Waiting] = AgedTable(bound=MAX_OPEN, age=FLOW_AGE)
        self._told: AgedTable[bytes, bool] = AgedTable(bound=MAX_TOLD, age=FLOW_AGE)
        self.refused = 0
        """Pieces not kept because their connection was at a bound."""
        self.unread = 0
        """Datagrams that began like a hello and held none."""

    @property
    def overflow(self) -> int:
        """What went over a bound."""
        return self.refused + self._open.overflow

    def datagram(self, key: bytes, data: bytes, ts: float) -> list[tls.ClientHello]:
        """The hellos that a datagram completes; what is not a client's first words says nothing."""
        found: list[tls.ClientHello] = []
        try:
            for piece in self._pieces(data):
                hello = self._take(key, piece, ts)
                if hello is not None:
                    found.append(hello)
        except ParseError:
            self.unread += 1
        return found

    @abstractmethod
    def _pieces(self, data: bytes) -> Iterable[Piece]: ...

    @abstractmethod
    def _take(self, key: bytes, piece: Piece, ts: float) -> tls.ClientHello | None: ...

    def _end(self, name: bytes, ts: float) -> None:
        self._open.drop(name)
        self._told.put(name, True, ts)


class QuicFlows(_Flows[quic.Initial, _Connection]):
    """Hellos of QUIC connections, opened from their Initials and joined over datagrams.

    A connection is its five-tuple and first destination id: several may share one five-tuple, and
    after the server's first answer the client's Initials carry an id the server chose.
    """

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        super().__init__()
        self._latest: AgedTable[bytes, bytes] = AgedTable(bound=MAX_OPEN, age=FLOW_AGE)

    def _pieces(self, data: bytes) -> Iterable[quic.Initial]:
        return quic.initials(data)

    def _take(self, key: bytes, piece: quic.Initial, ts: float) -> tls.ClientHello | None:
        name = key + piece.destination
        if self._told.get(name, ts):
            return None
        connection = self._open.get(name, ts)
        if connection is None:
            connection = _Connection(
                keys=quic.client_keys(piece.version, piece.destination), assembly=Assembly(MAX_FLOW)
            )
        plain = quic.unprotect(piece, connection.keys)
        if plain is None:
            name = self._latest.get(key, ts) or b""
            earlier = self._open.get(name, ts)
            plain = quic.unprotect(piece, earlier.keys) if earlier is not None else None
            if earlier is None or plain is None:
                return None
            connection = earlier
        self._latest.put(key, name, ts)
        self._open.put(name, connection, ts)
        for offset, octets in quic.crypto_frames(plain):
            if not connection.assembly.add(offset, octets):
                self.refused += 1
        stream = connection.assembly.run(0)
        try:
            hello = tls.read_handshake(stream, tls.Carrier.QUIC)
        except ParseError:
            self._end(name, ts)
            raise
        if hello is None:
            return None
        self._end(name, ts)
        # After a Retry the client says the same hello under the id the server chose (RFC 9000 section 17.2.5.2).
        said = key + hashlib.blake2b(stream[: 4 + int.from_bytes(stream[1:4], "big")], digest_size=16).digest()
        if self._told.get(said, ts):
            return None
        self._told.put(said, True, ts)
        return hello


class DtlsFlows(_Flows[dtls.Fragment, Assembly]):
    """Hellos of DTLS connections, joined from the fragments of their handshake messages.

    A client whose server asks for a cookie says its hello twice, with another message number: told twice.
    """

    __slots__ = ()

    def _pieces(self, data: bytes) -> Iterable[dtls.Fragment]:
        return dtls.fragments(data)

    def _take(self, key: bytes, piece: dtls.Fragment, ts: float) -> tls.ClientHello | None:
        name = key + piece.message.to_bytes(2, "big") + piece.length.to_bytes(3, "big")
        if self._told.get(name, ts):
            return None
        assembly = self._open.get(name, ts) or Assembly(tls.MAX_HELLO)
        if not assembly.add(piece.offset, piece.data):
            self.refused += 1
            return None
        body = assembly.run(0)
        if len(body) < piece.length:
            self._open.put(name, assembly, ts)
            return None
        self._end(name, ts)
        return tls.read_body(body, tls.Carrier.DTLS)
