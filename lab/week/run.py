"""The week lived through: a `Week` in, a `Score` out. An officer visits, registers and answers.

The story's frames go through the real sensor and the real keeper (`box`). The officer looks at the
list at `VISITS`, gives every device that is new to her its standing, and knows the truth because the
household tells her. She confirms the first right proposal about each device and answers no other, so
that the score shows what the box does by itself from then on, and every wrong one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from lab.week.box import Box
from lab.week.cast import HOUSEHOLD_KEY, Member
from lab.week.plot import DAY, HOUR, Week
from lab.week.score import Score, score
from lab.week.speech import ROUTER_MAC, Spoken
from wire.base import Standing
from wire.orders import AnswerProposal, BindPassphrase, SetStanding

VISITS = (0.0 * 24 + 18.5, 1 * 24 + 19.0, 2 * 24 + 19.0)
"""Hours from the beginning."""
LOOKS_EVERY = 3600.0
"""Seconds between looks at the proposals."""


_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the run's database, in memory where there is such a place: a week is ten thousand commits."""
    with tempfile.TemporaryDirectory(prefix="week-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None) as folder:
        yield Path(folder)


@dataclass(slots=True)
class Officer:
    """What the officer has done so far."""

    box: Box
    week: Week
    registered: set[str] = field(default_factory=set)
    """True devices that have a standing."""
    confirmed: set[str] = field(default_factory=set)
    """True devices of which a proposal was confirmed."""

    def bind(self) -> None:
        """Tell the box what the passphrases are for."""
        self.box.order(BindPassphrase(key_id=HOUSEHOLD_KEY, purpose="household"))
        for member in self.week.cast.member:
            if member.key_until_day is not None:
                until = _utc(self.week.starts + member.key_until_day * DAY)
                self.box.order(BindPassphrase(key_id=member.key, purpose="guest", until=until))

    def visit(self) -> None:
        """Give every device that is on the list and new its standing."""
        for device in sorted(self.box.devices.values(), key=lambda device: device.first_seen):
            member = self._member(device.device_id)
            new = member is not None and member.name not in self.registered
            if member is None or not new or device.standing is not Standing.UNKNOWN or device.merged_into:
                continue
            if member.standing is Standing.UNKNOWN:
                continue  # nobody tells her whose it is
            days = member.key_until_day
            until = _utc(self.week.starts + days * DAY) if member.standing is Standing.GUEST and days else None
            self.box.order(
                SetStanding(device_id=device.device_id, standing=member.standing, label=member.name, guest_until=until)
            )
            self.registered.add(member.name)

    def answer(self) -> None:
        """Confirm the first right proposal about each device."""
        for proposal in list(self.box.proposals.values()):
            mine, other = self._member(proposal.device_id), self._member(proposal.other_id)
            if proposal.state != "open" or mine is None or mine is not other or mine.name in self.confirmed:
                continue
            self.box.order(AnswerProposal(proposal_id=proposal.proposal_id, confirm=True))
            self.confirmed.add(mine.name)

    def _member(self, device_id: str) -> Member | None:
        names = {self.week.truth.get(mac) for mac in self.box.known_by.get(device_id, ())}
        return next((member for member in self.week.cast.member if member.name in names), None)


def live(week: Week, folder: Path, *, watch: Callable[[float], None] = lambda _ts: None) -> tuple[Score, Box]:
    """Play the week to a box whose database lies in `folder`; its score, and the box, which the caller closes.

    `watch` is told the time of each day that has passed.
    """
    box = Box(folder, starts=week.starts, ends=week.ends, router=ROUTER_MAC)
    officer = Officer(box, week)
    plans = sorted(
        [
            *((week.starts + hours * HOUR, officer.visit) for hours in VISITS),
            *((week.starts + day * DAY, lambda: watch(box.now)) for day in range(1, week.cast.days + 1)),
            *_looks(week, officer),
            *([(week.starts + 60.0, officer.bind)] if week.passphrases else []),
        ],
        key=lambda plan: plan[0],
    )
    for happening in week.happenings():
        while plans and plans[0][0] <= happening.ts:
            moment, act = plans.pop(0)
            box.wait(moment)
            act()
        if isinstance(happening, Spoken):
            box.frame(happening.ts, happening.data)
        else:
            box.event(happening)
    box.wait(week.ends + 60)
    return score(
        devices=box.devices,
        known_by=box.known_by,
        findings=box.findings,
        proposals=box.proposals,
        first=box.first_proposed,
        truth=week.truth,
    ), box


def _looks(week: Week, officer: Officer) -> list[tuple[float, Callable[[], None]]]:
    count = int((week.ends - week.starts) / LOOKS_EVERY)
    return [(week.starts + number * LOOKS_EVERY + 1, officer.answer) for number in range(1, count)]


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
