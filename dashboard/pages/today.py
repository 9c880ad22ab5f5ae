"""*Today* and *Households*: where an officer with many households sees the few that need a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response

from dashboard.pages import sentences, words
from dashboard.pages.contexts import BoxRow, Card, HouseholdRow, HouseholdsPage, TodayPage
from dashboard.pages.desk import Desk, desk, show
from dashboard.pages.rows import device_name
from dashboard.store import devices, queries
from dashboard.store.devices import Question, StoredDevice
from dashboard.store.queries import Household, OpenFinding
from wire.findings import FindingKind, Severity

MOST_CARDS = 100
LEAST = 0.5
"""Probability from which a proposal that no finding leads to is shown here; the household's page shows all."""
_NAMED = 3
"""Devices a card names; the rest is a number."""
_AFTER_FINDINGS, _LAST = 90, 99
_LEADS = tuple(kind for kind in FindingKind if sentences.registers(kind))

pages = Blueprint("today", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is stored of all households."""

    sites: Sequence[Household]
    total: int
    """All households, shown or not."""
    findings: Sequence[OpenFinding]
    """Open, worst and oldest first."""
    causes: Sequence[tuple[str, str, int]]
    """How many of each cause (household, kind) are open, shown or not."""
    questions: Sequence[Question]
    """Proposals that no finding leads to, the most probable first."""
    asked: Mapping[str, int]
    """How many of them a household has, shown or not."""
    known: Mapping[tuple[str, str], StoredDevice]
    """Devices of the questions."""


@pages.get("/")
def today() -> Response:
    """What needs a decision."""
    at_desk = desk()
    page = _build_today(at_desk, _stored(at_desk))
    return show("today", page, title="Today", action="view-today", section="today", live=True)


@pages.get("/households")
def households() -> Response:
    """All households."""
    at_desk = desk()
    page = _build_households(at_desk, _stored(at_desk))
    return show("households", page, title="Households", action="view-households", section="households", live=True)


def _stored(at_desk: Desk) -> Waiting:
    tenant = at_desk.settings.tenant
    with at_desk.reads.connect() as connection:
        questions, asked = devices.questions(connection, tenant, least=LEAST, told=_LEADS)
        named = {(one.site, item) for one in questions for item in (one.device_id, one.other_id)}
        return Waiting(
            sites=queries.households(connection, tenant),
            total=queries.count_households(connection, tenant),
            findings=queries.open_findings(connection, tenant),
            causes=queries.count_causes(connection, tenant),
            questions=questions,
            asked=asked,
            known=devices.roots(connection, named),
        )


def _build_today(at_desk: Desk, stored: Waiting) -> TodayPage:
    now = at_desk.now()
    titles = {site.site: site.title for site in stored.sites}
    counts = {(site, kind): number for site, kind, number in stored.causes}
    groups: dict[tuple[str, str], list[OpenFinding]] = {}
    for found in stored.findings:
        groups.setdefault((found.site, found.kind), []).append(found)
    asking: dict[str, list[Question]] = {}
    for question in stored.questions:
        asking.setdefault(question.site, []).append(question)
    cards = [
        _card(at_desk, titles.get(site, site), group, counts.get((site, kind), len(group)))
        for (site, kind), group in groups.items()
    ]
    # Below all findings: a question that nothing else leads to can wait.
    cards += [_question(at_desk, titles.get(site, site), some, stored) for site, some in asking.items()]
    boxes = tuple(row for site in stored.sites if (row := _box_row(at_desk, site, now)) is not None)
    deciding = {site for site, _, _ in stored.causes}
    troubled = {row.household_address for row in boxes} | {
        f"/households/{site}" for site in deciding | set(stored.asked)
    }
    return TodayPage(
        summary=_summary(len(deciding), len(set(stored.asked) - deciding), stored.total, len(boxes)),
        cards=tuple(cards[:MOST_CARDS]),
        left_out=max(0, len(counts) + len(stored.asked) - min(len(cards), MOST_CARDS)),
        boxes=boxes,
        quiet=max(0, stored.total - len(troubled)),
    )


def _build_households(at_desk: Desk, stored: Waiting) -> HouseholdsPage:
    now = at_desk.now()
    worst: dict[str, str] = {}
    for found in stored.findings:
        worst.setdefault(found.site, found.severity)
    numbers: dict[str, int] = {}
    for place, _, number in stored.causes:
        numbers[place] = numbers.get(place, 0) + number

    def rank(one: Household) -> int:
        if one.site in worst:
            return words.severity_rank(worst[one.site])
        return _AFTER_FINDINGS if one.site in stored.asked else _LAST

    rows = []
    for site in sorted(stored.sites, key=rank):
        problem = sentences.problem(site.heard_at, sentences.status(site.status), now)
        waits = [
            words.count(counted[site.site], one, many)
            for counted, one, many in ((numbers, "finding", "findings"), (stored.asked, "question", "questions"))
            if site.site in counted
        ]
        rows.append(
            HouseholdRow(
                household=words.plain(site.title, 120),
                address=f"/households/{site.site}",
                worst=sentences.mark(worst.get(site.site, Severity.INFORMATION)) if waits else None,
                decisions=", ".join(waits),
                box=problem,
                heard=at_desk.moment_or_none(site.heard_at) if problem else None,
            )
        )
    return HouseholdsPage(households=tuple(rows), left_out=max(0, stored.total - len(rows)))


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


def _question(at_desk: Desk, title: str, some: list[Question], stored: Waiting) -> Card:
    first = some[0]
    number = stored.asked.get(first.site, len(some))
    one = number == 1
    names = [device_name(stored.known.get((first.site, item)), item) for item in (first.device_id, first.other_id)]
    at = f"/households/{first.site}"
    return Card(
        severity=sentences.mark(Severity.INFORMATION),
        household=words.plain(title, 120),
        household_address=at,
        sentence=sentences.question(first.probability, number),
        detail="; ".join(names) + ("" if one else f"; and {words.count(number - 1, 'more pair', 'more pairs')}"),
        since=at_desk.moment(min(item.raised_at for item in some)),
        last=None,
        address=f"{at}/proposals/{first.proposal_id}" if one else f"{at}#proposals",
        action="Look and compare" if one else f"Look at all {number:,}",
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


def _summary(deciding: int, asking: int, total: int, boxes: int) -> str:
    if not total:
        return "No household is set up yet."
    verb = "needs" if deciding == 1 else "need"
    text = f"{deciding:,} of {words.count(total, 'household', 'households')} {verb} a decision."
    if not deciding:
        text = f"Nothing needs a decision in {words.count(total, 'household', 'households')}."
    if asking:
        text += f" In {asking:,} {'more' if deciding else 'of them'}, two devices may be one."
    if boxes:
        text += f" {words.count(boxes, 'box needs', 'boxes need')} attention."
    return text
