"""The coverage ledger (N4): when the box could see, and what it could not, in the same log as what it saw.

In: how the box stands, each turn. Out: a record for each change (start and stop, provider, server, authority, lists,
clock, gaps, ports), and one at the end of every hour even when nothing happened: how many seconds of it the box
listened and recorded, and how much was lost, refused or over a bound. About the box alone: kept without an authority.

Bounded: `MAX_CHANGES` records of changes an hour; more are counted in the hour's record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.keeper.ledger.book import Ledger
from appliance.messages import TapReport
from wire.box import Gap
from wire.ledger import RecordKind

MAX_CHANGES = 120
LONGEST_TURN = 60.0
"""Between two turns that are further apart the keeper did not run: that time is not counted as seen."""
_COUNTERS = ("messages", "lost", "unparsed", "overflow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the box stands at a moment."""

    listening: bool
    """The sensor is connected, and no gap is open."""
    recording: bool
    """An authority is in force."""
    server: bool
    """The box is in conversation with its server."""
    clock: str
    software: str
    authority: str | None
    """Id and number of what is in force."""
    lists: Mapping[str, str | None]
    """Version of each list in use or wanted."""
    processes: frozenset[str]


@dataclass(slots=True, kw_only=True)
class _Hour:
    since_ms: int
    ran: float = 0.0
    listened: float = 0.0
    recorded: float = 0.0
    server: float = 0.0
    changes: int = 0
    taps: dict[str, dict[str, int]] = field(default_factory=dict)
    overflow: int = 0


class Coverage:
    """What was seen and not seen since the hour began."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._before: Standing | None = None
        self._at: float | None = None
        self._hour: _Hour | None = None
        self._gaps: dict[tuple[float, str], float | None] = {}
        self._gaps_known = False
        self._taps: dict[str, TapReport] = {}
        self._overflow = 0

    # --- what happens -----------------------------------------------------------------------

    def event(self, name: str, /, **plain: Any) -> None:
        """Something happened; `plain` says what, without a device in it."""
        hour = self._hour or self._begin()
        if hour.changes < MAX_CHANGES:
            self._ledger.note(RecordKind.COVERAGE, {"event": name, **plain})
        hour.changes += 1

    def tick(self, standing: Standing, monotonic: float) -> None:
        """Time has passed, in which the box stood as it did before."""
        hour = self._hour or self._begin()
        before, last = self._before, self._at
        self._before, self._at = standing, monotonic
        if before is None or last is None:
            self.event("began", **_whole(standing))
            return
        passed = max(monotonic - last, 0.0)
        if passed <= LONGEST_TURN:
            hour.ran += passed
            hour.listened += passed * before.listening
            hour.recorded += passed * (before.recording and before.listening)
            hour.server += passed * before.server
        old, new = _whole(before), _whole(standing)
        for name in new:
            if old[name] != new[name]:
                self.event("changed", what=name, before=old[name], now=new[name])

    def gaps(self, latest: Iterable[Gap]) -> None:
        """The latest gaps: each that began or ended since is recorded."""
        told = self._gaps
        self._gaps = {}
        for gap in latest:
            started, ended = gap.started.timestamp(), None if gap.ended is None else gap.ended.timestamp()
            key = (started, gap.cause.value)
            self._gaps[key] = ended
            if self._gaps_known and (key not in told or told[key] != ended):
                body = {"cause": gap.cause.value, "from_ms": round(started * 1000)}
                if ended is not None:
                    body["until_ms"] = round(ended * 1000)
                self._ledger.note(RecordKind.GAP, body)
        self._gaps_known = True

    def reports(self, reports: Iterable[TapReport], overflow: int) -> None:
        """Counters since each tap was opened, and what went over any bound of the keeper since its start."""
        hour = self._hour or self._begin()
        for report in reports:
            before = self._taps.get(report.tap)
            if before is not None and report.messages < before.messages:
                before = None  # opened anew, it counts from nought
            self._taps[report.tap] = report
            sums = hour.taps.setdefault(report.tap, dict.fromkeys(_COUNTERS, 0))
            for name in _COUNTERS:
                then = 0 if before is None else int(getattr(before, name))
                sums[name] += max(int(getattr(report, name)) - then, 0)
        hour.overflow += max(overflow - self._overflow, 0)
        self._overflow = overflow

    # --- the hour ---------------------------------------------------------------------------

    def close(self) -> None:
        """The hour is over, or the keeper stops: what of it was seen."""
        hour, ledger = self._hour, self._ledger
        if hour is None or self._before is None:
            return
        refused, ledger.refused = ledger.refused, 0
        body = {
            "event": "hour",
            "from_ms": hour.since_ms,
            "until_ms": ledger.stamp.wall_ms,
            "ran_s": round(hour.ran),
            "listened_s": round(hour.listened),
            "recorded_s": round(hour.recorded),
            "server_s": round(hour.server),
            "taps": hour.taps,
            "overflow": hour.overflow,
            "refused_by_ledger": refused,
            "changes_untold": max(hour.changes - MAX_CHANGES, 0),
            **_whole(self._before),
        }
        ledger.note(RecordKind.COVERAGE, body)
        self._begin()

    def _begin(self) -> _Hour:
        self._hour = _Hour(since_ms=self._ledger.stamp.wall_ms)
        return self._hour


def _whole(standing: Standing) -> dict[str, Any]:
    return {
        "listening": standing.listening,
        "recording": standing.recording,
        "server": standing.server,
        "clock": standing.clock,
        "software": standing.software,
        "authority": standing.authority or "",
        "lists": {name: version or "" for name, version in sorted(standing.lists.items())},
        "processes": sorted(standing.processes),
    }
