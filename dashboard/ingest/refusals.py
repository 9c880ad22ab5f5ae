"""Counts what was not accepted, and says when a line of it is due for the audit table.

The first refusal of a kind is due at once, its repetitions once a minute as one line with a count:
a box gone wrong may send thousands, and the audit table is for people.
Bounded: at most `MAX_KINDS` kinds are told apart; the rest share one line (`others`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dashboard.ingest.opening import Refusal

MAX_KINDS = 256
EVERY = 60.0
_SUBJECT = 160


@dataclass(slots=True)
class _Tally:
    count: int = 0
    written: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One line for the audit."""

    refusal: Refusal
    count: int

    @property
    def outcome(self) -> str:
        """Whether the message was kept."""
        return "kept" if self.refusal.action == "message-unread" else "refused"

    @property
    def subject(self) -> str:
        """`site: why`, with how often, cut to the column."""
        text = f"{self.refusal.site or 'no site'}: {self.refusal.why}"
        ending = f" ({self.count} times)" if self.count > 1 else ""
        return text[: _SUBJECT - len(ending)] + ending


class Refusals:
    """Tallies per kind; `now` is a monotonic time in seconds."""

    def __init__(self) -> None:
        self._tallies: dict[Refusal, _Tally] = {}
        self.total = 0

    def copy(self) -> Refusals:
        """The same tallies, to go on with: dropped if what they led to is not committed."""
        other = Refusals()
        other._tallies = {refusal: replace(tally) for refusal, tally in self._tallies.items()}
        other.total = self.total
        return other

    def note(self, refusal: Refusal) -> None:
        """Count one."""
        self.total += 1
        if refusal not in self._tallies and len(self._tallies) >= MAX_KINDS:
            refusal = Refusal(action=refusal.action, site="", why="others")
        tally = self._tallies.setdefault(refusal, _Tally())
        tally.count += 1

    def waits(self, now: float) -> bool:
        """Whether a look at the tallies would write or forget one."""
        return any(tally.written is None or now - tally.written >= EVERY for tally in self._tallies.values())

    def due(self, now: float) -> list[Due]:
        """Lines to write now; a kind that has been quiet for a minute is forgotten."""
        lines = []
        for refusal, tally in list(self._tallies.items()):
            if tally.written is not None and now - tally.written < EVERY:
                continue
            if tally.count:
                lines.append(Due(refusal=refusal, count=tally.count))
                tally.count = 0
                tally.written = now
            else:
                del self._tallies[refusal]
        return lines
