"""Names on the wire in DNS messages: labels, and pointers to labels before them (RFC 1035 section 4.1.4).

Enters: a message, and where in it a name begins. Leaves: its text, and where it ends.
Bounded: `MAX_LABELS` in one message, `MAX_POINTERS` in one name, 255 octets a name (section 2.3.4).
A pointer must point before the labels it ends ("a prior occurrence"), so every name ends; nothing recurses.
"""

from __future__ import annotations

from appliance.sensor.packet import names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_LABELS = 1024
"""Labels read in one message: pointers let a few octets stand for many labels, again and again."""
MAX_POINTERS = 64
"""Compression pointers followed in one name."""
MAX_WIRE_NAME = 255

_POINTER = 0xC0
_LONGEST = 63
_ENDED = -1


class Names:
    """Reads the names of one message, `MAX_LABELS` in all."""

    __slots__ = ("_known", "_left")

    def __init__(self) -> None:
        self._left = MAX_LABELS
        # Where a name was read: its text, labels, octets on the wire, pointers. An entry a name, bounded as names are.
        self._known: dict[int, tuple[str, list[bytes], int, int]] = {}

    def charge(self) -> None:
        """Count a name that could not be read as if it had been as long as one may be."""
        self._left -= MAX_WIRE_NAME // 2

    def read(self, cursor: Cursor) -> str:
        """Read a name, following compression pointers backward; the cursor ends behind it.

        Raises:
            ParseError: as `at`.
        """
        text, cursor.position = self.at(cursor.data, cursor.position, cursor.end)
        return text

    def at(self, data: bytes, start: int, end: int) -> tuple[str, int]:
        """Read the name that begins at `start` and must end before `end`; always of the same `data`.

        Returns:
            Its text, and the position behind it.

        Raises:
            ParseError: cut short, too long, a reserved label type, a pointer that is not backward, or too many
                pointers or labels.
        """
        if start + 2 <= end and data[start] >= _POINTER:
            target = (data[start] & 0x3F) << 8 | data[start + 1]
            known = self._known.get(target)
            if known is not None and target < start and known[3] < MAX_POINTERS:  # most owners of records
                self._left -= len(known[1])
                if self._left >= 0:
                    return known[0], start + 2
        labels: list[bytes] = []
        position, target = _run(data, start, end, labels)
        if target == _ENDED:
            octets, pointers = position - start, 0
            if octets > MAX_WIRE_NAME:
                raise ParseError("DNS name too long")
            text = names.from_labels(labels)
        else:
            text, octets, pointers = self._follow(data, start, end, target, labels)
        self._left -= len(labels)
        if self._left < 0:
            raise ParseError(f"more than {MAX_LABELS} DNS labels in a message")
        self._known[start] = (text, labels, octets, pointers)
        return text, position

    def _follow(self, data: bytes, start: int, end: int, target: int, labels: list[bytes]) -> tuple[str, int, int]:
        """The rest of a name that has `labels` from `start` up to its first pointer: its text, octets and pointers."""
        octets = sum(map(len, labels)) + len(labels) + 1
        for pointers in range(1, MAX_POINTERS + 1):
            if target >= start:
                raise ParseError("DNS pointer does not point backward")
            known = self._known.get(target)
            if known is not None:
                tail, of_tail, more, followed = known
                octets += more - 1
                if octets > MAX_WIRE_NAME or pointers + followed > MAX_POINTERS:
                    raise ParseError("DNS name too long, or with too many pointers")
                labels += of_tail
                return names.from_labels(labels) if len(labels) > len(of_tail) else tail, octets, pointers + followed
            start = target
            position, target = _run(data, start, end, labels)
            octets += position - start - (1 if target == _ENDED else 2)
            if octets > MAX_WIRE_NAME:
                raise ParseError("DNS name too long")
            if target == _ENDED:
                return names.from_labels(labels), octets, pointers
        raise ParseError(f"more than {MAX_POINTERS} DNS pointers in a name")


def _run(data: bytes, position: int, end: int, labels: list[bytes]) -> tuple[int, int]:
    """Labels as far as the root or a pointer: the position behind it, and where it points (`_ENDED`: the root)."""
    end = min(end, position + MAX_WIRE_NAME + 1)  # one more: a pointer takes two octets, the root it stands for one
    while position < end:
        length = data[position]
        position += 1
        if length == 0:
            return position, _ENDED
        if length > _LONGEST:
            if length < _POINTER:
                raise ParseError("reserved DNS label type")
            if position >= end:
                break
            return position + 1, (length & 0x3F) << 8 | data[position]
        # A label that goes over the end is never handed on: the loop ends behind it.
        labels.append(data[position : position + length])
        position += length
    raise ParseError("DNS name cut short or too long")
