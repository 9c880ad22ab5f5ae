"""*Today*: where an officer with many households sees the few that need a decision, what comes back, and what is late.

Bounded: at most `MOST_HOMES` households with `MOST_ITEMS` causes each; the statements are as many however many there are.
"""

from __future__ import annotations

from flask import Blueprint, Response

from dashboard.access import May, needs
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import brief, sentences, words
from dashboard.pages.contexts_review import DueRow, LateRow, UnseenRow
from dashboard.pages.contexts_today import BoxRow, Card, HomeCard, Second, TodayPage
from dashboard.pages.desk import Desk, desk, show
from dashboard.pages.orders import told
from dashboard.pages.rows import device_name
from dashboard.pages.today_read import DAY, MOST_HOMES, MOST_ITEMS, Stored, by_site, read
from dashboard.second import REVIEW_SECONDS
from dashboard.store.causes import Cause, OpenFinding
from dashboard.store.devices import Question
from dashboard.store.queries import Household
from wire.findings import FindingKind, Severity

FEW_HOMES = 5
"""So many are not parted into those of today and those that can wait."""
MOST_ROWS = 30
"""Rows of each of the other lists: boxes, what the box closed, reviews due. What comes after them is said."""
_NAMED = 3
"""Devices a card names; the rest is a number."""
_OF_ORDER = (FindingKind.AUTHORITY_ENDING.value, FindingKind.REVIEW_DUE.value)
"""Kinds about the order, which are no fault of a box: shown with the reviews that are due (N18)."""

pages = Blueprint("today", __name__)


@pages.get("/")
@needs(May.SEE)
def today() -> Response:
    """What needs a decision."""
    at_desk = desk()
    page = _build_today(at_desk, read(at_desk))
    return show("today", page, title="Today", action="view-today", section="today", live=True)


def _build_today(at_desk: Desk, stored: Stored) -> TodayPage:
    deciding, soon = stored.deciding(), stored.soon()
    shown = _homes(at_desk, stored)
    # They come worst first. What is short enough to be seen at a glance, or all as urgent, is one list.
    first = len(soon) if soon and len(shown) > FEW_HOMES else len(shown)
    boxes, late = _boxes(at_desk, stored), _late(at_desk, stored)
    troubled = {site.site for site, _said in boxes} | deciding | set(stored.asked)
    informs = sum(number.informs for number in stored.waits.values())
    return TodayPage(
        summary=_summary(
            len(deciding),
            len(soon),
            len(set(stored.asked) - deciding),
            stored.total,
            len(boxes),
            people=len(stored.seconds) + len(stored.reviews) + sum(stored.requests.values()) + len(stored.due),
        ),
        start="/next" if shown else "",
        unreviewed=_unreviewed(at_desk, stored),
        budget=_budget(at_desk, stored),
        due=_due(at_desk, stored),
        unseen_more=len(stored.unseen) > MOST_ROWS,
        unseen=tuple(
            UnseenRow(
                household=words.plain(title, 120),
                text=ngettext("%(num)d finding", "%(num)d findings", number),
                since=at_desk.moment(since),
                address=f"/households/{site}/looked",
            )
            for site, title, number, since in stored.unseen[:MOST_ROWS]
        ),
        late=late[:MOST_ROWS],
        late_more=len(late) > MOST_ROWS,
        homes=shown[:first],
        later=shown[first:],
        left_out=max(0, len(deciding | set(stored.asked)) - len(shown)),
        boxes=tuple(_box(at_desk, *one) for one in boxes[:MOST_ROWS]),
        boxes_more=max(0, len(boxes) - MOST_ROWS),
        informs=words.count(informs, "finding is", "findings are") if informs else "",
        quiet=max(0, stored.total - len(troubled)),
        seconds=_seconds(at_desk, stored),
        requests=_requests(stored),
    )


