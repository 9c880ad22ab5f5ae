"""*Coverage*: when the box of a household could see, and when it could not; without it "nothing seen" proves nothing (N4).

In: the gaps that the box told of. Out: shares, a strip and a table. A time in which nothing was heard of the box is not
counted either way: a box tells later what it could see meanwhile.
"""

from __future__ import annotations

from flask import Blueprint, Response

from dashboard.access import May, needs
from dashboard.i18n import N_, _
from dashboard.pages import drawing, sentences, words
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_drawn import CoveragePage, GapRow
from dashboard.pages.desk import desk, household_or_404, show
from dashboard.pages.timeline import cause
from dashboard.store import coverage as stored

pages = Blueprint("coverage", __name__)

DAY = 86400.0
LONGEST = 30
MOST_ROWS = 100
_WHO_ELSE = (
    N_("Pictures, words typed, searches and messages: only software on the device itself, or the device in hand."),
    N_("What is stored on discs, sticks and cards: an examination of the device."),
    N_("Use away from home: the device's own mobile contract, or the places it was at."),
    N_("Which person used a device: ask."),
)


@pages.get("/households/<site>/coverage")
@needs(May.SEE)
def coverage(site: str) -> Response:
    """The last thirty days."""
    at_desk = desk()
    now = at_desk.now()
    since = now - LONGEST * DAY
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        gaps = stored.gaps_between(connection, site, since, now)
        first = stored.heard_first(connection, site)
        bar = household_bar(at_desk, connection, home, "coverage")
    # What it saw since it was last heard of is not known yet.
    end = stored.heard_until(home.heard_at, now, well=not bar.trouble)
    # Of a time whose gaps are too many to read all, no share is told.
    begun = max(since, first, stored.known_from(gaps)) if first is not None else end
    parts = [*drawing.bars(stored.blind(gaps, since, end), since, now, "gap")]
    if begun > since:
        parts += drawing.bars([(since, begun)], since, now, "unknown")
    if end < now:
        parts += drawing.bars([(end, now)], since, now, "unknown")
    page = CoveragePage(
        bar=bar,
        shares=tuple(_share(gaps, days, begun=begun, end=end, now=now) for days in (7, LONGEST)),
        ticks=drawing.ticks(since, now, at_desk.zone),
        strip=tuple(parts),
        gaps=tuple(
            GapRow(
                started=at_desk.moment(row.started),
                ended=at_desk.moment_or_none(row.ended),
                lasted=words.duration((row.ended or now) - row.started),
                why=cause(row.cause),
            )
            for row in gaps[:MOST_ROWS]
        ),
        gaps_left_out=len(gaps) > MOST_ROWS,
        unheard=words.date_time(end, at_desk.zone) if end < now else "",
        cannot_see=sentences.cannot_see(),
        who_else=tuple(_(item) for item in _WHO_ELSE),
    )
    return show("coverage", page, title=_("Coverage"), action="view-coverage", subject=site, section="households")


def _share(gaps: tuple[stored.StoredGap, ...], days: int, *, begun: float, end: float, now: float) -> Fact:
    since = max(begun, now - days * DAY)
    key = _("Last %(days)s days", days=days)
    if end <= since:
        return Fact(key=key, value=_("Not known"))
    # Rounded down: all of it is said only where it is so.
    share = int(stored.share_seen(gaps, since, end) * 1000 + 1e-6) / 10
    seen = words.duration((end - since) * stored.share_seen(gaps, since, end))
    return Fact(
        key=key,
        value=_(
            "It could see for %(share)s%% of %(length)s: %(seen)s",
            share=f"{share:g}",
            length=words.duration(end - since),
            seen=seen,
        ),
    )
