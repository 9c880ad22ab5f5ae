"""What officers arrange with the box: rules quieted here (R30), and all arrangements told whole.

In: orders, moments. Out: `None` when an order is followed, else why not; findings closed; the payload
`Arrangements` whenever something of it has changed. Bounded: see `store.quiet`, and the stores of away
times and of a household's own entries; all of it together fits one message, and what would not is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.keeper import findings
from appliance.keeper.devices.model import moment
from appliance.keeper.household.record import Record
from appliance.keeper.store.outbox import Priority
from appliance.keeper.store.quiet import MAX_QUIETED
from wire.box import Arrangements, Away, Quieted, Watch
from wire.codec import MAX_PAYLOAD, payload_json
from wire.findings import FindingKind
from wire.orders import AddWatch, QuietRule, SetAway

TELL_SECONDS = 3600.0
"""Counts alone are told this often."""

ADDED_OCTETS = 2048
"""What the box adds to an order it follows: ids, times, and the subject of a finding (300 characters)."""
RISING_OCTETS = 4096
"""Left for counts, which rise."""

_REVISION = "arrangements_revision"
_SUBJECT = "arrangements"
_RULES = frozenset(kind.value for kind in FindingKind)


class Quieting:
    """Quieted rules, and the telling of all that officers arranged."""

    def __init__(
        self,
        record: Record,
        *,
        away: Callable[[], tuple[Away, ...]] = tuple,
        watch: Callable[[], tuple[Watch, ...]] = tuple,
    ) -> None:
        """`away` and `watch` say what else officers arranged."""
        self._record = record
        self._away = away
        self._watch = watch
        self._told = tuple(record.noise.quieted)
        self._told_at = float("-inf")

    def add(self, order: QuietRule, *, by: str, at: float) -> str | None:
        """Quiet a rule; None when done, else why not."""
        refusal = self._refusal(order, at)
        if refusal is not None:
            return refusal
        subject = order.subject
        if order.finding_id is not None:
            stored = self._record.store.findings.get(order.finding_id)
            if stored is None or stored.finding.kind.value != order.rule:
                return "The box does not know this finding."
            if subject is None and order.narrow:
                subject = stored.subject[:300]
        quieted = Quieted(
            quiet_id=self._record.ids.arrangement(),
            rule=order.rule,
            device_id=order.device_id,
            subject=subject,
            reason=order.reason,
            by=by,
            at=moment(at),
            until=order.until,
        )
        same = [item for item in self._record.noise.quieted if _about(item) == _about(quieted)]
        if same:
            quieted = quieted.model_copy(update={"quiet_id": same[0].quiet_id, "count": same[0].count})
        self._record.store.quiets.put(quieted)
        self._changed()
        self._close(at)
        return None

    def end(self, quiet_id: str) -> str | None:
        """A quieted rule speaks again."""
        if not any(item.quiet_id == quiet_id for item in self._record.noise.quieted):
            return "The box does not know this instruction any more."
        self._record.store.quiets.remove(quiet_id)
        self._changed()
        return None

    def tick(self, at: float) -> None:
        """Those that are over end; what has changed is told."""
        over = [item for item in self._record.noise.quieted if item.until is not None and item.until.timestamp() <= at]
        for item in over:
            self._record.store.quiets.remove(item.quiet_id)
        if over:
            self._changed()
        counts_due = self._record.noise.quieted != self._told and at - self._told_at >= TELL_SECONDS
        if self._record.arranged or counts_due:
            self.tell(at)

    def tell(self, at: float) -> None:
        """All that officers arranged, whole."""
        store = self._record.store
        revision = int(store.get(_REVISION) or "0") + 1
        store.set(_REVISION, str(revision))
        self._record.arranged = False
        self._told, self._told_at = self._record.noise.quieted, at
        self._record.send(self._payload(revision), subject=_SUBJECT, priority=Priority.STATE, at=at)

    def has_room(self, order: QuietRule | SetAway | AddWatch) -> bool:
        """Whether all that is arranged still fits one message when this is followed."""
        octets = len(payload_json(self._payload(1))) + len(payload_json(order))
        return octets + ADDED_OCTETS + RISING_OCTETS <= MAX_PAYLOAD

    # --- inside -----------------------------------------------------------------------------

    def _payload(self, revision: int) -> Arrangements:
        quieted = self._record.noise.quieted
        return Arrangements(revision=revision, quieted=quieted, away=self._away(), watch=self._watch())

    def _refusal(self, order: QuietRule, at: float) -> str | None:
        if order.rule not in _RULES:
            return "The box does not know this rule."
        if order.device_id is not None:
            device = self._record.registry.by_id(order.device_id)
            if device is None or device.merged_into is not None:
                return "The box does not know this device."
        if order.until is not None and order.until.timestamp() <= at:
            return "That time is already over."
        if len(self._record.noise.quieted) >= MAX_QUIETED:
            return f"The box keeps {MAX_QUIETED} such instructions at most; end one of them first."
        return None

    def _changed(self) -> None:
        self._record.noise.set_quieted(self._record.store.quiets.all())
        self._record.arranged = True

    def _close(self, at: float) -> None:
        """Open findings that are now quiet."""
        noise = self._record.noise
        for rule in {item.rule for item in noise.quieted}:
            for stored in self._record.store.findings.of_kind([rule]):
                finding = stored.finding
                quieted = noise.quiet_for(finding.kind, finding.device_id, stored.subject, at)
                if quieted is not None:
                    because = f"An officer said that this is not relevant here: {quieted.reason}"
                    self._record.report_finding(stored, findings.closed(finding, because), at)


def _about(quieted: Quieted) -> tuple[str, str | None, str | None]:
    return quieted.rule, quieted.device_id, quieted.subject