def _homes(at_desk: Desk, stored: Stored) -> tuple[HomeCard, ...]:
    titles = {site.site: site.title for site in stored.sites}
    of_site, asking = by_site(stored.causes), by_site(stored.questions)
    homes = []
    for site in stored.homes()[:MOST_HOMES]:
        here = of_site.get(site, [])
        items = [_card(at_desk, cause) for cause in here[:MOST_ITEMS]]
        if site in asking:
            items.append(_question(at_desk, asking[site], stored))
        number = stored.waits[site].causes if site in stored.waits else len(here)
        homes.append(
            HomeCard(
                household=words.plain(titles.get(site, site), 120),
                address=f"/households/{site}",
                cards=tuple(items),
                more=max(0, number - len(here[:MOST_ITEMS])),
            )
        )
    return tuple(homes)


def _card(at_desk: Desk, cause: Cause) -> Card:
    first = cause.findings[0]
    one = cause.number == 1
    at = f"/households/{first.site}"
    standing = first.device.standing if first.device else None
    together = sentences.together(cause.key, first.kind, cause.number) if cause.kinds > 1 else ""
    many = 1 if together else cause.number
    return Card(
        severity=sentences.mark(first.severity),
        sentence=sentences.finding(first.kind, standing, many),
        together=together,
        detail=_names(cause),
        since=at_desk.moment(cause.raised_at),
        last=at_desk.moment(cause.last_seen) if sentences.stays(first.kind) else None,
        address=f"{at}/findings/{first.finding_id}" if one or together else f"{at}#findings",
        action=sentences.action(first.kind) if one or together else f"Look at all {cause.number:,}",
    )


def _names(cause: Cause) -> str:
    shown = cause.findings[:_NAMED]
    names = list(dict.fromkeys(_name(row) for row in shown))
    # Beyond those that were read, a finding may be about a device named here already; of one kind none is.
    more = 0 if cause.kinds > 1 or len(names) < len(shown) else cause.number - len(shown)
    return "; ".join(names) + (f"; and {more:,} more" if more > 0 else "")


def _name(row: OpenFinding) -> str:
    return sentences.the_box() if row.device_id is None else device_name(row.device, row.device_id)


def _question(at_desk: Desk, some: list[Question], stored: Stored) -> Card:
    first = some[0]
    number = stored.asked.get(first.site, len(some))
    one = number == 1
    names = [device_name(stored.known.get((first.site, item)), item) for item in (first.device_id, first.other_id)]
    at = f"/households/{first.site}"
    return Card(
        severity=sentences.mark(Severity.INFORMATION),
        sentence=sentences.question(first.probability, number),
        together="",
        detail="; ".join(names) + ("" if one else f"; and {words.count(number - 1, 'more pair', 'more pairs')}"),
        since=at_desk.moment(min(item.raised_at for item in some)),
        last=None,
        address=f"{at}/proposals/{first.proposal_id}" if one else f"{at}#proposals",
        action="Look and compare" if one else f"Look at all {number:,}",
    )


def _boxes(at_desk: Desk, stored: Stored) -> list[tuple[Household, list[str]]]:
    """Households whose box is not well, and what ails it: as many as a broken line cuts off, shown or not."""
    now = at_desk.now()
    ills: dict[str, list[str]] = {}
    for site_id, kind, number in stored.ailing:
        if kind in _OF_ORDER:
            continue
        ills.setdefault(site_id, []).append(sentences.finding(kind, None, number))
    rows = []
    for site in stored.sites:
        problem = sentences.problem(site.heard_at, brief.status(site.status), now)
        said = [problem] if problem else []
        said += ills.get(site.site, [])
        if said:
            rows.append((site, said))
    return rows


def _box(at_desk: Desk, site: Household, said: list[str]) -> BoxRow:
    return BoxRow(
        household=words.plain(site.title, 120),
        household_address=f"/households/{site.site}",
        problem=". ".join(said),
        heard=at_desk.moment_or_none(site.heard_at),
    )


def _seconds(at_desk: Desk, stored: Stored) -> tuple[Second, ...]:
    now = at_desk.now()
    rows = []
    for item, due, action in (
        *((one, one.created_at + REVIEW_SECONDS, "Look at an emergency") for one in stored.reviews),
        *((one, one.expires_at, "Agree or refuse") for one in stored.seconds),
    ):
        rows.append(
            Second(
                household=words.plain(item.title, 120),
                text=f"{told(item.body, at_desk.zone).short}. Because: {words.plain(item.reason, 200)}",
                by=words.plain(item.by_name, 120),
                until=at_desk.moment(due),
                late=due <= now,
                address=f"/commands/{item.command_id}",
                action=action,
            )
        )
    return tuple(rows)


