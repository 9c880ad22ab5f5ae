"""How many phones are near and never join (R21): senders of Wi-Fi probe requests in, one number an hour out.

Counted only while the keeper asks for it. An address is not kept: what is kept for the hour is a short
hash with a key that is made for the hour and thrown away with it, so nobody can be known again the next
hour. Phones change the address they ask under: the number is of addresses, at most of phones.
Bounded: `MAX_HEARD` hashes; what goes over is counted in `overflow` and not in the number.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable

from appliance.messages import NearbyCounted

HOUR = 3600.0
MAX_HEARD = 4096

_PROBE = re.compile(rb"<\d>RX-PROBE-REQUEST sa=([0-9a-f]{2}(?::[0-9a-f]{2}){5})(?: .*)?\s*", re.IGNORECASE)


def sender(event: bytes) -> str | None:
    """The sender of a probe request, of hostapd's event; None for any other event."""
    found = _PROBE.fullmatch(event)
    return found[1].decode("ascii").lower() if found else None


class Nearby:
    """The count of one hour. `now` is the wall clock, `monotonic` the monotonic one, in seconds."""

    def __init__(self, *, key: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._make_key = key
        self._key = b""
        self._since: float | None = None
        self._began = 0.0
        self._heard: set[bytes] = set()
        self._joined: set[bytes] = set()
        self._present: set[str] = set()
        """Stations that are joined now: the household's own, which the keeper hears of anyway."""
        self.overflow = 0

    @property
    def counting(self) -> bool:
        """Whether the keeper asks for it."""
        return self._since is not None

    def wanted(self, wanted: bool, *, now: float, monotonic: float) -> None:
        """Begin, or stop and forget."""
        if wanted == self.counting:
            return
        if wanted:
            self._begin(now, monotonic)
        else:
            self._since, self._key = None, b""
            self._heard, self._joined = set(), set()

    def heard(self, mac: str) -> None:
        """A probe request from an address."""
        self._note(self._heard, mac)

    def joined(self, mac: str) -> None:
        """The station with that address has joined: it is not one of those that are only near."""
        if mac in self._present or len(self._present) < MAX_HEARD:
            self._present.add(mac)
        self._note(self._joined, mac)

    def left(self, mac: str) -> None:
        """It has left; for the rest of the hour it still counts as one that joined."""
        self._present.discard(mac)

    def due(self, *, now: float, monotonic: float) -> NearbyCounted | None:
        """The number, when the hour is over; then the next one begins under another key."""
        if self._since is None or monotonic - self._began < HOUR:
            return None
        counted = NearbyCounted(ts=now, since=min(self._since, now), count=len(self._heard - self._joined))
        self._begin(now, monotonic)
        return counted

    def _begin(self, now: float, monotonic: float) -> None:
        self._since, self._began = now, monotonic
        self._key = self._make_key(16)
        self._heard, self._joined = set(), set()
        for mac in self._present:
            self._note(self._joined, mac)

    def _note(self, where: set[bytes], mac: str) -> None:
        if self._since is None:
            return
        mark = hashlib.blake2b(mac.encode("ascii"), key=self._key, digest_size=8).digest()
        if mark not in where and len(where) >= MAX_HEARD:
            self.overflow += 1
            return
        where.add(mark)
