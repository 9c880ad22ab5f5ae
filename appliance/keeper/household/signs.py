"""What signals of devices and of the network come to: kept by the hour, weighed, told as findings.

In: signals that the mask let out and that may be kept; signs from those that watch time. Out: records,
and one open finding for each device, kind and subject: raised at the grade of its first sign, its grade
raised by more, closed when nothing was seen for `CLOSE_SECONDS`. A grade never falls while a finding is
open, so that it does not flap. Bounded: what waits to be weighed is one entry a device, `AT_ONCE` are weighed
a second; see `store.records` for the rows and `signs.window` for what is weighed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device
from appliance.keeper.household.record import REPORT_SECONDS, Record
from appliance.keeper.law.kinds import LAW_KINDS
from appliance.keeper.now import Now
from appliance.keeper.signs import rules
from appliance.keeper.signs.hidden import usual_share
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.visibility import DayShare
from appliance.keeper.signs.weigh import DAYS, FURTHER, fit, severity
from appliance.keeper.signs.window import MAX_OBSERVED, WINDOW_SECONDS, Context, Observed, Use, Window
from appliance.keeper.store.findings import StoredFinding
from appliance.keeper.store.records import HOUR, Ground, SignalRecord
from appliance.messages import ActivitySeen, SignalSeen
from appliance.signals import NETWORK, Signal
from wire.authority import DataClass
from wire.base import Standing
from wire.findings import FindingKind
from wire.ledger import RecordKind

CLOSE_SECONDS = 7 * 86400.0
"""A sign not seen for so long is over."""

LOOK_SECONDS = 3600.0
"""All are looked through this often: what is over, and devices that were joined or taken apart."""

MAX_OPEN = 64
"""Open findings of a device (or of the network) and kind; what is beyond them is one."""

MAX_WAITING = 1024
"""Addresses beyond the household's own (`signals.NETWORK`) that wait to be weighed."""

AT_ONCE = 16
"""Devices, and addresses, weighed a second; the others wait their turn."""

MUCH = 100
SECONDS_A_RECORD = 0.01
"""Of a device with so many records each one makes the next weighing wait: whoever floods waits longest."""

MAX_FRESH = 4096
"""Records of a device that are told apart between two weighings."""

MAX_USES = 256
"""Devices whose last hour is remembered; those without a standing make way."""
USES = 12
"""Counts of a device's last hour: the sensor tells them every five minutes."""

BOX_KINDS = frozenset(
    {
        FindingKind.POWER_LOST,
        FindingKind.WAN_LOST,
        FindingKind.CABLE_MOVED,
        FindingKind.BOX_RESET,
        FindingKind.SETTINGS_CHANGED,
        FindingKind.CLOCK_CHANGED,
        FindingKind.STORAGE_CHANGED,
        FindingKind.LIST_STALE,
        FindingKind.LIST_REFUSED,
        FindingKind.TEST_MISSED,
        FindingKind.RECORDS_DROPPED,
        FindingKind.STORAGE_FULL,
    }
    | LAW_KINDS
)
"""Kinds that are about the box itself, not about a device."""

NO_CLAUSE = "none"
"""In a finding about the box itself: no clause is needed for it (N4)."""

_GATEWAY = "upstream_first"
BECAUSE_MANY = "Many of this kind are open already: further ones are counted here together."
BECAUSE_KNOWN = "The address belongs to a device that is known now; a finding about the device says the same."
BECAUSE_OVER = "Nothing of it has been seen for 7 days."


Days = Callable[[Device, int], tuple[DayShare, ...]]
"""What a device did on the days before this one, by the number of a day, oldest first."""


