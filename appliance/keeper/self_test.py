"""The monthly test that detection works (R33): the box looks a harmless name up as a device would.

In: moments, what the sensor says, how the probe got on. Out: leave for the probe with the name and an address to
ask from, what the mask lets out beside the household, how it went, and a finding when it did not work.

The probe's question enters at a port of the household's bridge, so a name that comes back here has gone through
bridge, tap, parser, mask and matcher. It has a made-up address, another each time, of which no device is ever
made; the keeper hears it for `WITHIN` and `LATE` seconds and not longer, so that nobody can hide behind it.
Bounded: one test at a time; a test that fails is tried again after `AGAIN` seconds, and is a finding when it failed
twice in a row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from appliance.keeper.authority import Scope, when
from appliance.keeper.devices.model import moment
from appliance.keeper.list_health import Teller
from appliance.keeper.lists.match import Lists, load
from appliance.keeper.lists.names import normalise
from appliance.keeper.signs.model import Sign
from appliance.keeper.store.database import Store
from appliance.messages import Message, NameLookedUp, ProbeDone, ProbeKind, ProbeLeave, ProbeTest
from wire.base import Standing
from wire.box import DetectionTest
from wire.findings import FindingKind, Grade, Severity

TEST_LIST = "detection-test"
WITHIN = 60.0
"""Seconds from the leave until the name must have come back."""
LATE = 60.0
"""What the test's address says is still set aside for so long after that."""
AGAIN = 600.0
UNASKED = 3600.0
"""A test that is due and that no probe has come for in so long was missed."""
MISSES = 2

_log = logging.getLogger(__name__)


class SelfTest:
    """When the test is due, and how it goes."""

    def __init__(
        self, store: Store, lists: Lists, teller: Teller, *, name: str, every: float, new_mac: Callable[[], str]
    ) -> None:
        self._store = store
        self._lists = lists
        self._teller = teller
        self._name = normalise(name) or name
        self._every = every
        self._new_mac = new_mac
        self._since: float | None = None
        """Since when it has been due and waited for the probe."""
        self._mac = ""
        self._begun = float("-inf")
        self._running = False
        self._unsent = ""
        self._put_list()

    def _put_list(self) -> None:
        self._lists.replace(
            load(
                f"{self._name}\n".encode(),
                id_=TEST_LIST,
                version="1",
                title="The box's own test",
                severity=Severity.INFORMATION,
            )
        )

    # --- the probe --------------------------------------------------------------------------

    def leave(self, leave: ProbeLeave, kind: ProbeKind | None, scope: Scope | None, at: float) -> ProbeLeave:
        """What the probe may do beside `leave`: the test, when it is due or asked for."""
        asked = kind is ProbeKind.TEST
        if not _may(scope):
            return ProbeLeave(why="No authority in force puts a list in force.", refused=True) if asked else leave
        if not (asked or (kind is None and at >= self._due)) or self._running:
            return leave
        self._mac, self._begun, self._running, self._since, self._unsent = self._new_mac(), at, True, None, ""
        kinds = tuple(item for item in leave.kinds if item is not ProbeKind.TEST)
        return ProbeLeave(kinds=(*kinds, ProbeKind.TEST), test=ProbeTest(mac=self._mac, name=self._name))

    def done(self, done: ProbeDone) -> None:
        """The probe has asked, or could not."""
        if self._running and not done.sent:
            self._unsent = "The box's own question could not be sent; its port on the household's network is missing."

    # --- the sensor -------------------------------------------------------------------------

    @property
    def named(self) -> str | None:
        """The address that the mask names beside those of the household, while a test runs."""
        return self._mac if self._running else None

    def takes(self, message: Message, *, scope: Scope | None, at: float) -> bool:
        """Whether a message is of the test's address: then it is no device's, and goes no further."""
        if not self._mac or getattr(message, "mac", None) != self._mac or at > self._begun + WITHIN + LATE:
            return False
        if self._running and isinstance(message, NameLookedUp) and any(self._lists.match(message.name, (TEST_LIST,))):
            self._passed(scope, at)
        return True

    # --- time -------------------------------------------------------------------------------

    def tick(self, *, scope: Scope | None, at: float) -> None:
        """Time has passed. Callers hold the store's transaction."""
        if self._running:
            if at > self._begun + WITHIN:
                self._missed(self._unsent or "The name was asked for and did not come back from the sensor.", scope, at)
            return
        if not _may(scope) or at < self._due:
            self._since = None
        elif self._since is None:
            self._since = at
        elif at - self._since > UNASKED:
            self._since = at
            self._missed("No probe has come to ask for the name.", scope, at)

    def state(self, scope: Scope | None) -> DetectionTest | None:
        """How it stands; None where no list is in force, or it is not known yet."""
        passed, detail = self._get("test_passed_at"), self._store.get("test_detail") or ""
        if not _may(scope) or not detail:
            return None
        missed = int(self._get("test_misses")) >= MISSES
        return DetectionTest(
            due=moment(max(self._due, 0.0)), passed_at=moment(passed) if passed and not missed else None, detail=detail
        )

    # --- inside -----------------------------------------------------------------------------

    @property
    def _due(self) -> float:
        return self._get("test_due")

    def _get(self, key: str) -> float:
        return float(self._store.get(key) or "0")

    def _keep(self, *, due: float, misses: int, detail: str) -> None:
        self._running = False
        self._store.set("test_due", repr(due))
        self._store.set("test_misses", str(misses))
        self._store.set("test_detail", detail[:300])
        _log.info("%s", detail)

    def _passed(self, _scope: Scope | None, at: float) -> None:
        self._store.set("test_passed_at", repr(at))
        self._keep(due=at + self._every, misses=0, detail=f"Detection was tested on {when(moment(at))}: it works.")
        self._teller.end(None, FindingKind.TEST_MISSED, TEST_LIST, "The test has passed.", at)

    def _missed(self, why: str, scope: Scope | None, at: float) -> None:
        misses = int(self._get("test_misses")) + 1
        self._keep(due=at + AGAIN, misses=misses, detail=f"Detection was tested on {when(moment(at))}: {why}")
        if misses < MISSES:
            return
        sign = Sign(
            kind=FindingKind.TEST_MISSED,
            device_id=None,
            subject=TEST_LIST,
            grade=Grade.HIGH,
            confidence=0.9,
            reasons=("The box could not show that it finds names on lists.", why),
            alternatives=(
                "A part of the box was just starting, or was busy.",
                "The box was set up without its port for tests.",
            ),
            cause="box",
            since=at,
            ts=at,
            count=misses - MISSES + 1,
        )
        self._teller.tell_box(sign, scope=scope, at=at)


def _may(scope: Scope | None) -> bool:
    return scope is not None and any(scope.lists(standing) for standing in Standing)
