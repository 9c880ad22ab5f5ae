"""Counts about the box itself, kept without any authority: no device is in them.

In: tap reports, who is connected. Out: `BoxStatus` for the server, `Status` for the command line.
Bounded: `MAX_TAPS` taps.
"""

from __future__ import annotations

from appliance.keeper.authority import Judgement
from appliance.keeper.devices.model import moment
from appliance.keeper.store.database import Store
from appliance.messages import ListState, Status, TapReport
from wire.box import BoxStatus, DetectionTest, Keeping, ListHealth, ProcessHealth, TapHealth

MAX_TAPS = 15
PROCESSES = ("sensor", "warden", "courier", "porch", "resolver")


class Health:
    """What the peers report, and which of them are there."""

    def __init__(self) -> None:
        self._taps: dict[str, TapReport] = {}
        self.peers: set[str] = set()
        self.refused_inbound = 0
        """Messages from the broker that did not open, or were for nobody here."""
        self.handled = 0
        """Messages handled since start."""
        self.overflow = 0
        self.at_limit = 0
        """Devices with as many connections at once as one may have, as the warden last said."""

    def tap(self, report: TapReport) -> None:
        """Keep the latest report of a tap."""
        if report.tap in self._taps or len(self._taps) < MAX_TAPS:
            self._taps[report.tap] = report
        else:
            self.overflow += 1

    @property
    def reports(self) -> tuple[TapReport, ...]:
        """The latest report of each tap."""
        return tuple(self._taps.values())

    def processes(self) -> tuple[ProcessHealth, ...]:
        """Each peer, and whether it is connected."""
        return tuple(ProcessHealth(name=name, connected=name in self.peers) for name in PROCESSES)

    def status(
        self,
        store: Store,
        judgement: Judgement,
        sentence: str,
        *,
        overflow: int,
        at: float,
        lists: tuple[ListHealth, ...] | None = None,
        test: DetectionTest | None = None,
        keeping: Keeping | None = None,
    ) -> BoxStatus:
        """What the server is told, now at `at` (Unix seconds)."""
        return BoxStatus(
            online=True,
            at=moment(at),
            recording=judgement.scope is not None,
            authority=sentence[:300],
            outbox=len(store.outbox),
            processes=self.processes(),
            taps=self.taps(overflow=overflow),
            gaps=store.gaps.latest(),
            lists=lists,
            test=test,
            keeping=keeping,
            at_limit=self.at_limit if "warden" in self.peers else None,
        )

    def answer(
        self,
        store: Store,
        judgement: Judgement,
        sentence: str,
        *,
        devices: int,
        mask_generation: int,
        broker_connected: bool,
        lists: tuple[ListHealth, ...] = (),
        test: DetectionTest | None = None,
    ) -> Status:
        """What an engineer who asks at the box is told: counts only."""
        return Status(
            recording=judgement.scope is not None,
            authority=sentence,
            devices=devices,
            open_findings=store.findings.open_count(),
            outbox=len(store.outbox),
            broker_connected=broker_connected,
            sensor_connected="sensor" in self.peers,
            warden_connected="warden" in self.peers,
            mask_generation=mask_generation,
            taps=self.reports,
            lists=tuple(_state(item) for item in lists),
            test="" if test is None else test.detail,
            test_missed=test is not None and test.passed_at is None,
        )

    def taps(self, *, overflow: int) -> tuple[TapHealth, ...]:
        """Counters of the taps, and of the keeper itself as one more."""
        own = TapHealth(
            name="keeper",
            messages=self.handled,
            octets=0,
            lost=0,
            unparsed=self.refused_inbound,
            overflow=overflow + self.overflow,
        )
        return (
            *(
                TapHealth(
                    name=report.tap,
                    messages=report.messages,
                    octets=report.octets,
                    lost=report.lost,
                    unparsed=report.unparsed,
                    overflow=report.overflow,
                )
                for report in self._taps.values()
            ),
            own,
        )


def _state(item: ListHealth) -> ListState:
    return ListState(
        list_id=item.list_id,
        title=item.title,
        version=item.version,
        entries=item.entries,
        published=None if item.published is None else item.published.timestamp(),
        taken_at=None if item.taken_at is None else item.taken_at.timestamp(),
        stale=item.stale,
        malformed=item.malformed,
        malformed_lines=item.malformed_lines,
        unsupported=item.unsupported,
        problem=item.problem or "",
    )
