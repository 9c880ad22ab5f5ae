"""What is known of the use of devices so far: hours in, hours, coverage and baselines out.

In: `ActivitySeen` that may be kept, moments at which the box watches. Out: rows of `store.activity`; for a
device its use by hour, the hours that count, and its baseline. Hours count only where the box watched under an
authority for at least half of them, with its sensor there and the internet too, and where nobody had said that
the device would be away.
Bounded: `MAX_WATCHED` baselines, made once a day each; see `store.activity` for the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from appliance.keeper.devices.model import Device
from appliance.keeper.household.away import AwayTimes
from appliance.keeper.household.record import Record
from appliance.keeper.signs.baseline import Baseline, NotYet, baseline
from appliance.keeper.signs.spans import HOUR, begun, covered, day_of, hour_of
from appliance.keeper.signs.visibility import DayShare, shares
from appliance.keeper.store.activity import KEEP_HOURS, HourOf
from appliance.messages import ActivitySeen

MAX_WATCHED = 256
"""Devices, those seen last."""
STEP_SECONDS = 600.0
"""Moments further apart than this leave a hole: nobody looked."""
KEEP_WATCH_SECONDS = 300.0
"""Watched time is written down at most this often; a crash loses as much of it."""
LEAST_WATCHED = HOUR / 2


class Past:
    """Use so far, of one household."""

    def __init__(self, record: Record, away: AwayTimes) -> None:
        self._record = record
        self._away = away
        self._looked: float | None = None
        self._watched = 0.0
        self._keep_due = float("-inf")
        self._baselines: dict[str, tuple[int, Baseline | None]] = {}
        """By device: the day it was made on."""

    def active(self, heard: ActivitySeen, ts: float) -> None:
        """What a known device did, as far as it may be kept, heard at `ts`."""
        if self._record.store.room.spares("activity"):
            return
        chatter = sum(heard.classes.values())
        counts = HourOf(
            hour=hour_of(begun(heard.since, ts)),
            flows=heard.flows,
            unnamed=min(heard.unnamed, heard.flows),
            octets=heard.octets,
            unnamed_octets=min(heard.unnamed_octets, heard.octets),
            others=heard.others,
            pushes=heard.classes.get("push", 0),
            chatter=chatter,
        )
        self._record.store.activity.add(heard.mac, counts)

    # --- when the box watched -----------------------------------------------------------------

    def watch(self, at: float, *, online: bool) -> None:
        """The box runs under an authority; `online`: it reaches its provider."""
        before, self._looked = self._looked, at
        if before is None or not 0 < at - before <= STEP_SECONDS or not online or not self._record.store.gaps.seeing:
            return
        if hour_of(before) == hour_of(at):
            self._watched += at - before
        else:
            self._keep(hour_of(before), (hour_of(before) + 1) * HOUR - before)
            self._watched = at - hour_of(at) * HOUR
        if at >= self._keep_due:
            self._keep_due = at + KEEP_WATCH_SECONDS
            self._keep(hour_of(at), 0.0)

    def _keep(self, hour: int, more: float) -> None:
        seconds, self._watched = self._watched + more, 0.0
        if seconds > 0:
            self._record.store.activity.watch(hour, min(seconds, HOUR))

    # --- questions ----------------------------------------------------------------------------

    def seen(self, device: Device, until: int) -> list[int]:
        """Hours before `until` that count, in order."""
        first = self._record.store.activity.first(device.macs)
        if first is None:
            return []
        first = max(first, until - KEEP_HOURS)
        away = covered(self._away.spans(device.device_id), first, until)
        watched = self._record.store.activity.watched(first=first, last=until, least=LEAST_WATCHED)
        return [hour for hour in watched if hour not in away]

    def hours(self, device: Device, *, first: int, last: int) -> list[HourOf]:
        """What it did, by hour, from `first` up to and without `last`."""
        return self._record.store.activity.hours(device.macs, first=first, last=last)

    def use(self, device: Device, *, first: int, last: int) -> dict[int, int]:
        """Its use by hour; an hour without any is not there."""
        return self._record.store.activity.use(device.macs, first=first, last=last)

    def shares(self, device: Device, today: int, *, days: int = 28) -> tuple[DayShare, ...]:
        """How much the box could name, by day before `today`, oldest first (N10)."""
        return shares(self.hours(device, first=(today - days) * 24, last=today * 24))

    def baseline(self, device: Device, hour: int, use: Mapping[int, int], seen: Collection[int]) -> Baseline | None:
        """What is usual for it, up to its last use: silence does not become usual."""
        known = self._baselines.get(device.device_id)
        if known is not None and known[0] == day_of(hour):
            return known[1]
        until = max(use, default=hour - 1) + 1
        made = baseline(use, seen, until=until)
        if isinstance(made, Baseline):
            # Programs may talk on by themselves while nobody uses the device: those hours are silence too.
            last = max((at for at, amount in use.items() if made.used(amount)), default=until - 1) + 1
            made = made if last == until else baseline(use, seen, until=last)
        usual = None if isinstance(made, NotYet) else made
        if len(self._baselines) < MAX_WATCHED or device.device_id in self._baselines:
            self._baselines[device.device_id] = (day_of(hour), usual)
        return usual

    # --- what goes ----------------------------------------------------------------------------

    def keep_only(self, device_ids: Collection[str]) -> None:
        """Forget baselines of all other devices."""
        self._baselines = {key: made for key, made in self._baselines.items() if key in device_ids}
