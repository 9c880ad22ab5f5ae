"""*Activity*: how long registered devices were there, nights, long stays, against their own baseline (S4).

In: stays of registered devices and what the box said it could name. Out: a page that prints. Only where the order in
force allows a pattern of use, which is the clause on how much a device sends and receives; no name of anything that was
looked up is read here. A box does not send this service how much was sent and received: what is shown is how long a
device was on the home's internet, and the page says so. Bounded: `MOST_DEVICES` devices, `WEEKS` weeks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from flask import Blueprint, Response

from dashboard.access import May, needs
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import drawing, sentences, typed, words
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts_drawn import ActivityDevice, ActivityPage, Bar, WeekRow
from dashboard.pages.desk import Desk, desk, household_or_404, show
from dashboard.pages.rows import device_name
from dashboard.store import cases, coverage, devices, timeline
from dashboard.store.cases import OrderDates
from dashboard.store.coverage import StoredGap
from dashboard.store.devices import StoredDevice, Wanted
from dashboard.store.visibility import Named, named_days
from wire.authority import CollectClause, DataClass
from wire.base import Standing

pages = Blueprint("activity", __name__)

DAY = 86400.0
WEEKS = 8
MOST_DEVICES = 10
LONG_HOURS = 6
NIGHT = (0, 5)
"""Hours between which it is night there."""
_CHANGED = 0.5
"""A change by less than half is said to be about the same."""
_SEEN = 0.9
"""Share of four weeks that the box must have seen for them to be compared."""
_CANNOT_SEE = (
    N_("What a device was used for, and whether it was used at all: only how long it was on this home's internet."),
    N_("How much it sent and received: the box keeps that to itself and reports a change as a finding."),
    N_("Use on mobile data, other Wi-Fi, or without the internet."),
    N_("Devices of other people: nothing of them is counted here."),
)


@pages.get("/households/<site>/activity")
@needs(May.SEE)
def activity(site: str) -> Response:
    """Eight weeks."""
    at_desk = desk()
    now = at_desk.now()
    today = datetime.fromtimestamp(now, UTC).astimezone(at_desk.zone).date()
    starts = [
        typed.begin(today - timedelta(days=7 * back - 1), at_desk.zone).timestamp() for back in range(WEEKS, 0, -1)
    ]
    edges = [*starts, now]
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        order = cases.order_of(connection, site, now)
        clause = _clause(order, now)
        bar = household_bar(at_desk, connection, home, "activity")
        marks = timeline.findings_between(connection, site, edges[0], now)
        ids: dict[str, str] = {}
        rows: tuple[StoredDevice, ...] = ()
        spans: tuple[timeline.Span, ...] = ()
        named: Mapping[str, Sequence[Named]] = {}
        gaps: tuple[StoredGap, ...] = ()
        first: float | None = None
        if clause:
            wanted = Wanted(standing=Standing.REGISTERED)
            rows, _number = devices.devices_like(connection, site, wanted, offset=0, limit=MOST_DEVICES)
            ids = devices.parts_of_all(connection, site, [row.device_id for row in rows])
            spans = timeline.stays_between(connection, site, edges[0], now, ids.keys())
            named = named_days(connection, site, {row.device_id for row in rows}, edges[0])
            gaps = coverage.gaps_between(connection, site, edges[0], now)
            first = coverage.heard_first(connection, site)
    # What is too much to read all is not told in part: fewer hours would look like less use.
    whole = max(timeline.known_from(spans), coverage.known_from(gaps))
    # A silent box tells later how long it was there since: until then it is a time that was not seen.
    heard = coverage.heard_until(home.heard_at, now, well=not bar.trouble)
    if heard < now:
        gaps = (*gaps, StoredGap(started=heard, ended=None, cause=""))
    stays: dict[str, list[tuple[float, float]]] = {}
    for span in spans:
        stays.setdefault(ids[span.device_id], []).append((span.started, heard if span.ended is None else span.ended))
    page = ActivityPage(
        bar=bar,
        allowed=bool(clause),
        rests_on=_rests_on(order, clause),
        night=_("midnight to 5 in the morning"),
        devices=tuple(
            _device(
                at_desk,
                site,
                row,
                # Stays of addresses that are one device overlap where it moves from one to the other.
                _joined(stays.get(row.device_id, ())),
                named.get(row.device_id, ()),
                gaps,
                edges,
                begun=max(edges[0], row.first_seen, first or now, whole),
                whole=whole,
            )
            for row in rows
        ),
        trends=tuple(
            (
                sentences.finding(row.kind, None),
                f"/households/{site}/findings/{row.finding_id}",
                at_desk.moment(row.last_seen),
            )
            for row in marks
            if row.kind == "trend"
        ),
        made=at_desk.moment(now),
        cannot_see=tuple(_(item) for item in _CANNOT_SEE),
    )
    return show("activity", page, title=_("Activity"), action="view-activity", subject=site, section="households")


def _clause(order: OrderDates | None, now: float) -> str:
    """Number of the clause that allows a pattern of use of registered devices; empty for none in force."""
    if order is None or not order.starts <= now < order.ends:
        return ""
    for clause in order.document.clauses:
        if (
            isinstance(clause, CollectClause)
            and Standing.REGISTERED in clause.standings
            and DataClass.VOLUMES in clause.classes
        ):
            return clause.number
    return ""


def _rests_on(order: OrderDates | None, clause: str) -> str:
    if clause and order is not None:
        reference = words.plain(order.reference, 80)
        return _("Clause %(clause)s of %(order)s allows it.", clause=words.plain(clause, 20), order=reference)
    if order is None:
        return _("No order that was put in force from here allows a pattern of use, so none is made.")
    return _("The order in force does not allow a pattern of use, so none is made.")


def _joined(spans: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    joined: list[tuple[float, float]] = []
    for started, ended in sorted(spans):
        if joined and started <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ended))
        else:
            joined.append((started, ended))
    return tuple(joined)


def inside(spans: Iterable[tuple[float, float]], since: float, until: float) -> float:
    """Seconds of spans, which do not overlap, that lie within a time."""
    return sum(max(0.0, min(ended, until) - max(started, since)) for started, ended in spans)


def _nights(at_desk: Desk, spans: Sequence[tuple[float, float]], since: float, until: float) -> float:
    whole = 0.0
    for day in drawing.days(since, until, at_desk.zone):
        begin = typed.begin(day, at_desk.zone).timestamp()
        starts, ends = begin + NIGHT[0] * 3600, begin + NIGHT[1] * 3600
        whole += inside(spans, max(since, starts), min(until, ends))
    return whole


def _device(  # noqa: PLR0917 - what one device's part of the page is made of
    at_desk: Desk,
    site: str,
    row: StoredDevice,
    spans: tuple[tuple[float, float], ...],
    named: Sequence[Named],
    gaps: tuple[StoredGap, ...],
    edges: list[float],
    *,
    begun: float,
    whole: float,
) -> ActivityDevice:
    now = edges[-1]
    weeks = [
        _week(at_desk, spans, named, gaps, since, until)
        for since, until in pairwise(edges)
        if until > begun and since >= whole
    ]
    shown = drawing.days(edges[WEEKS - 4], now, at_desk.zone)
    width = round(drawing.WIDTH / max(1, len(shown)), 1)
    drawn = []
    for number, day in enumerate(shown):
        since = typed.begin(day, at_desk.zone).timestamp()
        hours = inside(spans, since, min(now, since + DAY)) / 3600
        drawn.append(Bar(x=round(number * width, 1), width=width, kind=f"{min(100.0, hours / 24 * 100):.0f}"))
    return ActivityDevice(
        device=device_name(row, row.device_id),
        address=f"/households/{site}/devices/{row.device_id}",
        change=_change(spans, gaps, edges, begun),
        days=tuple(drawn),
        weeks=tuple(reversed(weeks)),
    )


def _week(  # noqa: PLR0917 - what a line is made of
    at_desk: Desk,
    spans: tuple[tuple[float, float], ...],
    named: Sequence[Named],
    gaps: tuple[StoredGap, ...],
    since: float,
    until: float,
) -> WeekRow:
    # A stay counts in the week that it began in.
    lengths = [ended - started for started, ended in spans if since <= started < until]
    long = [length for length in lengths if length >= LONG_HOURS * 3600]
    days = [row for row in named if since <= row.at < until]
    connections = sum(row.connections for row in days)
    share = sum(row.share * row.connections for row in days) / connections if connections else None
    text = ngettext("%(num)s long stay", "%(num)s long stays", len(long)) if long else _("None")
    if long:
        text = _("%(number)s, the longest %(length)s", number=text, length=words.duration(max(long)))
    return WeekRow(
        week=words.date(since, at_desk.zone),
        hours=_hours(inside(spans, since, until)),
        nights=_hours(_nights(at_desk, spans, since, until)),
        long=str(text),
        named="" if share is None else f"{int(share * 100 + 1e-9)}%",
        seen=f"{int(coverage.share_seen(gaps, since, until) * 100 + 1e-9)}%",
    )


def _hours(seconds: float) -> str:
    number = round(seconds / 3600)
    return str(ngettext("%(num)s hour", "%(num)s hours", number))


def _change(
    spans: tuple[tuple[float, float], ...], gaps: tuple[StoredGap, ...], edges: list[float], begun: float
) -> str:
    half = edges[WEEKS - 4]
    if begun > edges[1]:
        return _("There is no baseline yet: it has not been known for eight weeks.")
    if min(coverage.share_seen(gaps, edges[0], half), coverage.share_seen(gaps, half, edges[-1])) < _SEEN:
        return _("These weeks cannot be compared: the box could not see for too long.")
    before = inside(spans, edges[0], half) / ((half - edges[0]) / DAY) / 3600
    after = inside(spans, half, edges[-1]) / ((edges[-1] - half) / DAY) / 3600
    figures = {"after": f"{after:.1f}", "before": f"{before:.1f}"}
    if abs(after - before) <= _CHANGED * max(before, 1.0):
        return _(
            "About the same as before: %(after)s hours a day in these four weeks, %(before)s in the four before.",
            **figures,
        )
    if after > before:
        return _(
            "More than before: %(after)s hours a day in these four weeks, %(before)s in the four before.", **figures
        )
    return _("Less than before: %(after)s hours a day in these four weeks, %(before)s in the four before.", **figures)
