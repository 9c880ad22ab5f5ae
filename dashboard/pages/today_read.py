"""What *Today* reads: everything that waits in the households that whoever is asking may see.

In: the desk. Out: one frozen `Stored`. Bounded: every read has a most; devices are read only of what is shown, as most of
a large operator's waits behind the first page. The statements are as many however many households there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dashboard import second
from dashboard.pages import sentences
from dashboard.pages.desk import Desk, who
from dashboard.pages.queue import AILS
from dashboard.pages.sentences import SILENT_SECONDS
from dashboard.second import Waiting
from dashboard.store import caseload, causes, charge, devices, queries, reviews
from dashboard.store.caseload import Late
from dashboard.store.causes import Cause, Waits
from dashboard.store.devices import Question, StoredDevice
from dashboard.store.law import count_requests
from dashboard.store.queries import Household
from dashboard.store.reviews import Due, Unreviewed
from wire.findings import FindingKind, Severity

MOST_HOMES = 20
"""So many are a good morning's work; what comes after them is counted, and comes up as they are done."""
MOST_ITEMS = 5
"""Causes of one household that are shown here; its own page shows the rest."""
LEAST = 0.5
"""Probability from which a proposal that no finding leads to is shown here; the household's page shows all."""
_LEADS = tuple(kind for kind in FindingKind if sentences.registers(kind))
DAY = 86400.0
_SOON = frozenset({[*Severity].index(Severity.ACT_NOW), [*Severity].index(Severity.TODAY)})

_Row = TypeVar("_Row", Cause, Question)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is stored of all households."""

    sites: Sequence[Household]
    """Those that are named on the page, and those whose box is not well."""
    total: int
    """All households, shown or not."""
    causes: Sequence[Cause]
    """Open, worst and oldest first; with their findings where they are shown."""
    waits: Mapping[str, Waits]
    """How much is open, by household."""
    ailing: Sequence[tuple[str, str, int]]
    """Findings about boxes' lists and tests: household, kind, number."""
    questions: Sequence[Question]
    """Proposals that no finding leads to, the most probable first."""
    asked: Mapping[str, int]
    """How many of them a household has, shown or not."""
    known: Mapping[tuple[str, str], StoredDevice]
    """Devices of the questions that are shown."""
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
        return {cause.site for cause in self.causes if cause.worst in _SOON}

    def homes(self) -> list[str]:
        """Households with a card, in the order of the page: as their worst cause, then those with a question alone."""
        return _order(self.causes, self.questions)


def read(at_desk: Desk) -> Stored:
    """Read all of it, of the households that whoever asks may see."""
    tenant, now = at_desk.settings.tenant, at_desk.now()
    within = charge.sees(who(), now, tenant)
    with at_desk.reads.connect() as connection:
        questions, asked = devices.questions(connection, tenant, least=LEAST, told=_LEADS, within=within)
        found = causes.open_causes(connection, tenant, without=AILS, within=within, shown=(MOST_HOMES, MOST_ITEMS))
        first = by_site(questions)
        shown = _order(found, questions)[:MOST_HOMES]
        asking = [first[site][0] for site in shown if site in first]
        named = {(one.site, item) for one in asking for item in (one.device_id, one.other_id)}
        ailing = causes.ailing(connection, tenant, kinds=AILS, within=within)
        requests = count_requests(connection, tenant, within=within)
        return Stored(
            sites=queries.households_to_name(
                connection,
                tenant,
                sites={*shown, *(row[0] for row in ailing), *requests},
                silent_since=now - SILENT_SECONDS,
                within=within,
            ),
            total=queries.count_households(connection, tenant, within=within),
            causes=found,
            waits=causes.count_waiting(connection, tenant, without=AILS, within=within),
            ailing=ailing,
            questions=questions,
            asked=asked,
            known=devices.roots(connection, named),
            seconds=second.waiting_for_second(connection, tenant, now=now, within=within),
            reviews=second.waiting_for_review(connection, tenant, within=within),
            requests=requests,
            due=reviews.due(
                connection,
                within,
                account_id=who().account_id,
                now=now,
                referred_before=now - at_desk.settings.reviews.follow_up_days * DAY,
            ),
            unseen=reviews.unseen_by_site(connection, within),
            unreviewed=reviews.unreviewed(connection, within),
            day=reviews.raised_since(connection, within, now - DAY),
            late=caseload.late(connection, within, rules=at_desk.settings.reviews, now=now),
        )


def _order(found: Iterable[Cause], questions: Iterable[Question]) -> list[str]:
    # The causes come worst and oldest first, and so do the households of their first ones. Below all of
    # them: a question that nothing else leads to can wait.
    return [*dict.fromkeys((*(cause.site for cause in found), *(question.site for question in questions)))]


def by_site(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    """Rows by household, in their order."""
    found: dict[str, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.site, []).append(row)
    return found
