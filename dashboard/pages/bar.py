"""The bar above every page about one household: who it is about, at what risk, until when, and the tabs.

In: a household that was found for who asks, and which page it is. Out: a `HouseholdBar`; the macro `gh.bar` shows it.
Three statements whatever the household holds.
"""

from __future__ import annotations

from sqlalchemy import Connection

from dashboard.i18n import N_, _
from dashboard.pages import sentences, words
from dashboard.pages.contexts_bar import HouseholdBar, Tab
from dashboard.pages.desk import Desk
from dashboard.store.cases import OrderDates, Risk, case_of, order_of
from dashboard.store.queries import Household

TABS: tuple[tuple[str, str, str], ...] = (
    ("findings", N_("Findings"), ""),
    ("devices", N_("Devices"), "/devices"),
    ("timeline", N_("Timeline"), "/timeline"),
    ("activity", N_("Activity"), "/activity"),
    ("coverage", N_("Coverage"), "/coverage"),
    ("box", N_("Box health"), "/box"),
    ("order", N_("Order and notices"), "/law"),
    ("visits", N_("Visits"), "/visits"),
    ("notes", N_("Notes"), "/notes"),
)
"""Key, text, and what follows `/households/<site>`; in the order they are shown."""
RISKS = {
    Risk.LOW: N_("Low risk"),
    Risk.MEDIUM: N_("Medium risk"),
    Risk.HIGH: N_("High risk"),
    Risk.VERY_HIGH: N_("Very high risk"),
}
KINDS = {"order": N_("Order"), "licence_condition": N_("Licence condition"), "consent": N_("Consent")}


def household_bar(at_desk: Desk, connection: Connection, home: Household, current: str) -> HouseholdBar:
    """The bar of a household.

    Args:
        at_desk: the desk.
        connection: open.
        home: from `desk.household_or_404`.
        current: key of a tab in `TABS`; a page under it gives the same.
    """
    now = at_desk.now()
    case = case_of(connection, home.site, now)
    show = at_desk.settings.words.show
    shown = case.shown(show, "")
    said = sentences.status(home.status)
    well, sentence = sentences.reporting(home.heard_at, said, now)
    dates = case.order or order_of(connection, home.site)
    at = f"/households/{home.site}"
    return HouseholdBar(
        household=words.plain(home.title, 120),
        site=home.site,
        address=at,
        person=words.plain(shown, 120),
        reference=words.plain(case.reference, 80) if shown and shown != case.reference else "",
        word=words.plain(at_desk.settings.words.person, 60),
        risk=_(RISKS[case.risk]) if case.risk else "",
        risk_key=str(case.risk),
        order=_dates(at_desk, dates, now),
        over=dates is not None and dates.ends <= now,
        trouble="" if well else sentence,
        tabs=tuple(Tab(key=key, text=_(text), address=at + path, current=key == current) for key, text, path in TABS),
    )


def _dates(at_desk: Desk, dates: OrderDates | None, now: float) -> str:
    if dates is None:
        return _("No order was put in force from here")
    kind = _(KINDS.get(dates.kind, dates.kind))
    ends = words.date(dates.ends, at_desk.zone)
    if dates.ends <= now:
        return _("%(kind)s ended on %(date)s", kind=kind, date=ends)
    starts = words.date(dates.starts, at_desk.zone)
    return _("%(kind)s from %(start)s to %(end)s", kind=kind, start=starts, end=ends)
