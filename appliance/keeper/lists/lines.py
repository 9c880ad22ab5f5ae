"""Lines of a stream of bytes, numbered, without ever holding more than one.

In: a binary stream. Out: `Line`s; a line that is too long or not UTF-8 has no text.
Bounded: `MAX_LINE` octets a line; what goes on beyond is read over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_LINE = 4096
_MARK = b"\xef\xbb\xbf"
"""A byte order mark in UTF-8: some editors put one first."""

Text = str


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end."""

    number: int
    """From 1."""
    text: Text | None
    """None where it is too long or not UTF-8."""


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines of a stream."""
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            raw = raw.removeprefix(_MARK)
        if len(raw) > MAX_LINE and not raw.endswith(b"\n"):
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(MAX_LINE + 1)
            yield Line(number, None)
            continue
        try:
            yield Line(number, raw.decode().rstrip("\r\n"))
        except UnicodeDecodeError:
            yield Line(number, None)
