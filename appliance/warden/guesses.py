"""Who tries passphrases that are none of this Wi-Fi's: lines of hostapd's in, counts by address out.

hostapd says each try of a station whose proof does not fit, about once a second while one goes on trying. They are counted
and told together. Bounded: `MAX_GUESSERS` addresses between two reports; those for whom no room is are counted as one,
because an address costs who tries nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from appliance.messages import PassphraseGuessed

MAX_GUESSERS = 32
REPORT_SECONDS = 10.0
MAX_EVENT = 256

_MISMATCH = re.compile(r"<\d>AP-STA-POSSIBLE-PSK-MISMATCH ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})")


def guesser(event: bytes) -> str | None:
    """Whose proof did not fit; None for any other event."""
    if len(event) > MAX_EVENT:
        return None
    found = _MISMATCH.fullmatch(event.decode("utf-8", "replace").strip())
    return None if found is None else found[1].lower()


@dataclass(slots=True, kw_only=True)
class _Tries:
    since: float
    last: float
    count: int = 0


class Guesses:
    """Tries since the last report. `now` is the wall clock, `monotonic` the monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._tries: dict[str | None, _Tries] = {}
        self._due: float | None = None
        self.overflow = 0
        """Tries of addresses that found no room of their own, since start."""

    def tried(self, mac: str, *, now: float, monotonic: float) -> None:
        """One try."""
        key = mac if mac in self._tries or len(self._tries) < MAX_GUESSERS else None
        if key is None:
            self.overflow += 1
        tries = self._tries.setdefault(key, _Tries(since=now, last=now))
        tries.last, tries.count = max(now, tries.since), tries.count + 1
        if self._due is None:
            self._due = monotonic + REPORT_SECONDS

    def due(self, monotonic: float) -> tuple[PassphraseGuessed, ...]:
        """What to tell, some seconds after the first try that was not told; else nothing."""
        if self._due is None or monotonic < self._due:
            return ()
        told = tuple(
            # Senders that found no room are not told apart: each of their tries may have been another's.
            PassphraseGuessed(
                ts=each.last,
                since=each.since,
                mac=mac,
                count=each.count,
                addresses=1 if mac is not None else each.count,
            )
            for mac, each in self._tries.items()
        )
        self._tries.clear()
        self._due = None
        return told
