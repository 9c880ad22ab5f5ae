"""*Today* and *Households*: where an officer with many households sees the few that need a decision."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response

from dashboard.pages import sentences, words
from dashboard.pages.contexts import BoxRow, Card, HouseholdRow, HouseholdsPage, TodayPage
from dashboard.pages.desk import Desk, desk, show
from dashboard.pages.rows import device_name
from dashboard.store import queries
from dashboard.store.queries import Household, OpenFinding

MOST_CARDS = 100
_NAMED = 3
"""Devices a card names; the rest is a number."""

pages = Blueprint("today", __name__)


@pages.get("/")
def today() -> Response:
    """What needs a decision."""
    at_desk = desk()
    page = build_today(at_desk, *_stored(at_desk))
    return show("today", page, title="Today", action="view-today", section="today", live=True)


@pages.get("/households")
def households() -> Response:
    """All households."""
    at_desk = desk()
    page = build_households(at_desk, *_stored(at_desk))
    return show("households", page, title="Households", action="view-households", section="households", live=True)


def _stored(
    at_desk: Desk,
) -> tuple[Sequence[Household], int, Sequence[OpenFinding], Sequence[tuple[str, str, int]]]:
    """Households and how many there are; open findings, worst and oldest first, and how many of each cause."""
    tenant = at_desk.settings.tenant
    with at_desk.reads.connect() as connection:
        return (
            queries.households(connection, tenant),
            queries.count_households(connection, tenant),
            queries.open_findings(connection, tenant),
            queries.count_causes(connection, tenant),
        )


def build_today(
    at_desk: Desk,
    sites: Sequence[Household],
    total: int,
    findings: Sequence[OpenFinding],
    causes: Sequence[tuple[str, str, int]],
) -> TodayPage:
    """The context of *Today*; `findings` come worst and oldest first, `causes` count all that are open."""
    now = at_desk.now()
    titles = {site.site: site.title for site in sites}
    counts = {(site, kind): number for site, kind, number in causes}
    groups: dict[tuple[str, str], list[OpenFinding]] = {}
    for found in findings:
        groups.setdefault((found.site, found.kind), []).append(found)
    cards = [
        _card(at_desk, titles.get(site, site), group, counts.get((site, kind), len(group)))
        for (site, kind), group in groups.items()
    ]
    boxes = tuple(row for site in sites if (row := _box_row(at_desk, site, now)) is not None)
    deciding = len({site for site, _, _ in causes})
    troubled = {row.household_address for row in boxes} | {f"/households/{site}" for site, _, _ in causes}
    return TodayPage(
        summary=_summary(deciding, total, len(boxes)),
        cards=tuple(cards[:MOST_CARDS]),
        left_out=max(0, len(counts) - min(len(cards), MOST_CARDS)),
        boxes=boxes,
        quiet=max(0, total - len(troubled)),
    )


def build_households(
    at_desk: Desk,
    sites: Sequence[Household],
    total: int,
    findings: Sequence[OpenFinding],
    causes: Sequence[tuple[str, str, int]],
) -> HouseholdsPage:
    """The context of *Households*: those with something to decide first."""
    now = at_desk.now()
    worst: dict[str, str] = {}
    for found in findings:
        worst.setdefault(found.site, found.severity)
    numbers: dict[str, int] = {}
    for place, _, number in causes:
        numbers[place] = numbers.get(place, 0) + number
    rows = []
    for site in sorted(sites, key=lambda one: words.severity_rank(worst[one.site]) if one.site in worst else 99):
        problem = sentences.problem(site.heard_at, sentences.status(site.status), now)
        rows.append(
            HouseholdRow(
                household=words.plain(site.title, 120),
                address=f"/households/{site.site}",
                worst=sentences.mark(worst[site.site]) if site.site in worst else None,
                decisions=words.count(numbers[site.site], "finding", "findings") if site.site in numbers else "",
                box=problem,
                heard=at_desk.moment_or_none(site.heard_at) if problem else None,
            )
        )
    return HouseholdsPage(households=tuple(rows), left_out=max(0, total - len(rows)))


def _card(at_desk: Desk, title: str, group: list[OpenFinding], number: int) -> Card:
    first = group[0]
    names = list(dict.fromkeys(device_name(row.device, row.device_id) for row in group))
    detail = "; ".join(names[:_NAMED])
    if len(names) > _NAMED:
        detail += f"; and {len(names) - _NAMED} more"
    one = number == 1
    return Card(
        severity=sentences.mark(first.severity),
        household=words.plain(title, 120),
        household_address=f"/households/{first.site}",
        sentence=sentences.finding(first.kind, first.device.standing if first.device else None, number),
        detail=detail,
        since=at_desk.moment(min(row.raised_at for row in group)),
        last=at_desk.moment(max(row.last_seen for row in group)) if sentences.stays(first.kind) else None,
        address=f"/households/{first.site}" + (f"/findings/{first.finding_id}" if one else "#findings"),
        action=sentences.action(first.kind) if one else f"Look at all {number:,}",
    )


def _box_row(at_desk: Desk, site: Household, now: float) -> BoxRow | None:
    problem = sentences.problem(site.heard_at, sentences.status(site.status), now)
    if not problem:
        return None
    return BoxRow(
        household=words.plain(site.title, 120),
        household_address=f"/households/{site.site}",
        problem=problem,
        heard=at_desk.moment_or_none(site.heard_at),
    )


def _summary(deciding: int, total: int, boxes: int) -> str:
    if not total:
        return "No household is set up yet."
    verb = "needs" if deciding == 1 else "need"
    text = f"{deciding:,} of {words.count(total, 'household', 'households')} {verb} a decision."
    if not deciding:
        text = f"Nothing needs a decision in {words.count(total, 'household', 'households')}."
    if boxes:
        text += f" {words.count(boxes, 'box needs', 'boxes need')} attention."
    return text
