"""*Today*: where an officer with many households sees the few that need a decision, what comes back, and what is late.

Bounded: at most `MOST_HOMES` households with `MOST_ITEMS` causes each; the statements are as many however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response

from dashboard import second
from dashboard.access import May, needs
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import sentences, words
from dashboard.pages.contexts_review import DueRow, LateRow, UnseenRow
from dashboard.pages.contexts_today import BoxRow, Card, HomeCard, Second, TodayPage
from dashboard.pages.desk import Desk, desk, show, who
from dashboard.pages.orders import told
from dashboard.pages.queue import AILS
from dashboard.pages.rows import device_name
from dashboard.second import REVIEW_SECONDS, Waiting
from dashboard.store import caseload, causes, charge, devices, queries, reviews
from dashboard.store.caseload import Late
from dashboard.store.causes import Cause, OpenFinding, Waits
from dashboard.store.devices import Question, StoredDevice
from dashboard.store.law import count_requests
from dashboard.store.queries import Household
from dashboard.store.reviews import Due, Unreviewed
from wire.findings import FindingKind, Severity

MOST_HOMES = 30
"""A page of as many takes a tenth of a second and 100 KB; what comes after them is counted."""
FEW_HOMES = 5
"""So many are not parted into those of today and those that can wait."""
MOST_ITEMS = 5
"""Causes of one household that are shown here; its own page shows the rest."""
LEAST = 0.5
"""Probability from which a proposal that no finding leads to is shown here; the household's page shows all."""
_NAMED = 3
"""Devices a card names; the rest is a number."""
_SOON = frozenset({Severity.ACT_NOW, Severity.TODAY})
_LEADS = tuple(kind for kind in FindingKind if sentences.registers(kind))
DAY = 86400.0
_OF_ORDER = (FindingKind.AUTHORITY_ENDING.value, FindingKind.REVIEW_DUE.value)
"""Kinds about the order, which are no fault of a box: shown with the reviews that are due (N18)."""