def _requests(stored: Stored) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (
            words.plain(home.title, 120),
            f"/households/{home.site}/requests",
            words.count(stored.requests[home.site], "request waits", "requests wait"),
        )
        for home in stored.sites
        if home.site in stored.requests
    )


def _unreviewed(at_desk: Desk, stored: Stored) -> str:
    """How much nobody has looked at, and how old the oldest is (R37)."""
    found = stored.unreviewed
    if found.oldest is None:
        return _("Somebody has looked at every finding.")
    text = ngettext(
        "Nobody has looked at %(num)d finding yet. The oldest has waited %(age)s.",
        "Nobody has looked at %(num)d findings yet. The oldest has waited %(age)s.",
        found.number,
        age=words.duration(at_desk.now() - found.oldest),
    )
    return str(text)


def _budget(at_desk: Desk, stored: Stored) -> str:
    """Items of the last day for each household, against what was set (R28)."""
    if not stored.total:
        return ""
    each = f"{stored.day / stored.total:.1f}"
    return _(
        "Items in the last 24 hours: %(each)s for each household; at most %(budget)s are meant.",
        each=each,
        budget=f"{at_desk.settings.reviews.budget:g}",
    )


_WHY = {
    "follow-up": N_("To be asked"),
    "referred": N_("Referred to you"),
    "unanswered": N_("Referred, and nobody has answered"),
    "second": N_("Wants a second person"),
    "not-done": N_("The box did not do what was asked"),
}


def _due(at_desk: Desk, stored: Stored) -> tuple[DueRow, ...]:
    now = at_desk.now()
    rows = []
    for item in stored.due:
        at = item.follow_up_at if item.state == "follow-up" and item.follow_up_at is not None else item.at
        rows.append(
            DueRow(
                why=_(_WHY.get(item.state, item.state)),
                household=words.plain(item.title, 120),
                text=f"{sentences.finding(item.kind, None)}. {_('Reason')}: {words.plain(item.reason, 200)}",
                by=words.plain(item.by_name, 120),
                at=at_desk.moment(at),
                late=now - at > DAY,
                address=f"/households/{item.site}/findings/{item.finding_id}",
            )
        )
    return tuple(rows)


def _late(at_desk: Desk, stored: Stored) -> tuple[LateRow, ...]:
    said: dict[str, list[str]] = {}
    titles = {site.site: site.title for site in stored.sites}
    for item in stored.late:
        titles[item.site] = item.title
        text = _("To be looked through since %(date)s", date=words.date(item.review_due, at_desk.zone))
        said.setdefault(item.site, []).append(text)
    for site, kind, number in stored.ailing:
        if kind in _OF_ORDER:
            said.setdefault(site, []).append(sentences.finding(kind, None, number))
    return tuple(
        LateRow(
            household=words.plain(titles.get(site, site), 120),
            text=". ".join(texts),
            address=f"/households/{site}/looked",
            order_address=f"/households/{site}/law",
        )
        for site, texts in said.items()
    )


def _summary(deciding: int, soon: int, asking: int, total: int, boxes: int, *, people: int) -> str:
    if not total:
        return "No household is set up yet."
    verb = "needs" if deciding == 1 else "need"
    urgent = f", {soon:,} of them today" if 0 < soon < deciding else ""
    text = f"{deciding:,} of {words.count(total, 'household', 'households')} {verb} a decision{urgent}."
    if not deciding:
        text = f"{'No finding' if people else 'Nothing'} needs a decision in {words.count(total, 'household', 'households')}."
    if asking:
        text += f" In {asking:,} {'more' if deciding else 'of them'}, two devices may be one."
    if people:
        text += f" {words.count(people, 'person waits', 'people wait')} for an answer."
    if boxes:
        text += f" {words.count(boxes, 'box needs', 'boxes need')} attention."
    return text
