"""DHCPv6 messages (RFC 8415), of clients and servers, relayed ones too.

Enters: the UDP data. Leaves: a `Message` with its options in the sender's order.
"""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One DHCPv6 message; of a relayed one (RFC 8415 section 9) the innermost."""

    message_type: int
    """1 SOLICIT, 3 REQUEST, 11 INFORMATION-REQUEST, 2 ADVERTISE, 7 REPLY ..."""
    transaction: int
    options: tuple[tuple[int, bytes], ...]
    """(code, value) of the top level in the sender's order."""
    client_duid: bytes | None = None
    """Option 1 (RFC 8415 section 11); the first two octets give its kind: 1 LLT, 2 EN, 3 LL, 4 UUID."""
    server_duid: bytes | None = None
    requested: tuple[int, ...] = ()
    """Option Request Option (6) in the client's order."""
    vendor_class: tuple[int, str] | None = None
    """Option 16: enterprise number and the first string of its data."""
    fqdn: str | None = None
    """Option 39 (RFC 4704)."""
    addresses: tuple[bytes, ...] = ()
    """Addresses inside IA_NA and IA_TA options, sixteen octets each."""

    @property
    def from_client(self) -> bool:
        """Whether a client sends this type."""
        return self.message_type in {1, 3, 4, 5, 6, 8, 9, 11}

    @property
    def duid_mac(self) -> bytes | None:
        """The hardware address inside a DUID-LLT or DUID-LL of Ethernet, six octets."""
        duid = self.client_duid or b""
        if duid[:4] == b"\0\x01\0\x01" and len(duid) == 14:
            return duid[8:]
        return duid[4:] if duid[:4] == b"\0\x03\0\x01" and len(duid) == 10 else None
