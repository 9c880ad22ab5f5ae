"""Papers for the household: the person's own summary (R76, S7), and an explanation for others at home (S8).

The summary speaks of the person's own registered devices alone, in counts: nothing of anybody else's, no name that was
asked for. Good conduct stands first. Both point to confidential help, in the operator's words (S6).
"""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import Connection

from dashboard.access import May, needs
from dashboard.i18n import _, ngettext
from dashboard.pages import sentences, words
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_share import OthersPage, OwnPage
from dashboard.pages.desk import Desk, desk, household_or_404, show
from dashboard.pages.papers import pdf_answer
from dashboard.pages.rows import device_name
from dashboard.store import queries, visits
from dashboard.store.cases import case_of
from dashboard.store.devices import StoredDevice, devices_of
from dashboard.store.queries import Household, StoredFinding
from wire.base import Standing

pages = Blueprint("summary", __name__)
DAY = 86400.0
MOST_READ = 500
MOST_STEP_DOWN_VISITS = 12


@pages.get("/households/<site>/summary")
@needs(May.SEE)
def own(site: str) -> Response:
    """The person's own summary."""
    page = _own(site, pdf=f"/households/{site}/summary.pdf")
    return show("summary", page, title=_("Own summary"), action="view-own-summary", subject=site, section="households")


@pages.get("/households/<site>/summary.pdf")
@needs(May.SEE)
def own_pdf(site: str) -> Response:
    """The same as PDF."""
    page = _own(site, pdf="")
    return pdf_answer(
        "paper-own",
        page,
        title=_("Own summary"),
        name="own-summary",
        action="print-own-summary",
        subject=site,
    )


@pages.get("/households/<site>/summary/others")
@needs(May.SEE)
def others(site: str) -> Response:
    """The explanation for others at home."""
    page = _others(site, pdf=f"/households/{site}/summary/others.pdf")
    return show(
        "summary-others",
        page,
        title=_("For others at home"),
        action="view-explanation",
        subject=site,
        section="households",
    )


@pages.get("/households/<site>/summary/others.pdf")
@needs(May.SEE)
def others_pdf(site: str) -> Response:
    """The same as PDF."""
    page = _others(site, pdf="")
    return pdf_answer(
        "paper-others",
        page,
        title=_("For others at home"),
        name="for-others-at-home",
        action="print-explanation",
        subject=site,
    )


def _own(site: str, *, pdf: str) -> OwnPage:
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        bar = household_bar(at_desk, connection, home, "visits")
        devices = [row for row in devices_of(connection, site) if row.standing == Standing.REGISTERED]
        ids = {row.device_id for row in devices}
        found = [row for row in _all(connection, site) if row.device_id in ids]
        held = [row for row in visits.visits_of(connection, site) if row.state == visits.SIGNED]
        case = case_of(connection, site, at_desk.now())
    order = case.order
    coming = []
    if order is not None:
        coming.append(_("The order is looked at again by %(day)s.", day=words.date(order.review, at_desk.zone)))
        coming.append(_("It ends on %(day)s.", day=words.date(order.ends, at_desk.zone)))
    return OwnPage(
        bar=bar,
        made=at_desk.moment(at_desk.now()),
        word=words.plain(at_desk.settings.words.person, 60),
        good=_good(at_desk, home, devices, found, held),
        devices=tuple(_device(at_desk, row) for row in devices),
        record=_record(found),
        next=tuple(coming),
        cannot_see=sentences.cannot_see(),
        help=_help(at_desk),
        complaints=at_desk.settings.help.complaints,
        pdf=pdf,
    )


def _others(site: str, *, pdf: str) -> OthersPage:
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        bar = household_bar(at_desk, connection, home, "visits")
    return OthersPage(
        bar=bar,
        operator=at_desk.settings.operator,
        help=_help(at_desk),
        complaints=at_desk.settings.help.complaints,
        pdf=pdf,
    )


def _all(connection: Connection, site: str) -> tuple[StoredFinding, ...]:
    opened = queries.findings_of(connection, site, state="open", limit=MOST_READ, informs=False)
    return (*opened, *queries.findings_of(connection, site, state="closed", limit=MOST_READ))


def _good(
    at_desk: Desk,
    home: Household,
    devices: list[StoredDevice],
    found: list[StoredFinding],
    held: list[visits.StoredVisit],
) -> tuple[str, ...]:
    """What speaks for the person; only what is so is said."""
    now, said = at_desk.now(), []
    last = max((row.last_seen for row in found), default=None)
    if not any(row.state == "open" for row in found):
        said.append(_("No finding about your devices is open."))
    reporting = sentences.reporting(home.heard_at, sentences.status(home.status), now)[0]
    # Of a box that does not report, nothing new says nothing.
    if reporting and last is not None and now - last >= DAY:
        days = int((now - last) // DAY)
        said.append(
            ngettext(
                "There has been nothing new about your devices for %(num)s day.",
                "There has been nothing new about your devices for %(num)s days.",
                days,
            )
        )
    if held:
        said.append(ngettext("%(num)s visit was held and signed.", "%(num)s visits were held and signed.", len(held)))
    shown = [row for row in held[:MOST_STEP_DOWN_VISITS] if _all_shown(row)]
    if shown:
        said.append(
            ngettext(
                "At %(num)s visit no device on the list was held back. This counts when the order is looked at again.",
                "At %(num)s visits no device on the list was held back. This counts when the order is looked at again.",
                len(shown),
            )
        )
    if devices and reporting:
        said.append(_("The box is connected and reports."))
    return tuple(said)


def _all_shown(row: visits.StoredVisit) -> bool:
    """Whether all was asked about, something was shown, and the rest was not at home."""
    states = {line.get("state") for line in (row.record or {}).get("lines", [])}
    return "seen" in states and states <= {"seen", "not-home"}


def _device(at_desk: Desk, row: StoredDevice) -> Fact:
    return Fact(
        key=device_name(row, row.device_id),
        value=_(
            "Registered as yours. First seen %(first)s, last seen %(last)s.",
            first=words.date(row.first_seen, at_desk.zone),
            last=words.date(row.last_seen, at_desk.zone),
        ),
    )


def _record(found: list[StoredFinding]) -> tuple[str, ...]:
    opened = sum(row.state == "open" for row in found)
    closed = len(found) - opened
    return (
        ngettext("%(num)s finding about them is open.", "%(num)s findings about them are open.", opened),
        ngettext("%(num)s finding about them is closed.", "%(num)s findings about them are closed.", closed),
    )


def _help(at_desk: Desk) -> tuple[Fact, ...]:
    return tuple(Fact(key=line.text, value=line.contact) for line in at_desk.settings.help.lines)