class Signs:
    """Signals in, findings out."""

    def __init__(self, record: Record, *, days: Days = lambda _device, _today: ()) -> None:
        """`days` says what a device did on the days before."""
        self._record = record
        self._days = days
        self._usual: dict[str, tuple[int, DayShare | None, float | None]] = {}
        """By device: today, its last day, and the share of earlier ones that is as a rule unnamed."""
        self._due: dict[str, None] = {}
        """Ids of devices to weigh."""
        self._network_due: dict[str, None] = {}
        """Addresses to weigh for what they are to the network."""
        self._fresh: dict[str, dict[str, int]] = {}
        """How often what was heard since it was last weighed, by device (or address) and record."""
        self._not_before: dict[str, float] = {}
        """When a device of which very much is known is weighed again at the earliest."""
        self._lately: dict[str, deque[tuple[float, Use]]] = {}
        """What devices did in the last hour, by when it was told."""
        self._look_due = float("-inf")
        self.overflow = 0
        """Addresses that found no room to wait, since start."""
        self.refused = 0
        """Signs of which nothing may be kept, since start."""

    # --- in ---------------------------------------------------------------------------------

    def heard(self, device: Device, signal: SignalSeen, now: Now) -> None:
        """A signal of a device whose signs may be kept."""
        clause = now.scope.classes(device.standing).get(DataClass.SIGNS)
        if clause is not None:
            self._keep(signal, clause, now, whose=device.device_id, device=device)
            self._due[device.device_id] = None

    def network(self, device: Device | None, signal: SignalSeen, now: Now) -> None:
        """A signal about the network, of whoever it is; it makes no device."""
        clause = now.scope.classes(Standing.UNKNOWN).get(DataClass.SIGNS)
        if clause is None:
            return
        if signal.mac not in self._network_due and len(self._network_due) >= MAX_WAITING:
            self.overflow += 1
            return
        self._keep(signal, clause, now, whose=signal.mac, device=device)
        self._network_due[signal.mac] = None

    def active(self, device: Device, seen: ActivitySeen, now: Now) -> None:
        """What a device did in some time was counted: it may put a signal in another light."""
        use = Use(flows=seen.flows, unnamed=seen.unnamed, lookups=seen.others + sum(seen.classes.values()))
        lately = self._lately.get(device.device_id)
        if lately is None:
            if len(self._lately) >= MAX_USES and not self._forget_stranger(device):
                self.overflow += 1
                return
            lately = self._lately[device.device_id] = deque(maxlen=USES)
        lately.append((now.ts, use))
        self._due[device.device_id] = None

    def tell(self, sign: Sign, now: Now, *, fresh: int | None = None) -> None:
        """A sign as it now stands; `fresh` is how often it came since it was last told, where that is known."""
        self._tell(sign, scope=now.scope, at=now.at, fresh=fresh)

    def tell_box(self, sign: Sign, *, scope: Scope | None, at: float) -> None:
        """A sign about the box itself, which needs no authority (N4)."""
        self._tell(replace(sign, device_id=None), scope=scope, at=at, fresh=None)

    def end(self, device_id: str | None, kind: FindingKind, subject: str, because: str, at: float) -> None:
        """What a sign was about is over."""
        stored = self._record.open_finding(device_id, kind, subject)
        if stored is not None:
            self._record.report_finding(stored, findings.closed(stored.finding, because), at)

    # --- time -------------------------------------------------------------------------------

    def tick(self, *, scope: Scope, at: float) -> None:
        """Weigh what is new; close what is over."""
        now = Now(scope=scope, ts=at, at=at)
        if at >= self._look_due:
            self._look_due = at + LOOK_SECONDS
            self._look(now)
        ready = [device_id for device_id in self._due if at >= self._not_before.get(device_id, at)]
        for device_id in ready[:AT_ONCE]:
            del self._due[device_id]
            device = self._record.registry.by_id(device_id)
            if device is not None and device.merged_into is None:
                self._weigh(device, now)
            self._fresh.pop(device_id, None)
        for mac in list(self._network_due)[:AT_ONCE]:
            del self._network_due[mac]
            self._weigh_network(mac, now)
            self._fresh.pop(mac, None)

    # --- inside -----------------------------------------------------------------------------

    def _keep(self, signal: SignalSeen, clause: str, now: Now, *, whose: str, device: Device | None) -> None:
        authority = now.scope.authority
        ground = Ground(authority_id=authority.id, authority_number=authority.number, clause=clause)
        stranger = device is None or device.standing is Standing.UNKNOWN
        record_id = self._record.store.records.add(
            signal, ground, ts=now.ts, new_id=self._record.ids.record, stranger=stranger
        )
        fresh = self._fresh.setdefault(whose, {})
        if record_id in fresh or len(fresh) < MAX_FRESH:
            fresh[record_id] = fresh.get(record_id, 0) + signal.count
        else:
            self.overflow += 1

    def _forget_stranger(self, device: Device) -> bool:
        """Make room for the last hour of a device with a standing: those without are made up at no cost."""
        if device.standing is Standing.UNKNOWN:
            return False
        by_id = self._record.registry.by_id
        for device_id in self._lately:
            if (other := by_id(device_id)) is None or other.standing is Standing.UNKNOWN:
                del self._lately[device_id]
                return True
        return False

    def _look(self, now: Now) -> None:
        registry, records, at = self._record.registry, self._record.store.records, now.at
        self._erase(now)
        records.recount()
        for mac in records.heard_of(since=at - WINDOW_SECONDS):
            device = registry.by_mac(mac)
            if device is not None:
                self._due[device.device_id] = None
        of_network = records.heard_of(since=at - WINDOW_SECONDS, signals=NETWORK)
        for mac in of_network[: MAX_WAITING - len(self._network_due)]:
            self._network_due[mac] = None
        self._not_before = {key: due for key, due in self._not_before.items() if due > at}
        quiet = [key for key, uses in self._lately.items() if not uses or uses[-1][0] < at - HOUR]
        for device_id in quiet:
            del self._lately[device_id]
        for stored in self._record.store.findings.of_kind([kind.value for kind in rules.KINDS]):
            if at - stored.finding.last_seen.timestamp() >= CLOSE_SECONDS:
                self._record.report_finding(stored, findings.closed(stored.finding, BECAUSE_OVER), at)

    def _erase(self, now: Now) -> None:
        """What there is no leave any more to keep, since another document is in force."""
        registry, records = self._record.registry, self._record.store.records
        network = NETWORK if DataClass.SIGNS in now.scope.classes(Standing.UNKNOWN) else frozenset[Signal]()
        for mac in records.heard_of(since=0.0):
            device = registry.by_mac(mac)
            standing = Standing.UNKNOWN if device is None else device.standing
            if DataClass.SIGNS not in now.scope.classes(standing):
                gone = records.erase([mac], but=network)
                self._record.store.ledger.forget(gone, {RecordKind.SIGNALS}, why="authority")

    def _weigh(self, device: Device, now: Now) -> None:
        if DataClass.SIGNS not in now.scope.classes(device.standing):
            return
        window = self._window(device.macs, now)
        if len(window) >= MUCH:
            self._not_before[device.device_id] = now.at + len(window) * SECONDS_A_RECORD
        context = self._context(device, now)
        for sign in rules.weigh(window, context):
            self._tell(sign, scope=now.scope, at=now.at, fresh=self._fresh_of(sign, device.device_id))

    def _weigh_network(self, mac: str, now: Now) -> None:
        device = self._record.registry.by_mac(mac)
        upstream = self._record.store.records.upstream(since=now.at - WINDOW_SECONDS)
        context = Context(
            device_id=None if device is None else device.device_id,
            standing=None if device is None else device.standing,
            category=None if device is None or device.looks_like is None else device.looks_like.category,
            gateway=self._gateway(mac, upstream),
            upstream=len(upstream),
        )
        for sign in rules.weigh_network(mac, self._window((mac,), now), context):
            if device is not None:  # it was told of the address before there was a device of it
                self.end(None, sign.kind, sign.subject, BECAUSE_KNOWN, now.at)
            self._tell(sign, scope=now.scope, at=now.at, fresh=self._fresh_of(sign, mac))

    def _gateway(self, mac: str, upstream: list[str]) -> bool:
        """Whether it is the first that was ever heard upstream: the provider's own equipment is there first."""
        store = self._record.store
        first = store.get(_GATEWAY)
        if first is None and mac in upstream:
            first = mac
            store.set(_GATEWAY, mac)
        return mac == first

    def _fresh_of(self, sign: Sign, whose: str) -> int | None:
        fresh = self._fresh.get(whose, {})
        return sum(fresh.get(record_id, 0) for record_id in sign.records) if sign.records else None

    def _window(self, macs: tuple[str, ...], now: Now) -> Window:
        rows = self._record.store.records.of(macs, since=now.at - WINDOW_SECONDS, most=MAX_OBSERVED)
        return Window(_observed(row) for row in rows)

    def _context(self, device: Device, now: Now) -> Context:
        last, usual = self._last_day(device, int(now.at // DAYS))
        return Context(
            device_id=device.device_id,
            standing=device.standing,
            category=None if device.looks_like is None else device.looks_like.category,
            refused=frozenset(now.scope.refuses(device.standing)),
            hour=self._hour(device.device_id, now.at),
            day=Use() if last is None else Use(flows=last.connections, unnamed=last.unnamed),
            day_ends=0.0 if last is None else min((last.day + 1) * DAYS, now.at),
            usual=usual,
        )

    def _last_day(self, device: Device, today: int) -> tuple[DayShare | None, float | None]:
        """Yesterday, and what was usual before; looked up once a day."""
        known = self._usual.get(device.device_id)
        if known is None or known[0] != today:
            days = self._days(device, today)
            last = days[-1] if days and days[-1].day == today - 1 else None
            if len(self._usual) >= MAX_USES:
                self._usual.clear()
            known = self._usual[device.device_id] = (today, last, usual_share(days[:-1]))
        return known[1], known[2]

    def _hour(self, device_id: str, at: float) -> Use:
        uses = [use for ts, use in self._lately.get(device_id, ()) if ts > at - HOUR]
        return Use(
            flows=sum(use.flows for use in uses),
            unnamed=sum(use.unnamed for use in uses),
            lookups=sum(use.lookups for use in uses),
        )

    def _tell(self, sign: Sign, *, scope: Scope | None, at: float, fresh: int | None) -> None:
        stored = self._record.open_finding(sign.device_id, sign.kind, sign.subject)
        if stored is None and self._record.store.findings.open_of_kind(sign.device_id, sign.kind.value) >= MAX_OPEN:
            sign = replace(sign, subject=FURTHER, reasons=fit((*sign.reasons[:8], BECAUSE_MANY)))
            stored = self._record.open_finding(sign.device_id, sign.kind, sign.subject)
        standing, clause = self._ground(sign, scope)
        if clause is None:
            self.refused += 1
        elif stored is None:
            self._record.raise_sign(sign, scope=scope, clause=clause, standing=standing, at=at)
        else:
            self._again(stored, sign, standing=standing, at=at, fresh=fresh)

    def _ground(self, sign: Sign, scope: Scope | None) -> tuple[Standing | None, str | None]:
        """Standing of the sign's device, and the clause that lets it be told."""
        if sign.kind in BOX_KINDS:
            return None, NO_CLAUSE
        if sign.device_id is None and sign.kind is FindingKind.SILENT_DEVICE:  # all devices of the home together
            return None, None if scope is None else scope.classes(Standing.REGISTERED).get(DataClass.SIGNS)
        device = None if sign.device_id is None else self._record.registry.by_id(sign.device_id)
        standing = None if device is None else device.standing
        if scope is None:
            return standing, None
        if sign.kind is FindingKind.PASSPHRASE_GUESSED:  # that a device is near and wants in: no more than presence
            return standing, scope.classes(standing or Standing.UNKNOWN).get(DataClass.PRESENCE)
        whose = Standing.UNKNOWN if standing is None or sign.kind in rules.NETWORK_KINDS else standing
        return standing, scope.classes(whose).get(DataClass.SIGNS)

    def _again(
        self, stored: StoredFinding, sign: Sign, *, standing: Standing | None, at: float, fresh: int | None
    ) -> None:
        before = stored.finding
        later = sign.ts > before.last_seen.timestamp()
        count = max(before.count, sign.count) if fresh is None else before.count + fresh
        higher = _grade(sign) > (-1 if before.grade is None else findings.GRADES.index(before.grade))
        if not (higher or fresh or (fresh is None and later)):
            return
        said = findings.said_again(before, sign, count=count, severity=severity(sign.kind, sign.grade, standing))
        if higher:
            told = self._record.noise.held_down(said, at)
            self._record.report_finding(stored, findings.revised(told), at)
            return
        said = self._record.noise.repeated(before, said, at)
        if at - stored.reported_at >= REPORT_SECONDS:
            self._record.report_finding(stored, findings.revised(said), at)
        else:
            self._record.store.findings.put(replace(stored, finding=said, dirty=True))


def _grade(sign: Sign) -> int:
    return findings.GRADES.index(sign.grade)


def _observed(row: SignalRecord) -> Observed:
    return Observed(
        record_id=row.record_id,
        signal=row.signal,
        value=row.value,
        first=row.first,
        last=row.last,
        count=row.count,
        server=row.server,
        port=row.port,
        octets=row.octets,
    )
