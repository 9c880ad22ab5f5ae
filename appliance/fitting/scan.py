"""What `iw dev IF scan` prints of the Wi-Fis in the air: text in, their addresses out. Pure.

Names of networks are chosen by strangers and stand in that text: nothing but the line that opens a record is read, and
it has to stand at the start of a line, where `iw` lets no name come. Bounded: `MAX_TEXT` octets, `MAX_FOUND` records.
"""

from __future__ import annotations

import re

MAX_TEXT = 512 * 1024
MAX_FOUND = 256
_RECORD = re.compile(rb"^BSS ((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\(on [^)\s]{1,15}\)", re.MULTILINE)


def bssids(printed: bytes) -> tuple[str, ...]:
    """Addresses of the access points, in their order, each once."""
    found: dict[str, None] = {}
    for match in _RECORD.finditer(printed[:MAX_TEXT]):
        found[match[1].decode("ascii")] = None
        if len(found) >= MAX_FOUND:
            break
    return tuple(found)
