"""What the desk does now and then beside answering: cuts revoked boxes off, and answers what telephones brought.

In: the database, the way to the broker (none where the settings give none), the enroller (none where boxes only renew).
Out: access rules of the running broker as the database has them, rows of `relay`. A revocation is a mark in the
database, whoever made it, so that no process but this one needs the administrator's certificate. Bounded: `AT_ONCE` of
each a look; a broker that does not answer is asked again after `PAUSE`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, insert, or_, select, update

from dashboard.broker.control import ControlError
from dashboard.enrol.asking import Answer, Outcome
from dashboard.enrol.enrolling import Enroller
from dashboard.store.engine import reading
from dashboard.store.queries import write_audit
from dashboard.store.schema import box_access, install, relay
from dashboard.store.schema import site as site_table
from wire.enrolment import MAX_REQUEST

AT_ONCE = 20
PAUSE = 5.0
"""Seconds; a revoked box is to be outside within a minute."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """How the broker is told; both may be told twice. They raise `ControlError`."""

    let_in: Callable[[str], None]
    cut_off: Callable[[str], None]


class Following:
    """One desk's looks."""

    def __init__(self, engine: Engine, *, tenant: str, broker: Broker | None, enroller: Enroller | None) -> None:
        """Prepare."""
        self._engine = engine
        self._tenant = tenant
        self._broker = broker
        self._enroller = enroller
        self._again = float("-inf")

    def look(self, now: float) -> int:
        """Do what is due; how much was done. `now` is Unix seconds."""
        done = 0
        if self._broker is not None and not 0 <= self._again - now <= PAUSE:
            try:
                done += self._access(self._broker, now)
            except ControlError as error:
                _log.warning("the broker was not told who may come in: %s", error)
                self._again = now + PAUSE
        return done + self._carried(now)

    def run(
        self, stopped: Callable[[], bool], wait: Callable[[float], object], now: Callable[[], float], every: float
    ) -> None:
        """Look until told to stop; a database that is away is tried again."""
        while not stopped():
            try:
                self.look(now())
            except Exception as error:  # noqa: BLE001 - a look that nobody repeats leaves revoked boxes inside (N3)
                _log.warning("a look was left out: %s", type(error).__name__)
            wait(every)

    def _access(self, broker: Broker, now: float) -> int:
        cut = box_access.c.cut_at
        revoked = and_(site_table.c.revoked_at.is_not(None), or_(cut.is_(None), cut < site_table.c.revoked_at))
        restored = and_(site_table.c.revoked_at.is_(None), cut.is_not(None))
        query = (
            select(site_table.c.site, site_table.c.revoked_at)
            .join(box_access, box_access.c.site == site_table.c.site, isouter=True)
            .where(site_table.c.tenant == self._tenant, or_(revoked, restored))
            .order_by(site_table.c.revoked_at.desc())
            .limit(AT_ONCE)
        )
        with reading(self._engine).connect() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            outside = row.revoked_at is not None
            (broker.cut_off if outside else broker.let_in)(row.site)
            with self._engine.begin() as connection:
                note_cut(connection, row.site, now if outside else None)
                outcome = "cut off" if outside else "let in"
                write_audit(
                    connection, at=now, account_id=None, action="broker-access", subject=row.site, outcome=outcome
                )
        return len(rows)

    def _carried(self, now: float) -> int:
        if self._enroller is None:
            return 0
        query = (
            select(relay.c.install_id, relay.c.request, relay.c.asked_at, install.c.site)
            .join(install, install.c.install_id == relay.c.install_id)
            .where(install.c.tenant == self._tenant, relay.c.state == "waiting")
            .order_by(relay.c.asked_at)
            .limit(AT_ONCE)
        )
        with reading(self._engine).connect() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            answer = self._enroller.answer(row.request.encode()[: MAX_REQUEST + 1], now, carried=True)
            with self._engine.begin() as connection:
                _keep(connection, row.install_id, row.asked_at, answer, now)
        return len(rows)


def note_cut(connection: Connection, site: str, at: float | None) -> None:
    """Note that the broker lets a box in no more since then, or (None) that it does."""
    mine = box_access.c.site == site
    if not connection.execute(update(box_access).where(mine).values(cut_at=at)).rowcount:
        connection.execute(insert(box_access).values(site=site, answers=0, cut_at=at))


def _keep(connection: Connection, install_id: str, asked_at: float, answer: Answer, now: float) -> None:
    # Where another request came meanwhile it is left waiting.
    mine = and_(relay.c.install_id == install_id, relay.c.asked_at == asked_at)
    connection.execute(
        update(relay)
        .where(mine)
        .values(
            state=str(answer.outcome),
            says=answer.says[:300],
            answer=answer.sealed.decode() if answer.outcome is Outcome.DONE else None,
            answered_at=now,
        )
    )
