"""Reports of software on devices, compared with what the box saw as they come (N7).

In: `ReportAgent` orders. Out: signs through `Signs`, refusals in words. Nothing of a report is kept but what
it comes to. Bounded: by the order, and by what `Past` keeps.
"""

from __future__ import annotations

from appliance.keeper.household.past import Past
from appliance.keeper.household.record import Record
from appliance.keeper.household.signs import Signs
from appliance.keeper.now import Now
from appliance.keeper.signs.agent import LEAST_USE, Reported, compare, disagreements
from appliance.keeper.signs.spans import hour_of
from appliance.keeper.store.activity import KEEP_HOURS
from wire.authority import DataClass
from wire.orders import ReportAgent


class Agents:
    """Takes reports in."""

    def __init__(self, record: Record, *, past: Past, signs: Signs) -> None:
        self._record = record
        self._past = past
        self._signs = signs

    def report(self, order: ReportAgent, now: Now) -> str | None:
        """Compare a report; None when done, else why not."""
        device = self._record.registry.by_id(order.device_id)
        if device is None or device.merged_into is not None:
            return "The box does not know this device, or it counts as part of another one now."
        if DataClass.SIGNS not in now.scope.classes(device.standing):
            return "The authority does not let the box keep what this device does, so nothing can be compared."
        reported = Reported(
            device_id=device.device_id,
            source=order.source,
            covers_from=order.covers_from.timestamp(),
            covers_to=order.covers_to.timestamp(),
            spans=tuple(sorted((span.starts.timestamp(), span.ends.timestamp()) for span in order.spans)),
        )
        if reported.covers_to <= reported.covers_from:
            return "The report would end before it starts."
        hour = hour_of(now.at)
        use = self._past.use(device, first=hour - KEEP_HOURS, last=hour)
        seen = self._past.seen(device, hour)
        usual = self._past.baseline(device, hour, use, seen)
        found = compare(reported, use, seen, floor=LEAST_USE if usual is None else usual.floor, before=hour)
        if not found.compared:
            return "The box saw nothing of the time that the report covers, so nothing can be compared."
        for sign in disagreements(reported, found):
            self._signs.tell(sign, now)
        return None
