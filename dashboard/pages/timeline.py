"""*Timeline* of a household: when devices were there and what was found, beside when the box could not see.

In: a day or a week from the query string. Out: one drawing and a table that says the same. Bounded: `MOST_LANES`
devices are drawn and `MOST_ROWS` lines listed; the rest is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from dashboard.access import May, needs
from dashboard.i18n import N_, _
from dashboard.pages import drawing, sentences, typed, words
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_drawn import Bar, Lane, TimelinePage, TimelineRow
from dashboard.pages.desk import Desk, desk, household_or_404, show
from dashboard.pages.rows import device_name
from dashboard.store import coverage, devices
from dashboard.store import timeline as stored
from dashboard.store.coverage import StoredGap
from dashboard.store.devices import StoredDevice
from dashboard.store.timeline import Mark, Span
from wire.base import Standing
from wire.box import GapCause

pages = Blueprint("timeline", __name__)

MINUTE = 60.0
MOST_LANES = 30
MOST_ROWS = 200
_SPANS = (("day", N_("One day"), 1), ("week", N_("One week"), 7))
_ORDER = (Standing.REGISTERED, Standing.UNKNOWN, Standing.REFUSED)
_CANNOT_SEE = (
    N_("What a device did while it used mobile data or other Wi-Fi: it then shows as not there."),
    N_("Who had a device, and whether it was used: that it was there is all that is drawn."),
    N_("Anything in the times that are marked as could not see."),
)


@pages.get("/households/<site>/timeline")
@needs(May.SEE)
def timeline(site: str) -> Response:
    """One day or one week."""
    at_desk = desk()
    now = at_desk.now()
    length = next((row for row in _SPANS if row[0] == request.args.get("span", "")), _SPANS[0])
    today = datetime.fromtimestamp(now, UTC).astimezone(at_desk.zone).date()
    first = typed.day(request.args.get("from", "").strip()) or today - timedelta(days=length[2] - 1)
    first = min(first, today)
    since = typed.begin(first, at_desk.zone).timestamp()
    until = typed.begin(first + timedelta(days=length[2]), at_desk.zone).timestamp()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        spans = stored.stays_between(connection, site, since, until)
        marks = stored.findings_between(connection, site, since, until)
        gaps = coverage.gaps_between(connection, site, since, until)
        ids = {row.device_id for row in spans} | {row.device_id for row in marks if row.device_id}
        known = devices.devices_named(connection, site, ids)
        begun = coverage.heard_first(connection, site) or since
        bar = household_bar(at_desk, connection, home, "timeline")
    # What a silent box saw since then is not known yet: neither that a device was there nor that it was not.
    heard = coverage.heard_until(home.heard_at, now, well=not bar.trouble)
    end = min(until, heard)
    unknown = [(since, max(begun, stored.known_from(spans))), (heard, until)]
    lanes = _lanes(site, spans, marks, known, since=since, until=until, end=end)
    rows = sorted(
        [*(_stay(at_desk, row, known) for row in spans), *(_gap(at_desk, row) for row in gaps)]
        + [_mark(at_desk, site, row, known) for row in marks],
        key=lambda row: row.at.machine,
        reverse=True,
    )
    blind = coverage.blind(gaps, since, end)
    page = TimelinePage(
        bar=bar,
        spans=tuple(Choice(value=key, text=_(text), hint="", checked=key == length[0]) for key, text, _days in _SPANS),
        first=first.isoformat(),
        says=_says(at_desk, since, until, length[2]),
        before=_link(site, length[0], first - timedelta(days=length[2])),
        after=_link(site, length[0], first + timedelta(days=length[2])) if until <= now else "",
        ticks=drawing.ticks(since, until, at_desk.zone),
        gaps=(
            *drawing.bars(blind, since, until, "gap"),
            *drawing.bars([(start, stop) for start, stop in unknown if start < stop], since, until, "unknown"),
        ),
        lanes=lanes[:MOST_LANES],
        lanes_left_out=max(0, len(lanes) - MOST_LANES),
        rows=tuple(rows[:MOST_ROWS]),
        rows_left_out=max(0, len(rows) - MOST_ROWS),
        cannot_see=tuple(_(item) for item in _CANNOT_SEE),
    )
    return show("timeline", page, title=_("Timeline"), action="view-timeline", subject=site, section="households")


def _lanes(
    site: str,
    spans: tuple[Span, ...],
    marks: tuple[Mark, ...],
    known: Mapping[str, StoredDevice],
    *,
    since: float,
    until: float,
    end: float,
) -> tuple[Lane, ...]:
    there: dict[str, list[tuple[float, float]]] = {}
    found: dict[str, list[Mark]] = {}
    for span in spans:
        # What counts as part of a device is drawn in that device's lane.
        root = known[span.device_id].device_id if span.device_id in known else span.device_id
        there.setdefault(root, []).append((span.started, end if span.ended is None else span.ended))
    for mark in marks:
        row = known.get(mark.device_id or "")
        found.setdefault(row.device_id if row else mark.device_id or "", []).append(mark)
    by_id = {row.device_id: row for row in known.values()}

    def order(device_id: str) -> tuple[int, str, str]:
        row = by_id.get(device_id)
        standing = "" if row is None else row.standing
        return (_ORDER.index(Standing(standing)) if standing in _ORDER else len(_ORDER), standing, device_id)

    lanes = []
    for device_id in sorted(there.keys() | found.keys(), key=order):
        row = by_id.get(device_id)
        drawn: list[Bar] = list(drawing.bars(there.get(device_id, ()), since, until, "there"))
        for mark in found.get(device_id, ()):
            shown = [(at, at) for at in {mark.first_seen, mark.last_seen}]
            drawn += drawing.bars(shown, since, until, words.severity_key(mark.severity))
        lanes.append(
            Lane(
                device=device_name(row, device_id) if device_id else sentences.the_box(),
                address=f"/households/{site}/devices/{device_id}" if row else "",
                standing=words.standing(row.standing) if row else "",
                bars=tuple(drawn),
            )
        )
    return tuple(lanes)


def _stay(at_desk: Desk, row: Span, known: Mapping[str, StoredDevice]) -> TimelineRow:
    lasted = "" if row.ended is None else words.duration(row.ended - row.started)
    if row.asleep_seconds and lasted:
        lasted += ", " + _("of that %(length)s quiet", length=words.duration(row.asleep_seconds))
    return TimelineRow(
        at=at_desk.moment(row.started),
        until=at_desk.moment_or_none(row.ended),
        device=device_name(known.get(row.device_id), row.device_id),
        text=_("Was there") if row.ended is not None else _("There since"),
        detail=lasted,
        address="",
        severity=None,
    )


def _gap(at_desk: Desk, row: StoredGap) -> TimelineRow:
    return TimelineRow(
        at=at_desk.moment(row.started),
        until=at_desk.moment_or_none(row.ended),
        device=sentences.the_box(),
        text=_("Could not see: %(why)s", why=cause(row.cause)),
        detail="" if row.ended is None else words.duration(row.ended - row.started),
        address="",
        severity=None,
    )


def cause(text: str) -> str:
    """Why a box could not see; that of a newer box as it is."""
    return sentences.blind(GapCause(text)) if text in tuple(GapCause) else words.plain(text, 20)


def _mark(at_desk: Desk, site: str, row: Mark, known: Mapping[str, StoredDevice]) -> TimelineRow:
    of = known.get(row.device_id or "")
    return TimelineRow(
        at=at_desk.moment(row.first_seen),
        until=at_desk.moment(row.last_seen) if row.last_seen - row.first_seen >= MINUTE else None,
        device=device_name(of, row.device_id) if row.device_id else sentences.the_box(),
        text=sentences.finding(row.kind, None if of is None else of.standing),
        detail=_("Open") if row.state == "open" else _("Closed"),
        address=f"/households/{site}/findings/{row.finding_id}",
        severity=sentences.mark(row.severity),
    )


def _says(at_desk: Desk, since: float, until: float, number: int) -> str:
    first = words.date(since, at_desk.zone)
    if number == 1:
        return first
    return _("%(first)s to %(last)s", first=first, last=words.date(until - 1, at_desk.zone))


def _link(site: str, span: str, first: date) -> str:
    return f"/households/{site}/timeline?" + urlencode({"span": span, "from": first.isoformat()})
