"""Capture files: pcap and pcapng, from the first packet to the last, never whole in memory.

Enters: a file. Leaves: frames with packet time, one by one. A file that ends in the middle, or that
contradicts itself, gives all whole packets before and then one `CaptureError` with its place.
Bounded: `MAX_PACKET` octets a packet, `MAX_HEADER` a block that must be understood, `MAX_BLOCK` a
block that is passed over, `MAX_INTERFACES` interfaces a section.

Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import BinaryIO, Self

from appliance.sensor.frame import Frame, LinkType, Tap

MAX_PACKET = 256 * 1024
"""Octets of one packet; tcpdump's own largest snap length."""
MAX_HEADER = 1024 * 1024
MAX_BLOCK = 256 * 1024 * 1024
MAX_INTERFACES = 256

LINK_TYPES = {
    0: LinkType.NULL,
    1: LinkType.ETHERNET,
    12: LinkType.RAW_IP,
    14: LinkType.RAW_IP,
    101: LinkType.RAW_IP,
    108: LinkType.NULL,
    113: LinkType.SLL,
    228: LinkType.RAW_IP,
    229: LinkType.RAW_IP,
    276: LinkType.SLL2,
}
"""Numbers of https://www.tcpdump.org/linktypes.html that are read."""

_PCAP_MAGIC = {
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
}
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
_SECTION_MAGIC = _SECTION.to_bytes(4, "big")
_BYTE_ORDER = 0x1A2B3C4D
_OPTION_END, _OPTION_TSRESOL, _OPTION_TSOFFSET = 0, 9, 14
_SKIP_CHUNK = 64 * 1024


class CaptureError(ValueError):
    """A capture file is truncated or damaged; what came before was given whole."""


class NotACaptureError(CaptureError):
    """Not a capture file, or one of a kind that is not read here; nothing of it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interface:
    link: LinkType | None
    """None for a link type that is not read."""
    number: int
    snap: int
    """0 means no limit."""
    units: int
    """Time stamps a second."""
    offset: int
    """Seconds to add."""


class Capture:
    """An open capture file; iterate once, and close (or use as a context)."""

    def __init__(self, path: Path) -> None:
        """Open a file and read its first header.

        Raises:
            OSError: it cannot be opened.
            NotACaptureError: it is no capture, or holds a link type that is not read.
        """
        self.path = path
        self.size = path.stat().st_size
        """Octets of the file."""
        self.position = 0
        """Octets read so far."""
        self.skipped = 0
        """Packets of interfaces whose link type is not read (pcapng)."""
        self._file: BinaryIO = path.open("rb")
        try:
            self._frames = self._recognise()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[Frame]:
        """Frames in the file's order.

        Raises:
            CaptureError: the file ends in the middle of a packet or contradicts itself.
            NotACaptureError: at the end, if all its packets are of link types that are not read.
        """
        return self._frames

    def _recognise(self) -> Iterator[Frame]:
        magic = self._read(4)
        if magic in _PCAP_MAGIC:
            return self._open_pcap(*_PCAP_MAGIC[magic])
        if magic == _SECTION_MAGIC:
            return self._open_pcapng()
        if not magic:
            raise NotACaptureError(f"{self.path}: the file is empty")
        raise NotACaptureError(f"{self.path}: not a capture file (neither pcap nor pcapng)")

    def damaged(self, at: int, what: str) -> CaptureError:
        """An error that names the file and the place."""
        return CaptureError(f"{self.path}: damaged at offset {at}: {what}")

    def _truncated(self, began: int) -> CaptureError:
        return CaptureError(f"{self.path}: truncated: the file ends inside what begins at offset {began}")

    def _read(self, count: int) -> bytes:
        """Up to `count` octets, fewer only at the end of the file."""
        try:
            content = self._file.read(count)
        except OSError as error:
            raise CaptureError(f"{self.path}: cannot be read at offset {self.position} ({error.strerror})") from error
        self.position += len(content)
        return content

    def _exactly(self, count: int, began: int) -> bytes:
        """Read `count` octets of something that began at offset `began`."""
        content = self._read(count)
        if len(content) < count:
            raise self._truncated(began)
        return content

    # --- pcap -------------------------------------------------------------------------------

    def _open_pcap(self, order: str, unit: float) -> Iterator[Frame]:
        header = Struct(f"{order}HHiIII")
        content = self._read(header.size)
        if len(content) < header.size:
            raise NotACaptureError(f"{self.path}: truncated: the file ends inside its first header")
        number = header.unpack(content)[-1] & 0xFFFF  # the upper half says whether frames end in a checksum
        link = LINK_TYPES.get(number)
        if link is None:
            raise NotACaptureError(f"{self.path}: link type {number} is not read")
        return self._pcap(Struct(f"{order}IIII"), unit, link)

    def _pcap(self, record: Struct, unit: float, link: LinkType) -> Iterator[Frame]:
        while (header := self._header(record)) is not None:
            began, (seconds, fraction, captured, _) = header
            if captured > MAX_PACKET:
                raise self.damaged(began, f"a packet of {captured} octets")
            data = self._exactly(captured, began)
            yield Frame(ts=seconds + fraction * unit, tap=Tap.FILE, link=link, data=data)

    def _header(self, layout: Struct) -> tuple[int, tuple[int, ...]] | None:
        """Where the next record begins and its fixed header; None at the end of the file."""
        began = self.position
        content = self._read(layout.size)
        if not content:
            return None
        if len(content) < layout.size:
            raise self._truncated(began)
        return began, layout.unpack(content)

    # --- pcapng -----------------------------------------------------------------------------

    def _open_pcapng(self) -> Iterator[Frame]:
        try:
            order = self._section(0)
        except CaptureError as error:
            raise NotACaptureError(str(error)) from None
        return self._pcapng(order)

    def _section(self, began: int) -> str:
        """Read a section header block behind its type; gives the section's byte order."""
        length, magic = self._exactly(4, began), self._exactly(4, began)
        for order in "<>":
            number = Struct(f"{order}I")
            if number.unpack(magic)[0] == _BYTE_ORDER:
                self._body(number.unpack(length)[0], began, taken=12)
                return order
        raise self.damaged(began, "a section without byte-order magic")

    def _body(self, length: int, began: int, *, taken: int) -> bytes:
        """The rest of a block of `length` octets of which `taken` are read, without its closing length."""
        if length % 4 or not taken + 4 <= length <= MAX_HEADER:
            raise self.damaged(began, f"a block of {length} octets")
        body = self._exactly(length - taken - 4, began)
        if self._exactly(4, began) not in {length.to_bytes(4, "little"), length.to_bytes(4, "big")}:
            raise self.damaged(began, "a block whose two lengths differ")
        return body

    def _pcapng(self, order: str) -> Iterator[Frame]:
        block = Struct(f"{order}I")
        interfaces: list[_Interface] = []
        given = 0
        ts = 0.0
        while (header := self._header(block)) is not None:
            began, (kind,) = header
            if kind == _SECTION:  # the same number in either byte order
                order = self._section(began)
                block = Struct(f"{order}I")
                interfaces = []
                continue
            (length,) = block.unpack(self._exactly(4, began))
            if kind not in {_INTERFACE, _ENHANCED, _SIMPLE}:
                self._unknown(length, began)
                continue
            fields = _Fields(self, self._body(length, began, taken=8), began, order)
            if kind == _INTERFACE:
                if len(interfaces) == MAX_INTERFACES:
                    raise self.damaged(began, f"more than {MAX_INTERFACES} interfaces")
                interfaces.append(_interface(fields))
                continue
            interface, stamp, captured = _packet(fields, interfaces, simple=kind == _SIMPLE)
            data = fields.take(captured)
            if interface.link is None:
                self.skipped += 1
                continue
            # A simple packet block has no time of its own: it counts as heard with the packet before it.
            ts = ts if stamp is None else stamp / interface.units + interface.offset
            given += 1
            yield Frame(ts=ts, tap=Tap.FILE, link=interface.link, data=data)
        if self.skipped and not given:
            numbers = ", ".join(sorted({str(interface.number) for interface in interfaces}))
            raise NotACaptureError(f"{self.path}: link type {numbers} is not read")

    def _unknown(self, length: int, began: int) -> None:
        if length % 4 or not 12 <= length <= MAX_BLOCK:
            raise self.damaged(began, f"a block of {length} octets")
        left = length - 8
        while left:
            left -= len(self._exactly(min(left, _SKIP_CHUNK), began))


