"""The book of the household: an observation in, and through the parts of `household` what follows of it.

In: observations of sensor, warden and probe, orders, time. What may be kept of an observation is
decided by `minimise` before anything else. Out: rows of the store; `changed` rises whenever who may be
collected of what may have changed. Callers hold the store's transaction.
Bounded: see the parts; what goes over any bound is counted in `overflow`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.fingerprint import Rules
from appliance.keeper.devices.model import Device, is_group
from appliance.keeper.devices.registry import Registry
from appliance.keeper.household.agents import Agents
from appliance.keeper.household.appearance import Appearance
from appliance.keeper.household.arrivals import Arrivals
from appliance.keeper.household.away import AwayTimes
from appliance.keeper.household.crowd import SUBJECT
from appliance.keeper.household.doubles import Doubles
from appliance.keeper.household.guessing import BECAUSE_OVER, CALM_SECONDS, Guessing
from appliance.keeper.household.habits import Habits
from appliance.keeper.household.keys import Keys
from appliance.keeper.household.kin import Kin
from appliance.keeper.household.lookups import TREND_ONLY, Lookups
from appliance.keeper.household.past import Past
from appliance.keeper.household.profiles import Profiles
from appliance.keeper.household.proposals import Proposals
from appliance.keeper.household.quieting import Quieting
from appliance.keeper.household.record import FLUSH_SECONDS, Ids, Record
from appliance.keeper.household.rhythm import Rhythm
from appliance.keeper.household.signs import Signs
from appliance.keeper.household.standing import Standings
from appliance.keeper.household.stays import Stays
from appliance.keeper.household.tamper import Ground, Tamper
from appliance.keeper.household.unheard import Unheard
from appliance.keeper.household.watch import Watch
from appliance.keeper.law.unmasking import Opened
from appliance.keeper.lists.match import Lists
from appliance.keeper.lists.names import normalise
from appliance.keeper.minimise import DeviceObservation, Leave, heard_by, minimise
from appliance.keeper.now import Now
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from appliance.messages import (
    ActivitySeen,
    DeviceVolume,
    NameClassSeen,
    NameLookedUp,
    NeighbourChanged,
    PassphraseGuessed,
    Sighting,
    SignalSeen,
    StationChanged,
    TraitSeen,
    Via,
)
from appliance.signals import NETWORK
from appliance.traits import Sort, sort
from wire.authority import DataClass
from wire.base import Correction, Standing
from wire.findings import FindingKind
from wire.models import CommandResult


class Book:
    """Devices and findings of one household."""

    def __init__(self, store: Store, *, lists: Lists, rules: Rules, ids: Ids, ground: Ground | None = None) -> None:
        """`ground` is what the box stands on; None in a script, where there is no box to watch."""
        self._store = store
        self._record = record = Record(store, ids)
        self._stays = stays = Stays(record)
        self._arrivals = arrivals = Arrivals(record, stays)
        self._appearance = appearance = Appearance(record, stays, rules)
        self.watch = Watch(record, lists)
        self._lookups = Lookups(record, lists, self.watch)
        self._standings = Standings(record)
        self.kin = Kin(record, stays, arrivals, appearance, self._standings)
        self.keys = Keys(record, stays, arrivals, self.kin)
        self._doubles = Doubles(record, stays, arrivals, self.kin, self.keys)
        self._profiles = Profiles(record, stays)
        self.proposals = Proposals(record, stays, self.kin, self._profiles)
        self.away = AwayTimes(record)
        self.past = Past(record, self.away)
        self.signs = Signs(record, days=self.past.shares)
        self.quiet = Quieting(record, away=lambda: self.away.known, watch=self.watch.all)
        self.agents = Agents(record, past=self.past, signs=self.signs)
        habits = Habits(record, stays, past=self.past, signs=self.signs, trends=TREND_ONLY)
        self._rhythm = Rhythm(record, stays, self.away, past=self.past, habits=habits, signs=self.signs)
        self.tamper = Tamper(record, self.signs, ground)
        self.unheard = Unheard(record, self.signs)
        self._guessing = Guessing()
        self.opened: Mapping[str, Opened] = {}
        """What may be collected of each device whose mask is off, by its id (N2)."""
        self._flush_due = float("-inf")
        self.refused = 0
        """Observations of which nothing may be kept, or that say nothing new."""
        self.stray = 0
        """Looked-up names, signals and activity that the mask did not let out of the sensor; dropped."""

    @property
    def record(self) -> Record:
        """Where every change of the household goes."""
        return self._record

    @property
    def registry(self) -> Registry:
        """The devices."""
        return self._record.registry

    @property
    def changed(self) -> int:
        """Rises with every change of who may be collected of what."""
        return self._record.changed

    def overflow(self) -> int:
        """All that went over a bound, since start."""
        parts = self._arrivals.overflow + self._stays.overflow() + self.proposals.overflow
        signs = self._lookups.overflow + self.signs.overflow + self._record.noise.overflow + self._rhythm.overflow
        return self.registry.overflow + parts + signs + self._guessing.overflow + self._store.overflow()

    # --- observations -----------------------------------------------------------------------

    def observe(self, observation: DeviceObservation, *, scope: Scope | None, leave: Leave | None, at: float) -> None:
        """Take one observation in; `leave` says what may have left the sensor since when; None: that was asked."""
        device = self.registry.by_mac(observation.mac)
        standing = Standing.UNKNOWN if device is None else device.standing
        opened = None if device is None or scope is None else self.opened.get(device.device_id)
        if opened is not None:
            scope, standing = opened, opened.readable
        kept = None if is_group(observation.mac) else minimise(observation, standing, scope, self._store.blind)
        if kept is None or scope is None or not kept.ts >= scope.authority.not_before.timestamp():
            self.refused += 1  # no leave; or it waited in a queue from before there was; or it has no time (NaN)
        elif leave is not None and self.strays(kept, leave):
            self.stray += 1
        else:
            self._take(device, kept, observation, Now(scope=scope, ts=min(kept.ts, at), at=at))

    @staticmethod
    def strays(observation: DeviceObservation, leave: Leave) -> bool:
        """Whether it should not have left the sensor by the mask in force."""
        return isinstance(observation, NameLookedUp | SignalSeen | ActivitySeen) and not leave.lets_out(observation)

    def _take(self, device: Device | None, kept: DeviceObservation, observation: DeviceObservation, now: Now) -> None:
        match kept:
            case Sighting():
                self._see(kept.mac, now, kept.via)
            case NeighbourChanged(reachable=True):
                self._see(kept.mac, now, None)
            case StationChanged(joined=True):
                self._joined(kept, now)
            case TraitSeen():
                self._trait(kept, observation, now)
            case NameLookedUp():
                self._name(device, kept, now)
            case SignalSeen() if kept.signal in NETWORK:
                self.signs.network(device, kept, now)
            case _ if device is not None:
                self._of_known(kept, now)
            case _:
                self.refused += 1

    def _of_known(self, kept: DeviceObservation, now: Now) -> None:
        """News that say something of a device only where the device is known."""
        match kept:
            case StationChanged():
                self.keys.left(kept.mac, now)
            case NeighbourChanged():
                self._stays.unreachable(kept.mac, now.ts)
            case DeviceVolume():
                self._stays.moved(kept.mac, now.ts, kept.up)
            case NameClassSeen():
                self._see(kept.mac, now, Via.FLOW)
            case SignalSeen():
                seen = self._see(kept.mac, now, Via.FLOW)
                if seen is not None:
                    self.signs.heard(seen, kept, now)
            case ActivitySeen():
                seen = self._see(kept.mac, now, Via.FLOW)
                if seen is not None:
                    self.past.active(kept, now.ts)
                    self.signs.active(seen, kept, now)

    def _see(self, mac: str, now: Now, via: Via | None) -> Device | None:
        known = self.registry.by_mac(mac)
        away = self._stays.began(mac) is None
        device = self._arrivals.see(mac, now, via)
        if device is None:
            return None
        if away:
            self.proposals.grew(device, now.at)
        return self._first(device, now) if known is None else device

    def _first(self, device: Device, now: Now) -> Device:
        """A new device: its address may tell the maker."""
        if DataClass.FINGERPRINT in now.scope.classes(device.standing):
            return self._appearance.first_seen(device, now)
        return device

    def _joined(self, heard: StationChanged, now: Now) -> None:
        known = self.registry.by_mac(heard.mac)
        away = self._stays.began(heard.mac) is None
        self._guessing.joined(heard.mac)
        device = self.keys.joined(heard, now)
        if device is None:
            return
        if away:
            self.proposals.grew(device, now.at)
        if known is None:
            self._first(device, now)

    def _trait(self, kept: TraitSeen, heard: DeviceObservation, now: Now) -> None:
        device = self._see(kept.mac, now, heard_by(kept.trait))
        if device is None or not isinstance(heard, TraitSeen):
            return
        # The value as heard is asked about and told apart; the value as minimised is what is kept.
        piece = self._appearance.piece(heard, readable=kept.value == heard.value)
        device, new = self._appearance.heard(device, heard, piece, now)
        if sort(kept.trait) is Sort.IDENTIFIER and piece.token:
            device = self.proposals.recognise(device, kept.trait, piece.token, scope=now.scope, at=now.at)
        if new:
            self.proposals.grew(device, now.at)

    def _name(self, device: Device | None, heard: NameLookedUp, now: Now) -> None:
        name = normalise(heard.name)
        if device is None:
            self.stray += 1
            return
        if name is None:
            self.refused += 1
            return
        seen = self._see(heard.mac, now, Via.DNS)
        if seen is not None:
            self._lookups.heard(seen, heard, name, now)

    def note(self, mac: str, rule: str, *, scope: Scope | None, ts: float) -> None:
        """Keep a note on a known address with its evidence; one that no rule has says nothing of what it is."""
        device = self.registry.by_mac(mac)
        if device is not None and scope is not None and DataClass.FINGERPRINT in scope.classes(device.standing):
            self._store.evidence.hit(mac, rule, ts)

    # --- decisions --------------------------------------------------------------------------

    def set_standing(
        self,
        device: Device,
        *,
        standing: Standing,
        label: str | None,
        guest_until: float | None,
        scope: Scope,
        at: float,
    ) -> Device:
        """Give a device a standing; with one of its owners' standings, the passphrase it joined with is its own."""
        for mac in device.macs:
            self._arrivals.release(mac, Now(scope=scope, ts=device.first_seen, at=at))
        device = self.registry.by_id(device.device_id) or device
        device = self._standings.set(
            device, standing=standing, label=label, guest_until=guest_until, scope=scope, at=at
        )
        self.proposals.grew(device, at)
        return self.keys.owned(device, at)

    def masked(self, device: Device, *, scope: Scope | None, at: float) -> None:
        """The mask of a device is on again: erase what may not be kept of one of its standing; without a scope, all."""
        self._standings.narrow(device, scope=scope, at=at)

    def restore(self, device: Device, correction: Correction | None, *, scope: Scope, at: float) -> Device:
        """Put a device on the register as it was known before the box was replaced."""
        over = device.visit_ended
        device = self._standings.set(
            device,
            standing=device.standing,
            label=device.label,
            guest_until=device.guest_until,
            scope=scope,
            at=at,
        )
        if over is not None:
            device = self._record.keep(replace(device, visit_ended=over))
        return device if correction is None else self._appearance.correct(device, correction, at)

    def correct(self, device: Device, correction: Correction, at: float) -> Device:
        """A person says what a device is."""
        return self._appearance.correct(device, correction, at)

    def forget(self, device: Device, because: str, at: float) -> None:
        """Forget a device and all that hangs on it."""
        self._arrivals.forget(device, because, at)

    def let_go(self, device: Device, before: float) -> int:
        """Forget the addresses that a device did not use since a moment, but the last; how many."""
        return self._arrivals.let_go(device, before)

    def guessed(self, heard: PassphraseGuessed, *, scope: Scope | None) -> None:
        """Passphrases that are none of the Wi-Fi's were tried."""
        if scope is None:
            self._guessing.forget()
        else:
            self._guessing.heard(heard)

    def set_quarantined(self, macs: Collection[str], at: float) -> None:
        """What the warden says that it holds back."""
        for device in self.registry:
            held = any(address.mac in macs for address in device.addresses)
            if held != device.quarantined:
                changed = replace(device, quarantined=held)
                if device.revision:
                    self._record.report(changed, at)
                else:
                    self._record.keep(changed)  # it is told whole when it is told

    def associations_lost(self) -> None:
        """Who reads the access point is gone."""
        self._stays.associations_lost()

    def tick(self, *, scope: Scope, at: float) -> None:
        """What is due: who waited, who fell asleep or left, visits that are over, what may be one, repeats."""
        self._arrivals.tick(Now(scope=scope, ts=at, at=at))
        if at < self._flush_due:
            return
        self._flush_due = at + FLUSH_SECONDS
        self._stays.tick(at)
        self._crowd(scope, at)
        self._guesses(scope, at)
        self.unheard.tick(at)
        self._doubles.tick(Now(scope=scope, ts=at, at=at))
        self._standings.tick(scope=scope, at=at)
        self._profiles.tick(scope=scope, at=at)
        self.proposals.tick(scope=scope, at=at)
        self.signs.tick(scope=scope, at=at)
        self._rhythm.tick(Now(scope=scope, ts=at, at=at), online=self.tamper.online)
        self.watch.tick(at)
        self.quiet.tick(at)
        self._record.report_repeats(at)
        self._record.flush(at)

    def _crowd(self, scope: Scope, at: float) -> None:
        """Tell of addresses that were not taken in, as one finding."""
        sign, over = self._arrivals.crowd.news(at)
        if sign is not None:
            self.signs.tell_box(sign, scope=scope, at=at)
        if over:
            because = "No more addresses than usual were heard for ten minutes."
            self.signs.end(None, FindingKind.MANY_ADDRESSES, SUBJECT, because, at)

    def _guesses(self, scope: Scope, at: float) -> None:
        """Tell of passphrases that are tried, an address at a time; close what is over."""
        for mac, sign in self._guessing.news(at):
            device = None if mac is None else self.registry.by_mac(mac)
            told = sign if device is None else replace(sign, device_id=device.device_id)
            self.signs.tell(told, Now(scope=scope, ts=at, at=at))
        for stored in self._store.findings.of_kind([FindingKind.PASSPHRASE_GUESSED.value]):
            if at - stored.finding.last_seen.timestamp() >= CALM_SECONDS:
                self._record.report_finding(stored, findings.closed(stored.finding, BECAUSE_OVER), at)

    def answer(self, result: CommandResult, at: float) -> None:
        """Put the answer to a command in the outbox."""
        self._record.send(result, subject=result.command_id, priority=Priority.RESULT, at=at)
