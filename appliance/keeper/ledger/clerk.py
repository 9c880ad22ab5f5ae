"""Who keeps the ledger going, turn by turn: hours that close, coverage, heads.

In: how the box stands at the end of a turn, within the store's transaction. Out: records and heads. Bounded: the
parts are; what is looked at only now and then is looked at every `LOOK_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata

from appliance.keeper.devices.model import Device
from appliance.keeper.ledger.coverage import Coverage, Standing
from appliance.keeper.ledger.heads import Heads
from appliance.keeper.ledger.hourly import HOUR, Hours
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity
from appliance.messages import TapReport
from wire.authority import Authority
from wire.ledger import HeadCosigned, Stamp

LOOK_SECONDS = 1.0
LISTS_SECONDS = 30.0
_CLOSED = "ledger_hour"
_STOPPED = "ledger_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How the box stands at the end of a turn."""

    authority: Authority | None
    """What is in force; None where nothing is recorded about devices."""
    processes: frozenset[str]
    server: bool
    reports: tuple[TapReport, ...]
    overflow: int
    """What went over any bound of the keeper since its start."""
    devices: Iterable[Device]
    lists: Callable[[], Mapping[str, str | None]]
    """Version of each list in use or wanted; asked now and then."""


class Clerk:
    """Keeps one box's ledger."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self._store = store
        self._coverage = Coverage(store.ledger)
        self._heads = Heads(
            store,
            tenant=identity.tenant,
            site=identity.site,
            signer=identity.signer,
            server_verify=identity.server_verify,
        )
        self._hours: Hours | None = None
        self._software = _software()
        self._recording = False
        self._look_due = self._lists_due = float("-inf")
        self._lists: Mapping[str, str | None] = {}

    def begin(self, stamp: Stamp) -> None:
        """A turn begins at this moment."""
        self._store.ledger.begin(stamp)
        if self._hours is None:
            self._started(stamp)

    def tick(self, facts: Facts, monotonic: float) -> None:
        """A turn ends."""
        recording = facts.authority is not None
        if monotonic >= self._look_due or recording != self._recording:
            self._look_due = monotonic + LOOK_SECONDS
            self._look(facts, monotonic)
        self._heads.tick(monotonic)

    def event(self, name: str, /, **plain: str | int | bool) -> None:
        """Something happened to the box that is not seen by looking; no device is in it."""
        self._coverage.event(name, **plain)

    def cosigned(self, said: HeadCosigned) -> bool:
        """The server counter-signed a head; false where it is not for this log."""
        return self._heads.cosigned(said)

    def stopping(self, stamp: Stamp, monotonic: float) -> None:
        """The keeper stops because it was told to."""
        self.begin(stamp)
        self._coverage.close()
        self._coverage.event("stopped")
        self._store.set(_STOPPED, "1")
        self._heads.tick(monotonic, at_once=True)

    def _started(self, stamp: Stamp) -> None:
        store = self._store
        moment = stamp.wall_ms // 1000
        closed = int(store.get(_CLOSED) or "0")
        # None yet; or the clock was ahead when it was written, and hours would stay open until then.
        if not 0 < closed <= moment + 1:
            closed = moment // HOUR * HOUR
        self._hours = Hours(store.ledger, closed=closed)
        ordered = store.get(_STOPPED) == "1"
        last = store.ledger.log.row(store.ledger.size - 1)
        if last is not None:
            self._coverage.event(
                "started", after_ms=last.at.wall_ms, ordered=ordered, same_run=last.at.boot == stamp.boot
            )
        else:
            self._coverage.event("first-start")
        store.set(_STOPPED, "0")

    def _look(self, facts: Facts, monotonic: float) -> None:
        store, hours = self._store, self._hours
        if hours is None:
            return
        if monotonic >= self._lists_due:
            self._lists_due, self._lists = monotonic + LISTS_SECONDS, dict(facts.lists())
        in_force = facts.authority
        standing = Standing(
            listening="sensor" in facts.processes and store.gaps.seeing,
            recording=in_force is not None,
            server=facts.server,
            clock=store.ledger.stamp.clock.value,
            software=self._software,
            authority=None if in_force is None else f"{in_force.id} {in_force.number}",
            lists=self._lists,
            processes=facts.processes,
        )
        self._coverage.tick(standing, monotonic)
        self._coverage.reports(facts.reports, facts.overflow)
        self._coverage.gaps(store.gaps.latest())
        ending = self._recording and in_force is None
        self._recording = in_force is not None
        before = hours.closed
        hours.tick(store.ledger.stamp.wall_ms / 1000, facts.devices, ending=ending)
        if hours.closed != before:
            store.set(_CLOSED, str(hours.closed))
            self._coverage.close()


def _software() -> str:
    try:
        return metadata.version("gatehouse")
    except metadata.PackageNotFoundError:
        return "not installed"
