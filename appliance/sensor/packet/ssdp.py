"""SSDP (UPnP Device Architecture 2.0, section 1): announcements, searches and their answers.

Enters: the UDP data. Leaves: a `Message` with its header fields.
"""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One NOTIFY, M-SEARCH or response."""

    method: str
    """`NOTIFY`, `M-SEARCH` or `RESPONSE`."""
    headers: tuple[tuple[str, str], ...]
    """Name in upper case and value, in the sender's order."""

    def header(self, name: str) -> str | None:
        """The first field of this name (upper case); None if it is absent."""
        return next((value for found, value in self.headers if found == name), None)
