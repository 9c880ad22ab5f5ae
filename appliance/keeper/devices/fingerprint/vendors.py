"""Who owns the prefix of a hardware address: the IEEE registry, packed by `tools/tables.py`.

Enters: an address as text. Leaves: the owner's name as registered. A locally administered address
has no owner. Longest prefix first: 36, 28, 24 bits (MA-S and IAB, MA-M, MA-L).
Bounded: the file, read once as bytes and searched by bisection; nothing is kept of what was asked.

Form of the file: `GHV1`, three counts and the length of the names (little-endian, 32 bits each); then
for 36, 28 and 24 bits the prefixes (8 bytes each, big-endian, ascending) and for each prefix a
32-bit little-endian offset into the names; then the names, UTF-8, each ended by a zero byte.
"""

from __future__ import annotations

import struct
from functools import cache
from importlib import resources

MAGIC = b"GHV1"
WIDTHS = (36, 28, 24)
HEADER = struct.Struct("<4s4I")
FILE = "vendors.bin"
_LOCAL = 0x02_00_00_00_00_00
_GROUP = 0x01_00_00_00_00_00


class VendorTable:
    """The packed table; `owner` bisects it where it lies."""

    def __init__(self, data: bytes) -> None:
        """Raises ValueError where `data` is not such a table."""
        if len(data) < HEADER.size:
            raise ValueError("the vendor table is cut short")
        magic, *counts, names = HEADER.unpack_from(data)
        if magic != MAGIC or len(data) != HEADER.size + 12 * sum(counts) + names:
            raise ValueError("this is no vendor table, or a damaged one")
        self._data = data
        self._parts: list[tuple[int, int, int]] = []
        start = HEADER.size
        for width, count in zip(WIDTHS, counts, strict=True):
            self._parts.append((48 - width, start, count))
            start += 12 * count
        self._names = start

    def __len__(self) -> int:
        return sum(count for _, _, count in self._parts)

    def owner(self, mac: str) -> str | None:
        """The registered owner, as the registry spells it; None where there is none."""
        try:
            number = int(mac.replace(":", ""), 16)
        except ValueError:
            return None
        if number & (_LOCAL | _GROUP) or number >> 48:
            return None
        for shift, start, count in self._parts:
            found = self._find(number >> shift, start, count)
            if found is not None:
                return found
        return None

    def _find(self, prefix: int, start: int, count: int) -> str | None:
        wanted = prefix.to_bytes(8, "big")
        data = self._data
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            at = start + 8 * middle
            if data[at : at + 8] < wanted:
                low = middle + 1
            else:
                high = middle
        at = start + 8 * low
        if low == count or data[at : at + 8] != wanted:
            return None
        (offset,) = struct.unpack_from("<I", data, start + 8 * count + 4 * low)
        begin = self._names + offset
        return data[begin : data.index(b"\0", begin)].decode()


@cache
def shipped() -> VendorTable | None:
    """The table built at set-up; None where it was not built: then no address has a known owner."""
    file = resources.files("appliance.keeper.devices.fingerprint") / "tables" / FILE
    return VendorTable(file.read_bytes()) if file.is_file() else None
