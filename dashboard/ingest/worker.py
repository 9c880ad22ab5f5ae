"""The ingest loop: batch, commit, acknowledge, receipt, answer; poll commands; keep the connection.

What enters: a session, an engine, keys, clocks as functions. What leaves: rows, acknowledgements,
receipts, commands. The order is the promise: nothing is acknowledged or receipted that is not
committed; a kill anywhere costs a repetition, which the tables absorb. Of several workers one leads (`lead`): it
numbers and sends commands and makes the rounds; all of them take messages in.
Bounded: a batch is at most `BATCH` messages and about `BATCH_OCTETS`; the times of sent commands at most `MAX_SENT`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError, OperationalError

from dashboard.ingest.apply import Applied, apply, hold_sites, read_again
from dashboard.ingest.handlers import Handlers
from dashboard.ingest.lead import Lead
from dashboard.ingest.opening import Arrived, Refusal, open_batch
from dashboard.ingest.outgoing import Outgoing, Writer, due_commands, expire, receipts, send_command
from dashboard.ingest.refusals import Refusals
from dashboard.ingest.rounds import Rounds
from dashboard.ingest.session import Session
from dashboard.store import schema
from dashboard.store.engine import parallel, reading
from dashboard.store.queries import write_audit
from wire.base import Payload
from wire.codec import WireError
from wire.keys import KeyFileError

BATCH = 100
BATCH_OCTETS = 1024 * 1024
"""A box that drains a backlog packs dozens of rows in a message: so much and the commit does not take for ever."""
FLUSH_SECONDS = 0.05
IDLE_SECONDS = 0.005
"""A batch does not wait for its end when nothing more comes for this long."""
POLL_SECONDS = 0.2
RESEND_SECONDS = 30.0
"""A command without an answer is sent again: the broker may have lost what it acknowledged."""
MAX_SENT = 10_000
RETRY_FIRST, RETRY_MOST = 0.2, 30.0
HELD_LONG = 2.0
"""A connection that lived this many seconds was a good one: the next wait starts small again."""
SAY_EVERY = 60.0

_log = logging.getLogger(__name__)


class Worker:
    """One ingest worker."""

    def __init__(
        self,
        *,
        session: Session,
        engine: Engine,
        tenant: str,
        sealing_key: X25519PrivateKey,
        writer: Writer,
        handlers: Handlers,
        rounds: Rounds | None = None,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        pause: Callable[[float], object],
    ) -> None:
        """Put the parts together; `now` reads Unix seconds, `pause` waits that many seconds."""
        self._session = session
        self._engine = engine
        self._batches = parallel(engine)
        self._lead = Lead(engine)
        self._tenant = tenant
        self._sealing_key = sealing_key
        self._writer = writer
        self._handlers = handlers
        self._rounds = rounds
        self._now = now
        self._monotonic = monotonic
        self._pause = pause
        self._refusals = Refusals()
        self._sent: dict[str, float] = {}
        self._chance = random.Random()  # noqa: S311 - jitter is no secret
        self._retry = RETRY_FIRST
        self._connect_at = 0.0
        self._database_at = 0.0
        self._poll_at = 0.0
        self._said: dict[str, float] = {}
        self._online_at: float | None = None
        self._unread_after: tuple[str, str] | None = ("", "")
        """Up to where the events that an older version could not read were looked at; None when all were."""

    @property
    def refused(self) -> int:
        """Messages that were not accepted, since the start."""
        return self._refusals.total

    def run(self, stopping: Callable[[], bool]) -> None:
        """Work until told to stop."""
        while not stopping():
            self.turn()
        self._session.close()
        self._lead.release()

    def turn(self) -> None:
        """Gather one batch (or wait a moment for none), store it, and do what else is due."""
        self._stay_connected()
        self._gather()
        now = self._monotonic()
        if self._unread_after is not None and now >= self._database_at:
            self._guarded(self._read_again)
        if self._session.arrivals and now >= self._database_at:
            batch = self._take()
            if not self._guarded(lambda: self._store(batch)):
                self._session.arrivals.extendleft(reversed(batch))
        if now >= self._poll_at and now >= self._database_at:
            self._poll_at = now + POLL_SECONDS
            self._guarded(self._poll)

    # --- broker ---------------------------------------------------------------------------------

    def _stay_connected(self) -> None:
        now = self._monotonic()
        if self._session.online and self._online_at is None:
            _log.info("connected to the broker")
            self._online_at = now
            self._sent.clear()  # a broker that was away may have lost commands: all unanswered ones go again
        if self._session.opened:
            return
        if self._online_at is not None and now - self._online_at >= HELD_LONG:
            self._retry = RETRY_FIRST
        self._online_at = None
        if self._session.trouble:
            self._say(f"no broker: {self._session.trouble}; trying on")
        if now < self._connect_at:
            return
        if not self._session.open():
            self._say(f"no broker: {self._session.trouble}; trying on")
        self._connect_at = self._monotonic() + self._retry * (0.5 + self._chance.random() / 2)
        self._retry = min(self._retry * 2, RETRY_MOST)

    def _gather(self) -> None:
        """Let messages come in until the batch is full, its time is over, or nothing follows."""
        session = self._session
        if not session.opened:
            self._pause(self._until_due())
            return
        ready = len(session.arrivals) >= BATCH and self._monotonic() >= self._database_at
        session.turn(0.0 if ready else self._until_due())
        if not session.arrivals:
            return
        end = self._monotonic() + FLUSH_SECONDS
        while session.opened and len(session.arrivals) < BATCH and self._monotonic() < end:
            before = len(session.arrivals)
            session.turn(IDLE_SECONDS)
            if len(session.arrivals) == before:
                return

    def _take(self) -> list[Arrived]:
        """The next messages in order, at least one."""
        arrivals, batch, octets = self._session.arrivals, list[Arrived](), 0
        while arrivals and len(batch) < BATCH and octets < BATCH_OCTETS:
            arrived = arrivals.popleft()
            octets += len(arrived.body)
            batch.append(arrived)
        return batch

    def _until_due(self) -> float:
        due = max(self._poll_at, self._database_at)
        return min(max(0.0, due - self._monotonic()), POLL_SECONDS)

    # --- database -------------------------------------------------------------------------------

    def _guarded(self, work: Callable[[], None]) -> bool:
        """Do database work; when the database is away say so and try again in a second."""
        try:
            work()
        except OperationalError as error:
            self._say(f"the database is not available ({error.orig}); trying on")
            self._database_at = self._monotonic() + 1.0
            return False
        except DBAPIError as error:
            # Its text may quote a row.
            self._say(f"the database does not take this ({type(error.orig).__name__}); trying on")
            self._database_at = self._monotonic() + 1.0
            return False
        return True

    def _store(self, batch: Sequence[Arrived]) -> None:
        now = self._now()
        try:
            done = self._commit(batch, now)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - also what a handler stumbles over
            # One message the database will not have must not hold up the others: find it.
            _log.warning("a message cannot be stored: %s", type(error).__name__)
            done = self._commit(batch, now, careful=True)
        for arrived in batch:
            self._session.acknowledge(arrived)
        self._answer(done, now)

    def _read_again(self) -> None:
        after = self._unread_after or ("", "")
        with self._engine.begin() as connection:
            reached = read_again(connection, self._now(), after=after, most=BATCH, handlers=self._handlers)
        self._unread_after = reached

    def _commit(self, batch: Sequence[Arrived], now: float, *, careful: bool = False) -> Applied:
        with self._batches.begin() as connection:
            results = open_batch(connection, batch, tenant=self._tenant, sealing_key=self._sealing_key)
            accepted = [item for item in results if not isinstance(item, Refusal)]
            done = apply(connection, accepted, now, handlers=self._handlers, careful=careful)
            done.refusals[:0] = [item for item in results if isinstance(item, Refusal)]
            refusals = self._write_audit(connection, done.refusals, now)
        self._refusals = refusals
        return done

    def _write_audit(self, connection: Connection, refusals: Sequence[Refusal], now: float) -> Refusals:
        """Write the lines that are due. Returns the tallies to keep once this is committed."""
        tallies = self._refusals.copy()
        for refusal in refusals:
            tallies.note(refusal)
        for line in tallies.due(self._monotonic()):
            write_audit(
                connection,
                at=now,
                account_id=None,
                action=line.refusal.action,
                subject=line.subject,
                outcome=line.outcome,
            )
        return tallies

    def _answer(self, done: Applied, now: float) -> None:
        """Receipts of what is committed, then what handlers answered."""
        said: list[tuple[str, Payload]] = []
        for (site, epoch), numbers in done.numbers.items():
            said += [(site, receipt) for receipt in receipts(numbers, epoch=epoch, now=now)]
        said += done.answers
        if not said:
            return
        with reading(self._engine).begin() as connection:
            statement = select(schema.site.c.site, schema.site.c.seal_key).where(
                schema.site.c.site.in_({site for site, _ in said})
            )
            keys = {row.site: row.seal_key for row in connection.execute(statement)}
        for site, payload in said:
            try:
                outgoing = self._writer.write(payload, site=site, box_key=keys[site], now=now)
            except (KeyError, KeyFileError):
                self._say(f"site {site} has no usable seal key in the database: it gets no receipts")
            except WireError as error:
                self._say(f"an answer to site {site} cannot be sent: {error}")
            else:
                self._session.publish(outgoing, now)

    # --- commands -------------------------------------------------------------------------------

    def _poll(self) -> None:
        """Make the rounds and send commands, where this worker leads; say what was refused in any case.

        In steps: a transaction that holds rows of one may not wait for those of another, which a batch holds.
        """
        now, moment = self._now(), self._monotonic()
        with self._lead.transaction() as connection:
            if connection is not None:
                expire(connection, now)
                if self._rounds is not None:
                    self._rounds.go(connection, online=self._listens(moment), now=now, moment=moment)
        if self._refusals.waits(moment):
            with self._engine.begin() as connection:
                refusals = self._write_audit(connection, (), now)
            self._refusals = refusals
        if not self._session.online:
            self._lead.release()  # one that has the broker can do more with it
        elif self._lead.held:
            outgoing: list[Outgoing] = []
            with self._lead.transaction() as connection:
                if connection is not None:
                    outgoing = self._take_commands(connection, now, moment)
            for message in outgoing:
                self._session.publish(message, now)
        if not self._lead.held:
            self._sent.clear()  # whoever leads anew sends all again that is unanswered

    def _listens(self, moment: float) -> bool:
        """Whether what boxes say comes in: a connection that has lived a moment, and nothing waits to be stored."""
        since = self._online_at
        return self._session.online and since is not None and moment - since >= HELD_LONG and not self._session.arrivals

    def _take_commands(self, connection: Connection, now: float, moment: float) -> list[Outgoing]:
        outgoing = []
        due = due_commands(connection, now, again=self._unanswered(connection, moment))
        hold_sites(connection, {row.site for row in due})
        for row in due:
            message = send_command(connection, row, self._writer, now)
            if message is not None:
                outgoing.append(message)
                self._sent[row.command_id] = moment
        return outgoing

    def _unanswered(self, connection: Connection, moment: float) -> list[str]:
        statement = select(schema.command.c.command_id).where(schema.command.c.state == "sent").limit(MAX_SENT)
        sent = list(connection.execute(statement).scalars())
        self._sent = {name: self._sent[name] for name in sent if name in self._sent}
        return [name for name in sent if moment - self._sent.get(name, -RESEND_SECONDS) >= RESEND_SECONDS]

    def _say(self, text: str) -> None:
        """Log a trouble, and the same one at most once a minute."""
        now = self._monotonic()
        self._said = {known: at for known, at in self._said.items() if now - at < SAY_EVERY}
        if text not in self._said:
            self._said[text] = now
            _log.warning("%s", text)
