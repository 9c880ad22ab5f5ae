"""Lines of a stream of bytes, numbered, without ever holding more than one.

In: a binary stream. Out: numbers from 1, each with the line without its end; None for one that is too long or
not UTF-8. Bounded: `MAX_LINE` octets a line; what goes on beyond is read over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

MAX_LINE = 4096
_MARK = b"\xef\xbb\xbf"
"""A byte order mark in UTF-8: some editors put one first."""


def read_lines(stream: BinaryIO) -> Iterator[tuple[int, str | None]]:
    """The lines of a stream; plain pairs, because there are millions."""
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            raw = raw.removeprefix(_MARK)
        if len(raw) > MAX_LINE and not raw.endswith(b"\n"):
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(MAX_LINE + 1)
            yield number, None
            continue
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            yield number, None
            continue
        yield number, text.rstrip("\r\n")