class _Fields:
    """Reads the body of a block; what crosses its end is damage of the file."""

    def __init__(self, capture: Capture, body: bytes, began: int, order: str) -> None:
        self._capture = capture
        self._body = body
        self._began = began
        self._at = 0
        self.order = order

    def take(self, count: int) -> bytes:
        """The next `count` octets."""
        if self._at + count > len(self._body):
            raise self.damaged("a block shorter than what it holds")
        self._at += count
        return self._body[self._at - count : self._at]

    def unpack(self, layout: str) -> tuple[int, ...]:
        """The next fields in the section's byte order."""
        form = Struct(self.order + layout)
        return form.unpack(self.take(form.size))

    @property
    def left(self) -> int:
        """Octets not read yet."""
        return len(self._body) - self._at

    def damaged(self, what: str) -> CaptureError:
        """An error that names this block's place."""
        return self._capture.damaged(self._began, what)


def _interface(fields: _Fields) -> _Interface:
    number, _, snap = fields.unpack("HHI")
    units, offset = 10**6, 0
    while fields.left >= 4:
        code, length = fields.unpack("HH")
        if code == _OPTION_END:
            break
        value = fields.take(length)
        fields.take(-length % 4)
        if code == _OPTION_TSRESOL and length == 1:
            exponent = value[0] & 0x7F
            units = 2**exponent if value[0] & 0x80 else 10**exponent
        elif code == _OPTION_TSOFFSET and length == 8:
            (offset,) = Struct(f"{fields.order}q").unpack(value)
    return _Interface(link=LINK_TYPES.get(number), number=number, snap=snap, units=units, offset=offset)


def _packet(fields: _Fields, interfaces: list[_Interface], *, simple: bool) -> tuple[_Interface, int | None, int]:
    """A packet block's interface, time stamp and captured length."""
    stamp: int | None = None
    if simple:
        identity = 0
        (captured,) = fields.unpack("I")
    else:
        identity, high, low, captured, _ = fields.unpack("IIIII")
        stamp = high << 32 | low
    if identity >= len(interfaces):
        raise fields.damaged(f"a packet of interface {identity}, which nothing describes")
    interface = interfaces[identity]
    if simple and interface.snap:
        captured = min(captured, interface.snap)
    if captured > MAX_PACKET:
        raise fields.damaged(f"a packet of {captured} octets")
    return interface, stamp, captured
