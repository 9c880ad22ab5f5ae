"""Requests for certificates against the dashboard's database: one request in, certificate or refusal out, one audit line.

Bounded: in an hour `MOST_AN_HOUR` requests that a box signed are answered, and of those in its name that it did not
sign as many audited: a stranger cannot use up a box's share (`dashboard.enrol.share`). Of sites that are not known
nothing is written.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select, update

from dashboard.enrol.issuing import Issuer, Known, RenewalRefusedError, check, genuine, issue, read
from dashboard.enrol.share import Share
from dashboard.store.engine import reading
from dashboard.store.queries import write_audit
from dashboard.store.schema import site as site_table
from wire.renewal import RenewalRequest

MOST_AN_HOUR = 12


class Desk:
    """Answers requests, one at a time."""

    def __init__(self, engine: Engine, issuer: Issuer, *, tenant: str) -> None:
        self._engine = engine
        self._issuer = issuer
        self._tenant = tenant
        self._lock = threading.Lock()
        self.share = Share()

    def answer(self, raw: bytes, now: float) -> bytes:
        """The certificate (PEM) that a request yields. `now` is Unix seconds.

        Raises:
            RenewalRefusedError: none; the text says why.
        """
        request = read(raw, tenant=self._tenant)
        with self._lock:
            with reading(self._engine).begin() as connection:
                known = self._known(connection, request.site)
            if known is None:
                raise RenewalRefusedError("no such box")
            kind = "genuine" if genuine(request, known) else "forged"
            if not self.share.take(request.site, kind, most=MOST_AN_HOUR, now=now):
                raise RenewalRefusedError("too many requests; try again in an hour")
            certificate, refusal = b"", ""
            with self._engine.begin() as connection:
                try:
                    certificate = self._issue(connection, request, datetime.fromtimestamp(now, UTC))
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

    def _issue(self, connection: Connection, request: RenewalRequest, moment: datetime) -> bytes:
        csr = check(request, self._known(connection, request.site), now=moment)
        return issue(csr, site=request.site, issuer=self._issuer, now=moment)

    def _known(self, connection: Connection, site: str) -> Known | None:
        statement = select(site_table.c.verify_key, site_table.c.revoked_at).where(
            site_table.c.tenant == self._tenant, site_table.c.site == site
        )
        row = connection.execute(statement).first()
        return None if row is None else Known(verify_key=row.verify_key, revoked_at=row.revoked_at)


def revoke(engine: Engine, *, site: str, by: str | None, now: float) -> bool:
    """As `revoke_box`, in a transaction of its own."""
    with engine.begin() as connection:
        return revoke_box(connection, site=site, by=by, now=now)


def revoke_box(connection: Connection, *, site: str, by: str | None, now: float) -> bool:
    """Let a box have no further certificate, and nothing it says count; False when no box of that name counted.

    Its session with the broker ends when the desk's process next looks (`dashboard.enrol.following`), in seconds.
    """
    mine = update(site_table).where(site_table.c.site == site, site_table.c.revoked_at.is_(None))
    done = connection.execute(mine.values(revoked_at=now)).rowcount
    if done:
        write_audit(connection, at=now, account_id=by, action="revoke-box", subject=site, outcome="done")
    return bool(done)