pages = Blueprint("today", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is stored of all households."""

    sites: Sequence[Household]
    total: int
    """All households, shown or not."""
    causes: Sequence[Cause]
    """Open, worst and oldest first."""
    waits: Mapping[str, Waits]
    """How much is open, by household."""
    ailing: Sequence[tuple[str, str, int]]
    """Findings about boxes' lists and tests: household, kind, number."""
    questions: Sequence[Question]
    """Proposals that no finding leads to, the most probable first."""
    asked: Mapping[str, int]
    """How many of them a household has, shown or not."""
    known: Mapping[tuple[str, str], StoredDevice]
    """Devices of the questions."""
    seconds: Sequence[Waiting]
    """What waits for a second person."""
    reviews: Sequence[Waiting]
    """Emergencies that somebody else must look at."""
    requests: Mapping[str, int]
    """How many requests of a home wait, by household."""
    due: Sequence[Due]
    """What was decided and comes back."""
    unseen: Sequence[tuple[str, str, int, float]]
    """Households with findings that the box closed before anybody looked."""
    unreviewed: Unreviewed
    """How much nobody has looked at."""
    day: int
    """How many findings were raised in the last day that wait for a person."""
    late: Sequence[Late]
    """Households whose review is due."""

    def deciding(self) -> set[str]:
        """Households with a finding that waits for an officer."""
        return {site for site, number in self.waits.items() if number.findings}

    def soon(self) -> set[str]:
        """Those of them where it cannot wait until later in the week; the causes that were read are the worst."""
        return {cause.site for cause in self.causes if cause.findings[0].severity in _SOON}


@pages.get("/")
@needs(May.SEE)
def today() -> Response:
    """What needs a decision."""
    at_desk = desk()
    page = _build_today(at_desk, _stored(at_desk))
    return show("today", page, title="Today", action="view-today", section="today", live=True)


def _stored(at_desk: Desk) -> Stored:
    tenant, now = at_desk.settings.tenant, at_desk.now()
    within = charge.sees(who(), now, tenant)
    with at_desk.reads.connect() as connection:
        questions, asked = devices.questions(connection, tenant, least=LEAST, told=_LEADS, within=within)
        named = {(one.site, item) for one in questions for item in (one.device_id, one.other_id)}
        return Stored(
            sites=queries.households(connection, tenant, within=within),
            total=queries.count_households(connection, tenant, within=within),
            causes=causes.open_causes(connection, tenant, without=AILS, within=within),
            waits=causes.count_waiting(connection, tenant, without=AILS, within=within),
            ailing=causes.ailing(connection, tenant, kinds=AILS, within=within),
            questions=questions,
            asked=asked,
            known=devices.roots(connection, named),
            seconds=second.waiting_for_second(connection, tenant, now=now, within=within),
            reviews=second.waiting_for_review(connection, tenant, within=within),
            requests=count_requests(connection, tenant, within=within),
            due=reviews.due(connection, within, account_id=who().account_id, now=now),
            unseen=reviews.unseen_by_site(connection, within),
            unreviewed=reviews.unreviewed(connection, within),
            day=reviews.raised_since(connection, within, now - DAY),
            late=caseload.late(connection, within, rules=at_desk.settings.reviews, now=now),
        )


def _build_today(at_desk: Desk, stored: Stored) -> TodayPage:
    deciding, soon = stored.deciding(), stored.soon()
    homes = _homes(at_desk, stored)
    shown = tuple(homes[:MOST_HOMES])
    # They come worst first. What is short enough to be seen at a glance, or all as urgent, is one list.
    first = len(soon) if soon and len(shown) > FEW_HOMES else len(shown)
    boxes = _boxes(at_desk, stored)
    troubled = {row.household_address for row in boxes} | {
        f"/households/{site}" for site in deciding | set(stored.asked)
    }
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
        start="/next" if homes else "",
        unreviewed=_unreviewed(at_desk, stored),
        budget=_budget(at_desk, stored),
        due=_due(at_desk, stored),
        unseen=tuple(
            UnseenRow(
                household=words.plain(title, 120),
                text=ngettext("%(num)d finding", "%(num)d findings", number),
                since=at_desk.moment(since),
                address=f"/households/{site}/looked",
            )
            for site, title, number, since in stored.unseen
        ),
        late=_late(at_desk, stored),
        homes=shown[:first],
        later=shown[first:],
        left_out=max(0, len(deciding | set(stored.asked)) - min(len(homes), MOST_HOMES)),
        boxes=boxes,
        informs=words.count(informs, "finding is", "findings are") if informs else "",
        quiet=max(0, stored.total - len(troubled)),
        seconds=_seconds(at_desk, stored),
        requests=_requests(stored),
    )


def _homes(at_desk: Desk, stored: Stored) -> list[HomeCard]:
    titles = {site.site: site.title for site in stored.sites}
    of_site: dict[str, list[Cause]] = {}
    for cause in stored.causes:
        of_site.setdefault(cause.site, []).append(cause)
    asking: dict[str, list[Question]] = {}
    for question in stored.questions:
        asking.setdefault(question.site, []).append(question)
    homes = []
    # The causes come worst and oldest first, and so do the households of their first ones. Below all of
    # them: a question that nothing else leads to can wait.
    for site in dict.fromkeys((*of_site, *asking)):
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
    return homes


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
    return sentences.THE_BOX if row.device_id is None else device_name(row.device, row.device_id)


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


def _boxes(at_desk: Desk, stored: Stored) -> tuple[BoxRow, ...]:
    now = at_desk.now()
    ills: dict[str, list[str]] = {}
    for site_id, kind, number in stored.ailing:
        if kind in _OF_ORDER:
            continue
        ills.setdefault(site_id, []).append(sentences.finding(kind, None, number))
    rows = []
    for site in stored.sites:
        problem = sentences.problem(site.heard_at, sentences.status(site.status), now)
        said = [problem] if problem else []
        said += ills.get(site.site, [])
        if said:
            rows.append(
                BoxRow(
                    household=words.plain(site.title, 120),
                    household_address=f"/households/{site.site}",
                    problem=". ".join(said),
                    heard=at_desk.moment_or_none(site.heard_at),
                )
            )
    return tuple(rows)


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
