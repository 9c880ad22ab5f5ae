"""An evidence bundle on its way from the box: what it will be, and its parts."""

from __future__ import annotations

from pydantic import Field

from wire.base import Count, Id, Payload, Text, Time
from wire.ledger import Digest

PART_OCTETS = 20 * 1024
"""Octets of a part before base64: it fits a message."""
MAX_PARTS = 65_536


class BundleBuilt(Payload):
    """A bundle's data part is ready on the box, or could not be made."""

    bundle_id: Id
    parts: Count
    octets: Count
    sha256: Digest
    records: Count
    at: Time
    expires: Time
    """When the box deletes it."""
    problem: Text = ""
    """Why there is none; then the numbers are 0."""


class BundlePart(Payload):
    """One part, in order of `number`; sealed and signed as every message is. It can be asked for again."""

    bundle_id: Id
    number: Count
    data: str = Field(max_length=28 * 1024)
    """Base64."""
