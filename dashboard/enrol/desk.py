"""Requests for certificates against the dashboard's database: one request in, certificate or refusal out, one audit line.

Bounded: `MOST_AN_HOUR` requests of one site are looked at in an hour, and `MAX_SITES` sites remembered for it; beyond
either a request is refused and counted in `turned_away`. Of sites that are not known nothing is written.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime

from sqlalchemy import Engine, select, update

from dashboard.enrol.issuing import Issuer, Known, RenewalRefusedError, check, issue, read
from dashboard.store.queries import write_audit
from dashboard.store.schema import site as site_table

MOST_AN_HOUR = 12
MAX_SITES = 100_000
_HOUR = 3600.0


class Desk:
    """Answers requests, one at a time."""

    def __init__(self, engine: Engine, issuer: Issuer, *, tenant: str) -> None:
        self._engine = engine
        self._issuer = issuer
        self._tenant = tenant
        self._lock = threading.Lock()
        self._asked: dict[str, deque[float]] = {}
        self.turned_away = 0

    def answer(self, raw: bytes, now: float) -> bytes:
        """The certificate (PEM) that a request yields. `now` is Unix seconds.

        Raises:
            RenewalRefusedError: none; the text says why.
        """
        request = read(raw, tenant=self._tenant)
        with self._lock, self._engine.begin() as connection:
            row = connection.execute(
                select(site_table.c.verify_key, site_table.c.revoked_at).where(
                    site_table.c.tenant == self._tenant, site_table.c.site == request.site
                )
            ).first()
            if row is None:
                raise RenewalRefusedError("no such box")
            self._admit(request.site, now)
            known = Known(verify_key=row.verify_key, revoked_at=row.revoked_at)
            moment = datetime.fromtimestamp(now, UTC)
            certificate, refusal = b"", ""
            try:
                certificate = issue(
                    check(request, known, now=moment), site=request.site, issuer=self._issuer, now=moment
                )
            except RenewalRefusedError as error:
                refusal = str(error)
            write_audit(
                connection,
                at=now,
                account_id=None,
                action="renew-certificate",
                subject=f"{request.site}: {refusal}" if refusal else request.site,
                outcome="refused" if refusal else "done",
            )
        if refusal:
            raise RenewalRefusedError(refusal)
        return certificate

    def _admit(self, site: str, now: float) -> None:
        if site not in self._asked and len(self._asked) >= MAX_SITES:
            self._asked = {name: times for name, times in self._asked.items() if times and now - times[-1] < _HOUR}
        asked = self._asked.setdefault(site, deque()) if len(self._asked) < MAX_SITES else self._asked.get(site)
        while asked and now - asked[0] >= _HOUR:
            asked.popleft()
        if asked is None or len(asked) >= MOST_AN_HOUR:
            self.turned_away += 1
            raise RenewalRefusedError("too many requests; try again in an hour")
        asked.append(now)


def revoke(engine: Engine, *, site: str, by: str | None, now: float) -> bool:
    """Let a box have no further certificate, and nothing it says count; False when there is no such box.

    Its session with the broker ends with `dashboard.broker.control.disable_site`.
    """
    with engine.begin() as connection:
        done = connection.execute(
            update(site_table)
            .where(site_table.c.site == site, site_table.c.revoked_at.is_(None))
            .values(revoked_at=now)
        ).rowcount
        if done:
            write_audit(connection, at=now, account_id=by, action="revoke-box", subject=site, outcome="done")
        return bool(done)
