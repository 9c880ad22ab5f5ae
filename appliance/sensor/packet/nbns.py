"""NetBIOS name service (RFC 1002 section 4.2): who claims or asks for which name.

Enters: the UDP data. Leaves: a `Message`.
"""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One packet's question and what it claims."""

    transaction: int
    response: bool
    opcode: int
    """0 query, 5 registration, 6 release, 8 refresh."""
    rcode: int
    name: str | None
    """The name in the question or the first record, decoded (RFC 1001 section 14.1), padding removed."""
    suffix: int | None
    """Its sixteenth octet: 0x00 workstation, 0x20 file server, 0x1b to 0x1e browsing ..."""
    group: bool = False
    """A group name: nobody's own."""
    addresses: tuple[str, ...] = ()
    """Of the NB record claimed or answered."""

    @property
    def claims(self) -> bool:
        """Whether the sender says that the name is its own."""
        return not self.response and self.opcode in {5, 8} and not self.group
