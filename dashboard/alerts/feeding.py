"""Feeds the collector: what the audit and the findings' states gained goes out, and how far it went is kept.

In: an engine, a collector, now. Out: messages. A batch that was not taken is sent again from where the last one ended, so
that a line may come twice and none is lost short of `most_waiting`. The database is the buffer. Reads no clock.
Bounded: one batch of each kind a round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import Engine

from dashboard.alerts import syslog
from dashboard.alerts.collector import CollectorError
from dashboard.settings import Siem
from dashboard.store import feed
from dashboard.store.engine import reading
from dashboard.store.feed import Place

AGAIN_SECONDS = (2.0, 5.0, 15.0, 60.0)
"""Between tries while a collector takes nothing."""


class Takes(Protocol):
    """What a collector does."""

    def send(self, lines: Sequence[bytes]) -> None:
        """Take messages in order, or raise `CollectorError`."""


@dataclass(slots=True, kw_only=True)
class Feeder:
    """Feeds one collector."""

    engine: Engine
    tenant: str
    settings: Siem
    collector: Takes
    failures: int = 0

    def run(self, stopped: Callable[[], bool], pause: Callable[[float], object], now: Callable[[], float]) -> None:
        """Feed until told to stop; `pause` waits some seconds, or until then."""
        while not stopped():
            more = self.go(now())
            if not more:
                pause(self.wait())

    def wait(self) -> float:
        """Seconds until the next try."""
        return AGAIN_SECONDS[min(self.failures, len(AGAIN_SECONDS) - 1)]

    def go(self, now: float) -> bool:
        """One round; whether a whole batch went and more may wait."""
        place, lines, full = self._next(now)
        try:
            if lines:
                self.collector.send(lines)
        except CollectorError as error:
            self.failures += 1
            with self.engine.begin() as connection:
                known = feed.place_of(connection, self.settings.name)
                if known is not None and known.problem != str(error):
                    feed.move(connection, self.settings.name, replace(known, problem=str(error)[:100]))
            return False
        self.failures = 0
        if lines:
            with self.engine.begin() as connection:
                feed.move(connection, self.settings.name, place)
        return full

    def _next(self, now: float) -> tuple[Place, list[bytes], bool]:
        with reading(self.engine).connect() as connection:
            place = feed.place_of(connection, self.settings.name)
        if place is None:
            with self.engine.begin() as connection:
                place = feed.start(connection, self.settings.name, now=now)
        host, enterprise = self.settings.name, self.settings.enterprise
        lines: list[bytes] = []
        with reading(self.engine).connect() as connection:
            dropped, upto = feed.surplus(connection, place, most=self.settings.most_waiting)
            if dropped:
                lines.append(syslog.dropped_line(at=now, number=dropped, host=host, enterprise=enterprise))
                place = replace(place, audit_id=upto, dropped=place.dropped + dropped)
            rows = feed.audit_after(connection, place)
            states = feed.states_after(connection, self.tenant, place, now=now)
        lines += [
            syslog.audit_line(
                audit_id=row.audit_id,
                at=row.at,
                account_id=row.account_id,
                action=row.action,
                subject=row.subject,
                outcome=row.outcome,
                digest=row.digest,
                host=host,
                enterprise=enterprise,
            )
            for row in rows
        ]
        lines += [
            syslog.finding_line(
                at=row.stored_at,
                site=row.site,
                finding_id=row.finding_id,
                kind=row.kind,
                severity=row.severity,
                state=row.state,
                revision=row.revision,
                host=host,
                enterprise=enterprise,
            )
            for row in states
        ]
        if rows:
            place = replace(place, audit_id=rows[-1].audit_id)
        if states:
            last = states[-1]
            place = replace(place, stored_at=last.stored_at, site=last.site, finding_id=last.finding_id)
        full = feed.AT_ONCE in (len(rows), len(states))
        return replace(place, sent=place.sent + len(lines), at=now, problem=""), lines, full
