"""What ingest does now and then beside its messages: silent and replaced boxes, releases, Wi-Fi, what is due to go.

In: an open connection, whether the broker has us, now. Out: rows. One round every `ROUND_SECONDS`, retention once in
`PURGE_SECONDS`; each part has its own bound.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from dashboard.bundles import shelf
from dashboard.ingest import deadman, releases, replaced
from dashboard.store import retention, wifi

ROUND_SECONDS = 5.0
RELEASE_SECONDS = 15.0
PURGE_SECONDS = 3600.0
"""Together with how long a backup can be opened this is below the day after which what is due is gone from everywhere."""
PURGE_AGAIN = 60.0
"""Where a purge left something over, it goes on after so long."""


class Rounds:
    """One worker's rounds."""

    def __init__(
        self,
        *,
        tenant: str,
        silent_seconds: float = deadman.SILENT_SECONDS,
        expire_backups: Callable[[float], object] = lambda _: None,
        transfers: Callable[[Connection, float], object] = lambda _connection, _now: None,
        bound: releases.Bound | None = None,
    ) -> None:
        """Make the rounds of a tenant.

        `expire_backups` destroys keys of backups that have run out by then (Unix seconds); `transfers` makes or takes in
        a household that two people agreed to hand over; `bound` says from how many failures on a release is halted.
        """
        self._tenant = tenant
        self._expire_backups = expire_backups
        self._transfers = transfers
        self._silent = silent_seconds
        self._bound = bound
        self._due = float("-inf")
        self._release_due = float("-inf")
        self._purge_due = float("-inf")
        self._erased_at: float | None = None

    def go(self, connection: Connection, *, online: bool, now: float, moment: float) -> None:
        """Do what is due; `now` is Unix seconds, `moment` monotonic."""
        if moment < self._due:
            return
        self._due = moment + min(ROUND_SECONDS, self._silent / 4)
        since = deadman.listens_since(connection, tenant=self._tenant, now=now, online=online)
        if since is not None:
            deadman.watch(connection, tenant=self._tenant, since=since, now=now, limit=self._silent)
        shelf.ask_missing(connection, tenant=self._tenant, now=now)
        replaced.restore(connection, tenant=self._tenant, now=now)
        self._transfers(connection, now)
        wifi.send(connection, tenant=self._tenant, now=now)
        if moment >= self._release_due:
            self._release_due = moment + RELEASE_SECONDS
            releases.go(connection, tenant=self._tenant, now=now, bound=self._bound)
        if moment >= self._purge_due:
            left = retention.purge(connection, tenant=self._tenant, now=now)
            self._purge_due = moment + (PURGE_AGAIN if left else PURGE_SECONDS)
            self._erased_at = None
            self._expire_backups(now)
        # What a box has just erased goes at once; what it still says late of that time, when the next purge does.
        before, self._erased_at = self._erased_at, now
        since = None if before is None else min(before, now) - ROUND_SECONDS
        retention.erase_confirmed(connection, tenant=self._tenant, now=now, answered_since=since)
