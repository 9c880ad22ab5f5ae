"""*Lists*: which are in use, how old they are, how often officers found an entry wrong (R30, R31, R33)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from flask import Blueprint, Response

from dashboard.access import May, needs, step_up
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import brief, words
from dashboard.pages.brief import BriefList, BriefLists
from dashboard.pages.contexts_team import ListHome, ListsPage, ListUse, WrongEntry
from dashboard.pages.csv_files import csv_answer
from dashboard.pages.desk import Desk, desk, show, who
from dashboard.store import charge, listed
from dashboard.store.listed import Said, Wrong
from dashboard.store.schema import site

MOST_HOMES = 100
DAY = 86400.0
DAYS = 90
"""Over which hits are counted."""

_PROBLEMS = (
    N_("not renewed for longer than it should"),
    N_("a newer version was not taken"),
    N_("lines left out"),
)

pages = Blueprint("listed", __name__)


@dataclass(slots=True, kw_only=True)
class _Use:
    title: str
    versions: Counter[str] = field(default_factory=Counter)
    published: float | None = None
    problems: Counter[str] = field(default_factory=Counter)
    """How many homes have each of `_PROBLEMS`."""

    def add(self, one: BriefList) -> None:
        self.versions[one.version or ""] += 1
        if one.published is not None:
            at = one.published.timestamp()
            self.published = at if self.published is None else min(at, self.published)
        for there, problem in zip((one.stale, one.problem, one.malformed or one.unsupported), _PROBLEMS, strict=True):
            if there:
                self.problems[problem] += 1


@pages.get("/lists")
@needs(May.SEE_LISTS)
def lists() -> Response:
    """All lists in use."""
    at_desk = desk()
    said, hits, wrong = _stored(at_desk)
    read = [(row, brief.lists(row.status)) for row in said]
    homes = _homes(at_desk, read) if who().role.may(May.SEE) else []
    tests, well = _tests(at_desk, read)
    page = ListsPage(
        lists=_uses(at_desk, read, hits, wrong),
        homes=tuple(homes[:MOST_HOMES]),
        homes_left_out=max(0, len(homes) - MOST_HOMES),
        wrong=tuple(
            WrongEntry(
                list_id=words.plain(row.list_id, 64),
                entry=words.defang(row.entry),
                number=row.number,
                homes=row.homes,
            )
            for row in wrong
        ),
        tests=tests,
        tests_well=well,
        csv="/lists.csv" if who().role.may(May.EXPORT) else "",
    )
    return show("lists", page, title=_("Lists"), action="view-lists", section="lists")


@pages.get("/lists.csv")
@needs(May.EXPORT)
@step_up
def lists_csv() -> Response:
    """What officers said of entries, for whoever answers for a list."""
    _said, _hits, wrong = _stored(desk())
    header = (_("List"), _("Entry"), _("Said to be wrong or not relevant"), _("Households"))
    rows = ((row.list_id, words.defang(row.entry), row.number, row.homes) for row in wrong)
    return csv_answer("lists", header, rows, action="export-lists")


def _stored(at_desk: Desk) -> tuple[tuple[Said, ...], dict[str, tuple[int, int]], tuple[Wrong, ...]]:
    asking, now, tenant = who(), at_desk.now(), at_desk.settings.tenant
    # Who sees no household sees the sums over all of them, and no household.
    sees = charge.sees(asking, now, tenant) if asking.role.may(May.SEE) else site.c.tenant == tenant
    with at_desk.reads.connect() as connection:
        return (
            listed.said(connection, sees),
            listed.hits(connection, sees, since=now - DAYS * DAY),
            listed.wrong(connection, sees),
        )


def _uses(
    at_desk: Desk,
    read: list[tuple[Said, BriefLists | None]],
    hits: dict[str, tuple[int, int]],
    wrong: tuple[Wrong, ...],
) -> tuple[ListUse, ...]:
    uses: dict[str, _Use] = {}
    for _row, status in read:
        for one in status.lists if status and status.lists else ():
            use = uses.get(one.list_id)
            if use is None:
                use = uses[one.list_id] = _Use(title=one.title)
            use.add(one)
    sums = listed.wrong_by_list(wrong)
    now = at_desk.now()
    return tuple(
        ListUse(
            title=words.plain(use.title, 120),
            list_id=words.plain(list_id, 64),
            homes=use.versions.total(),
            versions=tuple(
                _("Version %(version)s: %(number)s", version=words.plain(version, 64), number=number)
                if version
                else _("None in force: %(number)s", number=number)
                for version, number in use.versions.most_common(8)
            ),
            published=at_desk.moment_or_none(use.published),
            age="" if use.published is None else words.duration(now - use.published),
            problems=tuple(
                ngettext("%(num)s household: %(what)s", "%(num)s households: %(what)s", number, what=_(what))
                for what, number in use.problems.items()
            ),
            hits=_hits(*hits.get(list_id, (0, 0))),
            wrong=ngettext("%(num)s time", "%(num)s times", sums[list_id]) if sums.get(list_id) else _("Never"),
        )
        for list_id, use in sorted(uses.items(), key=lambda item: (item[1].title, item[0]))
    )


def _hits(number: int, homes: int) -> str:
    if not number:
        return _("None")
    found = ngettext("%(num)s finding", "%(num)s findings", number)
    return _("%(found)s in %(homes)s", found=found, homes=ngettext("%(num)s household", "%(num)s households", homes))


def _homes(at_desk: Desk, read: list[tuple[Said, BriefLists | None]]) -> list[ListHome]:
    found, now = [], at_desk.now()
    for row, status in read:
        said = []
        for one in status.lists if status and status.lists else ():
            if one.stale:
                said.append(_("%(title)s is too old", title=words.plain(one.title, 120)))
            elif one.version is None:
                said.append(_("%(title)s is not there", title=words.plain(one.title, 120)))
        if status and status.test and status.test.due.timestamp() < now:
            said.append(_("the monthly test was not passed"))
        if said:
            found.append(
                ListHome(
                    household=words.plain(row.title, 120),
                    address=f"/households/{row.site}/box",
                    text=", ".join(said),
                )
            )
    return found


def _tests(at_desk: Desk, read: list[tuple[Said, BriefLists | None]]) -> tuple[str, bool]:
    tests = [status.test for _row, status in read if status and status.test]
    if not tests:
        return _("No box has said how its monthly test went."), True
    now = at_desk.now()
    passed = sum(test.due.timestamp() >= now for test in tests)
    text = _("The monthly test is passed in %(some)s of %(all)s households.", some=passed, all=len(tests))
    latest = max((test.passed_at.timestamp() for test in tests if test.passed_at), default=None)
    if latest is not None:
        text += " " + _("Last passed on %(time)s.", time=words.date_time(latest, at_desk.zone))
    return text, passed == len(tests)
