"""Lines of a stream of bytes, numbered, a block of them at a time.

In: a binary stream. Out: blocks of whole lines, each with the number of its first line, from 1; and the lines of a
block, None for one that is too long or not UTF-8. Bounded: `BLOCK` octets and a line; `MAX_LINE` octets a line; what
goes on beyond is read over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

MAX_LINE = 4096
BLOCK = 16 * 1024
_MARK = b"\xef\xbb\xbf"
"""A byte order mark in UTF-8: some editors put one first."""


def read_blocks(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Whole lines, some hundred at a time; each block ends with the end of a line."""
    number = 1
    while block := stream.read(BLOCK):
        if number == 1:
            block = block.removeprefix(_MARK)
        if not block.endswith(b"\n"):
            block += stream.readline(MAX_LINE + 1)
        if not block.endswith(b"\n"):
            while (raw := stream.readline(MAX_LINE + 1)) and not raw.endswith(b"\n"):
                pass  # of a line that is too long, or the end of the file
            block += b"\n"
        yield number, block
        number += block.count(b"\n")


def read_lines(stream: BinaryIO) -> Iterator[tuple[int, str | None]]:
    """The lines of a stream; plain pairs, because there are millions."""
    for number, block in read_blocks(stream):
        yield from lines_of(number, block)


def lines_of(number: int, block: bytes) -> Iterator[tuple[int, str | None]]:
    """The lines of a block whose first has this number."""
    for place, raw in enumerate(block[:-1].split(b"\n"), start=number):
        if len(raw) > MAX_LINE:
            yield place, None
            continue
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            yield place, None
            continue
        yield place, text.rstrip("\r")
