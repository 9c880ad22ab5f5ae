"""The weeks of a household lived through by a box under a full order, and its findings as text.

`Days` in, a `Box` and a `Review` out: what an officer would read, in order, and how much of it in a day.
The order is the widest that there is: signs of every standing may be kept, lists are in force for the registered.
An item to review is a finding above "for information", or several with one cause; what becomes one is counted
on the day on which it does.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from appliance.keeper.lists.match import ADULT, EXCLUDED, Loaded, load
from appliance.messages import TalksCounted
from lab.week.box import Box, Told
from lab.week.days import Days, Power, Upstream
from lab.week.plot import DAY, HOUR
from lab.week.run import VISITS, Officer
from lab.week.speech import ROUTER_MAC, Spoken
from lab.week.terms import Terms
from wire.authority import CollectClause, DataClass, ListsClause, RegisterClause
from wire.base import Standing
from wire.findings import Finding, Severity

CHANCE, GROWN_UP, KEPT_OUT = "games-of-chance", "grown-up", "kept-out"
WIDTH = 110
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def lists() -> tuple[Loaded, ...]:
    """Three small lists of made-up names: one to be found, one as a trend only, one never to be kept."""
    return (
        load(b"chance.example\nlottery.invalid\n", id_=CHANCE, version="1", title="Games of chance", severity=Severity.TODAY),
        load(
            b"grown-up.example\n", id_=GROWN_UP, version="1", title="For adults", severity=Severity.INFORMATION,
            category=ADULT,
        ),
        load(
            b"help-line.example\nsolicitor.example\n", id_=KEPT_OUT, version="1", title="Never kept",
            severity=Severity.INFORMATION, category=EXCLUDED,
        ),
    )  # fmt: skip


def terms() -> Terms:
    """The order."""
    everybody, registered = tuple(Standing), (Standing.REGISTERED,)
    return Terms(
        clauses=(
            CollectClause(
                number="1",
                standings=everybody,
                classes=(DataClass.PRESENCE, DataClass.FINGERPRINT, DataClass.SIGNS, DataClass.VOLUMES),
            ),
            RegisterClause(number="2"),
            CollectClause(number="3", standings=registered, classes=(DataClass.LIST_HITS, DataClass.FULL_NAMES)),
            ListsClause(number="4", standings=registered, lists=(CHANCE, GROWN_UP)),
        ),
        lists=lists(),
        watched=True,
        ticks=(3.0,),
        gather=2.0,
    )


def live(days: Days, folder: Path) -> Box:
    """Play the weeks to a box whose database lies in `folder`; the caller closes it."""
    box = Box(folder, starts=days.starts, ends=days.ends, router=ROUTER_MAC, terms=terms())
    officer = Officer(box, days)
    plans = [(days.starts + 60.0, officer.bind), *((days.starts + hours * HOUR, officer.visit) for hours in VISITS)]
    for happening in days.story():
        while plans and plans[0][0] <= happening.ts:
            moment, act = plans.pop(0)
            box.wait(moment)
            act()
        match happening:
            case Spoken(ts=ts, data=data):
                box.frame(ts, data)
            case Upstream(ts=ts, data=data):
                box.upstream(ts, data)
            case TalksCounted():
                box.counted(happening)
            case Power(ts=ts, on=True):
                box.regain_power(ts)
            case Power(ts=ts):
                box.lose_power(ts)
            case _:
                box.event(happening)
    box.wait(days.ends + 60)
    return box


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What an officer was told."""

    days: Days
    box: Box

    def in_the_week(self) -> list[Told]:
        """Of the days of the story."""
        return [told for told in self.box.told if told.at >= self.days.told_from]

    def items(self) -> list[set[str]]:
        """By day of the story, the causes of which anything became an item to review."""
        found: list[set[str]] = [set() for _ in range(self.days.cast.days - self.days.household.before)]
        for told in self.in_the_week():
            day = int((told.at - self.days.told_from) // DAY)
            if _becomes_item(told) and day < len(found):
                found[day].add(told.finding.cause or told.finding.finding_id)
        return found

    def median(self) -> float:
        """Items to review in a day."""
        return median(len(day) for day in self.items())

    def act_now(self) -> int:
        """Findings of the story that interrupt."""
        return sum(_severity(told) is Severity.ACT_NOW for told in self.in_the_week() if told.before is None)

    def who(self, finding: Finding) -> str:
        """The true device of a finding, or the box."""
        if finding.device_id is None:
            return "the box"
        macs = self.box.known_by.get(finding.device_id, ())
        return next((self.days.truth[mac] for mac in macs if mac in self.days.truth), finding.device_id)

    def text(self) -> str:
        """All of it, as it is kept as a baseline."""
        return "".join(f"{line}\n" for line in self.lines())

    def lines(self) -> Iterator[str]:
        """All of it, line by line."""
        yield f"{self.days.cast.title}; seed {self.days.seed}"
        yield ""
        yield "Before the week, while the household is registered and what is usual is learnt:"
        yield from self._told([told for told in self.box.told if told.at < self.days.told_from])
        yield ""
        yield "The week:"
        yield from self._told(self.in_the_week())
        yield ""
        yield "In the end:"
        for finding in sorted(self.box.findings.values(), key=lambda one: (one.raised_at, one.finding_id)):
            if finding.last_seen.timestamp() >= self.days.told_from:
                yield from self._whole(finding)
        yield ""
        items = self.items()
        yield f"items to review, by day   {' '.join(str(len(day)) for day in items)}"
        yield f"median of a day           {self.median():g}"
        yield f"act now                   {self.act_now()}"
        new = [told for told in self.in_the_week() if told.before is None]
        yield f"findings of the week      {len(new)}, of them {sum(map(_becomes_item, new))} above information when new"

    def _told(self, every: list[Told]) -> Iterator[str]:
        for told in every:
            yield _row(told, self.who(told.finding), day=int((told.at - self.days.told_from) // DAY))

    def _whole(self, finding: Finding) -> Iterator[str]:
        """A finding as it stands in the end, with its reasons and what else could explain it."""
        state = "" if finding.state == "open" else f", closed: {finding.closed_because}"
        grade = "" if finding.grade is None else f", {finding.grade}"
        seen = f"{_moment(finding.first_seen)} to {_moment(finding.last_seen)}, {_times(finding.count)}"
        yield f"  {finding.kind} of {self.who(finding)} ({finding.severity}{grade}; {seen}{state})"
        for mark, texts in (("-", finding.reasons), ("?", finding.alternatives)):
            for text in texts:
                yield from textwrap.wrap(text, WIDTH, initial_indent=f"    {mark} ", subsequent_indent="      ")


def _row(told: Told, who: str, *, day: int) -> str:
    finding = told.finding
    at = datetime.fromtimestamp(told.at, UTC)
    number = f"day {day + 1}" if day >= 0 else f"{at:%d %b}"
    when = f"{number:>6} {_DAYS[at.weekday()]} {at:%H:%M}"
    change = "new" if told.before is None else "closed" if finding.state == "closed" else "graded"
    grade = finding.grade or "-"
    said = finding.closed_because if change == "closed" else (finding.reasons or ("",))[0]
    head = f"{when}  {change:<6} {finding.severity:<11} {grade:<6} {finding.kind:<19} {who:<14}"
    return f"{head} {said}"


def _severity(told: Told) -> Severity:
    return told.finding.severity


def _becomes_item(told: Told) -> bool:
    """Whether a finding becomes an item to review by this, or a more urgent one."""
    order = (Severity.INFORMATION, Severity.THIS_WEEK, Severity.TODAY, Severity.ACT_NOW)
    before = 0 if told.before is None else order.index(told.before.severity)
    return told.finding.state == "open" and order.index(told.finding.severity) > before


def _moment(moment: datetime) -> str:
    return f"{_DAYS[moment.weekday()]} {moment:%d %b %H:%M}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
