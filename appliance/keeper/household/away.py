"""Away times: what an officer was told, as orders in and as spans of time out (R15).

In: orders, at a moment. Out: refusals in words; spans in which a device is not expected. A device that counts
as part of another one now takes its away times with it.
Bounded: `store.away.MAX_AWAY`, and `MAX_LENGTH` a time.
"""

from __future__ import annotations

from appliance.keeper.devices.model import moment
from appliance.keeper.household.record import Record
from appliance.keeper.signs.spans import DAY
from wire.box import Away
from wire.orders import EndAway, SetAway

MAX_LENGTH = 92 * DAY
"""Longer, it would be a switch that turns a rule off; that is said in another way (R30)."""
MAX_BACK = 7 * DAY
"""What was forgotten may be entered so much later."""


class AwayTimes:
    """Away times of one household."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._known = record.store.away.all()

    @property
    def known(self) -> tuple[Away, ...]:
        """All, by their start."""
        return self._known

    def set(  # noqa: PLR0911 - one return a reason reads best
        self, order: SetAway, *, by: str, at: float
    ) -> str | None:
        """Write one down; why not, otherwise."""
        starts, ends = order.starts.timestamp(), order.ends.timestamp()
        if ends <= starts:
            return "The away time would end before it starts."
        if ends <= at:
            return "The away time is over already."
        if ends - starts > MAX_LENGTH:
            return "An away time may last three months at most."
        if starts < at - MAX_BACK:
            return "An away time may start a week ago at most."
        if order.device_id is not None and self._record.registry.by_id(order.device_id) is None:
            return "The box does not know this device."
        if not self._record.store.away.has_room(at):
            return "There are too many away times. End one first."
        self._record.store.away.put(
            Away(
                away_id=self._record.ids.arrangement(),
                starts=order.starts,
                ends=order.ends,
                device_id=order.device_id,
                reason=order.reason,
                by=by,
            )
        )
        self._changed()
        return None

    def end(self, order: EndAway, *, at: float) -> str | None:
        """It ends now, or where it has not begun never was; why not, otherwise."""
        away = next((away for away in self._known if away.away_id == order.away_id), None)
        if away is None:
            return "The box does not know this away time."
        if away.ends.timestamp() <= at:
            return "The away time is over already."
        if away.starts.timestamp() >= at:
            self._record.store.away.remove(away.away_id)
        else:
            self._record.store.away.put(away.model_copy(update={"ends": moment(at)}))
        self._changed()
        return None

    def spans(self, device_id: str) -> tuple[tuple[float, float], ...]:
        """When the whole home, or this device, is or was said to be away."""
        return tuple(
            (away.starts.timestamp(), away.ends.timestamp())
            for away in self._known
            if away.device_id is None or self._stands_for(away.device_id) == device_id
        )

    def away(self, device_id: str, at: float) -> bool:
        """Whether it is said to be away now."""
        return any(starts <= at < ends for starts, ends in self.spans(device_id))

    def tick(self, at: float) -> None:
        """Forget those that are long over."""
        if self._record.store.away.prune(at):
            self._changed()

    def _stands_for(self, device_id: str) -> str:
        device = self._record.registry.by_id(device_id)
        return device_id if device is None or device.merged_into is None else device.merged_into

    def _changed(self) -> None:
        self._known = self._record.store.away.all()
        self._record.arranged = True
