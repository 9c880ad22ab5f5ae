"""What the router's rules did not let the box hear, counted, recorded, and told when it is much (N4).

In: counters of the rules, since they were loaded. Out: a gap record of the ledger for what was added since the last
time, and one finding while it is more than an everyday burst. The counters are about the network, not about devices.
Bounded: `MAX_COUNTERS` of them; their last values are kept in `meta`, so that a restart counts nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from appliance.keeper.authority import Scope, when
from appliance.keeper.household.record import Record
from appliance.keeper.household.signs import Signs
from appliance.keeper.signs.model import Sign
from wire.findings import FindingKind, Grade
from wire.ledger import RecordKind

MAX_COUNTERS = 64
MANY = 2000
"""Packets between two readings, which are a minute apart; a home in which everything is switched on at once makes some hundred."""
CALM_SECONDS = 3600.0
SUBJECT = "rules"
_LAST = "unheard"

_WHAT = {
    "over_questions": "questions for names, which were not answered either",
    "over_connections": "connections, which were refused to a device that had or opened too many at once",
    "connections_overflow": "connections of devices for which there was no count of their own left",
    "over_arp": "announcements of addresses (ARP)",
    "over_nd": "announcements of addresses (IPv6)",
    "over_dhcp4": "requests for addresses",
    "over_dhcp6": "requests for addresses (IPv6)",
    "over_mdns": "announcements of services (mDNS)",
    "over_ssdp": "announcements of services (SSDP)",
    "over_llmnr": "questions for names at home (LLMNR)",
    "over_nbns": "questions for names at home (NetBIOS)",
    "volume_overflow": "packets whose amounts were not counted by device",
    "talks_overflow": "packets whose amounts were not counted by connection",
}


class Unheard:
    """Compares each reading with the one before."""

    def __init__(self, record: Record, signs: Signs) -> None:
        self._record = record
        self._signs = signs
        self._last: dict[str, int] = json.loads(record.store.get(_LAST) or "{}")
        self._calm_from: float | None = None
        self._looked = False
        self.overflow = 0
        """Counters that found no room, since start."""

    def counted(self, packets: Mapping[str, int], *, scope: Scope | None, at: float) -> None:
        """A reading of the counters."""
        kept = dict(sorted(packets.items())[:MAX_COUNTERS])
        self.overflow += len(packets) - len(kept)
        # A counter that is lower than it was began anew with the rules.
        fresh = {
            name: count - (last if (last := self._last.get(name, 0)) <= count else 0) for name, count in kept.items()
        }
        fresh = {name: count for name, count in fresh.items() if count}
        if kept != self._last:
            self._last = kept
            self._record.store.set(_LAST, json.dumps(kept))
        if not fresh:
            return
        plain = {"cause": "rate", "packets": fresh}
        self._record.store.ledger.note(RecordKind.GAP, plain)
        if sum(fresh.values()) >= MANY:
            self._calm_from = at + CALM_SECONDS
            self._signs.tell_box(_sign(fresh, at), scope=scope, at=at)

    def tick(self, at: float) -> None:
        """Close the finding when it was calm for an hour; also one of before this process started."""
        if not self._looked:
            self._looked = True
            self._calm_from = self._calm_from or at + CALM_SECONDS
        if self._calm_from is not None and at >= self._calm_from:
            self._calm_from = None
            because = "No more than usual went unheard for an hour."
            self._signs.end(None, FindingKind.RECORDS_DROPPED, SUBJECT, because, at)


def _sign(fresh: Mapping[str, int], at: float) -> Sign:
    most = sorted(fresh.items(), key=lambda item: (-item[1], item[0]))
    told = tuple(f"Up to {when(at)}: {count} {_WHAT.get(name, f'packets ({name})')}." for name, count in most[:8])
    return Sign(
        kind=FindingKind.RECORDS_DROPPED,
        device_id=None,
        subject=SUBJECT,
        grade=Grade.MEDIUM,
        confidence=1.0,
        reasons=(
            "More was said in the home's network than the box listens to. It counted what it did not hear.",
            *told,
        ),
        alternatives=("A faulty device.", "Somebody may want the box to overhear something in the noise."),
        cause="unheard",
        since=at,
        ts=at,
    )
