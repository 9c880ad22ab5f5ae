"""*Findings* of a household, open and closed, what may be one device, and what the box cannot see."""

from __future__ import annotations

from flask import Blueprint, Response

from dashboard.access import May, needs
from dashboard.i18n import _, ngettext
from dashboard.pages import sentences
from dashboard.pages.bar import household_bar
from dashboard.pages.cards import decided_card, finding_card, finding_groups
from dashboard.pages.contexts_household import HouseholdPage
from dashboard.pages.desk import desk, household_or_404, show
from dashboard.pages.rows import proposal_card
from dashboard.store import devices as stored_devices
from dashboard.store import queries, reviews
from dashboard.store.queries import OpenCount

pages = Blueprint("household", __name__)


@pages.get("/households/<site>")
@needs(May.SEE)
def household(site: str) -> Response:
    """One household."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        opened = queries.findings_of(connection, site, state="open", limit=queries.MOST_OPEN_SHOWN, informs=False)
        informs = queries.findings_of(connection, site, state="open", limit=queries.MOST_INFORMS_SHOWN, informs=True)
        closed = queries.findings_of(connection, site, state="closed", limit=queries.MOST_CLOSED_SHOWN)
        count = queries.count_open(connection, site)
        said = reviews.reviews_of(connection, site, [row.finding_id for row in (*opened, *closed)])
        proposals = stored_devices.open_proposals(connection, site)
        proposed = stored_devices.count_proposals(connection, site)
        named = {row.device_id for row in (*opened, *informs, *closed) if row.device_id is not None}
        named |= {item for row in proposals for item in (row.device_id, row.other_id)}
        known = stored_devices.devices_named(connection, site, named)
        bar = household_bar(at_desk, connection, home, "findings")
        answers = queries.answers_to(connection, site, [row.proposal_id for row in proposals])
    page = HouseholdPage(
        bar=bar,
        summary=_summary(count, proposed),
        findings=finding_groups(at_desk, site, opened, known, said),
        informs=tuple(finding_card(at_desk, site, row, known.get(row.device_id or "")) for row in informs),
        informs_left_out=max(0, count.informs - len(informs)),
        closed=tuple(decided_card(at_desk, site, row, known, said) for row in closed),
        findings_left_out=max(0, count.waiting + count.decided - len(opened)),
        proposals=tuple(proposal_card(at_desk, site, row, known, answers.get(row.proposal_id)) for row in proposals),
        proposals_left_out=max(0, proposed - len(proposals)),
        trouble=bar.trouble,
        heard=at_desk.moment_or_none(home.heard_at),
        cannot_see=sentences.cannot_see(),
    )
    return show(
        "household",
        page,
        title=_("Findings"),
        action="view-household",
        subject=site,
        section="households",
        live=True,
    )


def _summary(count: OpenCount, proposed: int) -> str:
    said = [_("No finding needs a decision.") if proposed else _("Nothing needs a decision.")]
    if count.waiting:
        text = ngettext(
            "%(number)s finding needs a decision.",
            "%(number)s findings need a decision.",
            count.waiting,
            number=f"{count.waiting:,}",
        )
        said = [text]
    if count.decided:
        text = ngettext(
            "%(number)s was decided and is still open.",
            "%(number)s were decided and are still open.",
            count.decided,
            number=f"{count.decided:,}",
        )
        said.append(text)
    if proposed:
        text = ngettext(
            "%(number)s pair of devices may be one.",
            "%(number)s pairs of devices may be one.",
            proposed,
            number=f"{proposed:,}",
        )
        said.append(text)
    return " ".join(said)
