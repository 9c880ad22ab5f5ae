"""How much one box may ask in an hour, and how many are remembered: a stranger cannot use up a box's share.

Bounded: `most` tallies of at most the hour's requests each; who finds no room is turned away and counted.
"""

from __future__ import annotations

from collections import deque

MAX_ASKED = 200_000
HOUR = 3600.0


class Share:
    """Requests of the last hour, by who asked and in which way. Not for several threads at once."""

    def __init__(self, most: int = MAX_ASKED) -> None:
        """Remember at most so many."""
        self._most = most
        self._asked: dict[tuple[str, str], deque[float]] = {}
        self.turned_away = 0

    def take(self, site: str, kind: str, *, most: int, now: float) -> bool:
        """Count a request; False where the hour's share is used up, or nobody more is remembered."""
        who = (site, kind)
        if who not in self._asked and len(self._asked) >= self._most:
            self._asked = {name: times for name, times in self._asked.items() if times and now - times[-1] < HOUR}
        asked = self._asked.setdefault(who, deque()) if len(self._asked) < self._most else self._asked.get(who)
        while asked and now - asked[0] >= HOUR:
            asked.popleft()
        if asked is None or len(asked) >= most:
            self.turned_away += 1
            return False
        asked.append(now)
        return True
