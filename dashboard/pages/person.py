"""*Person and homes*: who a household is about, at what risk, which homes are that person's; and help about devices.

In: forms. Out: pages. A name is asked for only where the operator shows names. Persons are told apart by an id that no
name goes into (R47); two homes are one person's only when an officer says so by the reference, for homes in their
charge alone (R48).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import typed, words
from dashboard.pages.asking import officer
from dashboard.pages.bar import RISKS, household_bar
from dashboard.pages.contexts import ActField, ActForm, Choice, Fact
from dashboard.pages.contexts_tabs import HelpPage, PersonPage
from dashboard.pages.desk import desk, household_or_404, show, who
from dashboard.pages.typed import Errors
from dashboard.store import cases, charge
from dashboard.store.cases import Case, ChangedMeanwhileError, Risk, TakenError
from dashboard.store.queries import Household

pages = Blueprint("person", __name__)

MOST_REFERENCE = 80
MOST_NAME = 120
MOST_DAYS = 366
_FIELDS = {
    "reference": N_("Reference"),
    "name": N_("Name"),
    "risk": N_("Risk"),
    "review-days": N_("How often to look"),
    "home": N_("Home"),
}
_STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        N_("iPhone or iPad"),
        (
            N_("Open Settings, then Wi-Fi."),
            N_("Press the round “i” beside the name of this home's Wi-Fi."),
            N_("Press “Private Wi-Fi Address” and choose “Off” or, where it is offered, “Fixed”."),
            N_("Go back, and let the device join again."),
        ),
    ),
    (
        N_("Android phone or tablet"),
        (
            N_("Open Settings, then Network and internet (on some: Connections), then Wi-Fi."),
            N_("Press the cog beside the name of this home's Wi-Fi."),
            N_("Press “Privacy” or “MAC address type” and choose the device's or phone's own address."),
            N_("Turn Wi-Fi off and on again."),
        ),
    ),
    (
        N_("Windows computer"),
        (
            N_("Open Settings, then Network and internet, then Wi-Fi."),
            N_("Choose the properties of this home's Wi-Fi."),
            N_("Set “Random hardware addresses” to “Off”."),
        ),
    ),
    (
        N_("Mac computer"),
        (
            N_("Open System Settings, then Wi-Fi."),
            N_("Press “Details” beside the name of this home's Wi-Fi."),
            N_("Set “Private Wi-Fi address” to “Off” or “Fixed”."),
        ),
    ),
)


@pages.get("/households/<site>/person")
@needs(May.SEE)
def person(site: str) -> Response:
    """Who it is about."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), None, ())


@pages.post("/households/<site>/person")
@needs(May.DECIDE)
def change(site: str) -> ResponseReturnValue:
    """Enter or change who it is about."""
    asking, at_desk = officer(), desk()
    form = request.form
    named = at_desk.settings.words.show == "name"
    reference, name = typed.tidy(form.get("reference", "")), typed.tidy(form.get("name", "")) if named else ""
    days = form.get("days", "").strip()
    errors: list[tuple[str, str]] = []
    if not reference:
        errors.append(("person-reference", _("Enter the reference")))
    errors += typed.text_errors("person-reference", _("Reference"), reference, MOST_REFERENCE)
    errors += typed.text_errors("person-name", _("Name"), name, MOST_NAME)
    if form.get("risk", "") not in tuple(Risk):
        errors.append(("person-risk", _("Select the risk from the list")))
    if days and typed.whole(days, MOST_DAYS) is None:
        errors.append(("person-days", _("Days must be a whole number from 1 to %(most)s", most=MOST_DAYS)))
    revision = form.get("revision", "")
    with at_desk.engine.begin() as connection:
        home = household_or_404(connection, site)
        if not errors:
            before = cases.person_of(connection, site)
            try:
                cases.keep_person(
                    connection,
                    tenant=at_desk.settings.tenant,
                    site_id=site,
                    reference=reference,
                    # What one cannot see here one does not take away either.
                    name=(name or None) if named else (None if before is None else before.name),
                    risk=Risk(form["risk"]),
                    review_days=typed.whole(days, MOST_DAYS),
                    revision=int(revision) if revision.isascii() and revision.isdecimal() and len(revision) < 8 else 0,
                    by=asking.account_id,
                    now=at_desk.now(),
                )
            except TakenError:
                errors.append(
                    (
                        "person-reference",
                        _("Another person has this reference. If it is the same person, say so in the form below"),
                    )
                )
            except ChangedMeanwhileError:
                errors.append(
                    (
                        "person-reference",
                        _("Somebody else changed this meanwhile. Compare with what is there now, then send again"),
                    )
                )
    if errors:
        with at_desk.reads.connect() as connection:
            return _show(connection, home, form, tuple(errors))
    return redirect(f"/households/{site}/person", 303)


@pages.post("/households/<site>/person/homes")
@needs(May.DECIDE)
def join(site: str) -> ResponseReturnValue:
    """Say that this household is another home of a person who is entered already (R48)."""
    asking, at_desk = officer(), desk()
    reference = typed.tidy(request.form.get("other", ""))
    errors: list[tuple[str, str]] = []
    with at_desk.engine.begin() as connection:
        home = household_or_404(connection, site)
        found = cases.person_by_reference(connection, at_desk.settings.tenant, reference)
        # Whether somebody has a reference is told only to who is in charge of one of that one's homes.
        sees = charge.sees(asking, at_desk.now(), at_desk.settings.tenant)
        homes = () if found is None else cases.homes_of(connection, found, sees)
        if not reference:
            errors.append(("homes-other", _("Enter the reference of the person")))
        elif found is None or not any(row.seen for row in homes):
            errors.append(("homes-other", _("No person in your charge has this reference")))
        elif all(row.site != site for row in homes):
            try:
                cases.move_home(connection, site_id=site, person_id=found, by=asking.account_id, now=at_desk.now())
            except TakenError:
                errors.append(("homes-other", _("The person has too many homes. Tell whoever looks after the service")))
    if errors:
        with at_desk.reads.connect() as connection:
            return _show(connection, home, request.form, tuple(errors))
    return redirect(f"/households/{site}/person", 303)


@pages.post("/households/<site>/person/leave")
@needs(May.DECIDE)
def leave(site: str) -> ResponseReturnValue:
    """Say that this household is not that person's home: it was joined by mistake, or the box has moved."""
    asking, at_desk = officer(), desk()
    with at_desk.engine.begin() as connection:
        household_or_404(connection, site)
        with suppress(TakenError):  # sent twice: it is done already
            cases.leave_home(connection, site_id=site, by=asking.account_id, now=at_desk.now())
    return redirect(f"/households/{site}/person", 303)


@pages.get("/help/private-address")
@needs(May.BE_HERE)
def private_address() -> Response:
    """How a phone is told to keep one address in this home."""
    page = HelpPage(kinds=tuple((_(kind), tuple(_(step) for step in steps)) for kind, steps in _STEPS))
    return show("private-address", page, title=_("When one phone shows as many devices"), section="households")


def _show(connection: Connection, home: Household, sent: Mapping[str, str] | None, errors: Errors) -> Response:
    at_desk, asking, site = desk(), who(), home.site
    case = cases.case_of(connection, site, at_desk.now())
    sees = charge.sees(asking, at_desk.now(), at_desk.settings.tenant)
    homes = cases.homes_of(connection, case.person.person_id, sees) if case.person else ()
    changes = cases.changes_of(connection, case.person.person_id) if case.person else ()
    seen = {row.site for row in homes if row.seen}
    bar = household_bar(at_desk, connection, home, "order")
    connection.close()
    page = PersonPage(
        bar=bar,
        entered=case.person is not None,
        facts=_facts(case),
        homes=tuple(
            (
                words.plain(row.title, 120) if row.seen else _("A home in somebody else's charge"),
                f"/households/{row.site}" if row.seen else "",
                at_desk.moment(row.since),
            )
            for row in homes
        ),
        changes=tuple((at_desk.moment(row.at), words.plain(row.by, 120), _changed(row, seen)) for row in changes),
        forms=_forms(case, sent, errors, several=len(homes) > 1) if asking.role.acts else (),
        errors=errors,
    )
    return show(
        "person",
        page,
        title=_("Error: Person and homes") if errors else _("Person and homes"),
        action="view-person",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _facts(case: Case) -> tuple[Fact, ...]:
    at_desk = desk()
    days = case.review_days(at_desk.settings.reviews)
    often = ngettext("Every %(num)s day", "Every %(num)s days", days)
    facts = [Fact(key=_("Reference"), value=words.plain(case.reference, MOST_REFERENCE) or _("Not entered"))]
    if at_desk.settings.words.show == "name":
        facts.append(Fact(key=_("Name"), value=words.plain(case.name or "", MOST_NAME) or _("Not entered")))
    facts.append(Fact(key=_("Risk"), value=_(RISKS[case.risk]) if case.risk else _("Not entered")))
    facts.append(Fact(key=_("How often to look at the findings"), value=str(often)))
    return tuple(facts)


def _changed(row: cases.Change, seen: Collection[str]) -> str:
    what = _(_FIELDS.get(row.field, row.field))
    if row.field == "name":
        return _("%(what)s changed", what=what)
    if row.field == "home":
        if not row.after:
            return _("A home was taken away again")
        # Which box stands in a home is told to who is in charge of it.
        return (
            _("Another home: box %(site)s", site=words.plain(row.after, 63)) if row.after in seen else _("Another home")
        )
    before, after = (_value(row.field, text) for text in (row.before, row.after))
    return _("%(what)s: %(before)s, now %(after)s", what=what, before=before, after=after)


def _value(field: str, text: str) -> str:
    if field == "risk" and text in RISKS:
        return _(RISKS[Risk(text)])
    if field == "review-days" and not text:
        return _("as the risk says")
    return words.plain(text, MOST_NAME) or _("not entered")


def _form(case: Case, sent: Mapping[str, str] | None, errors: Errors) -> ActForm:
    at_desk, found = desk(), case.person
    mine = {name: text for name, text in errors if name.startswith("person-")}
    back = sent if mine and sent is not None else None

    def value(name: str, stored: object) -> str:
        return back.get(name, "")[: 2 * MOST_NAME] if back is not None else "" if stored is None else str(stored)

    risk = value("risk", None if found is None else found.risk)
    choices = (("", _("Not assessed")), *((str(key), _(text)) for key, text in RISKS.items()))

    def field(name: str, kind: str, label: str, hint: str, of: str, choices: tuple[Choice, ...] = ()) -> ActField:  # noqa: PLR0917 - one line of a form
        return ActField(
            id=f"person-{name}",
            name=name,
            kind=kind,
            label=label,
            hint=hint,
            value=of,
            choices=choices,
            error=mine.get(f"person-{name}", ""),
        )

    named = at_desk.settings.words.show == "name"
    of_name = () if not named else (field("name", "text", _("Name"), "", value("name", found and found.name)),)
    return ActForm(
        key="person",
        opened=bool(mine) or found is None,
        target=f"/households/{case.site}/person",
        token=commands.new_token(),
        heading=_("Change who this household is about") if found else _("Enter who this household is about"),
        says="",
        button=_("Keep"),
        fields=(
            field(
                "reference",
                "text",
                _("Reference"),
                _("Your own number for the case."),
                value("reference", found and found.reference),
            ),
            *of_name,
            field(
                "risk",
                "device",
                _("Risk"),
                _("As you assessed it. The box assesses nobody."),
                risk,
                tuple(Choice(value=key, text=text, hint="", checked=key == risk) for key, text in choices),
            ),
            field(
                "days",
                "number",
                _("Days between two reviews (optional)"),
                _("Empty: as the risk says."),
                value("days", found and found.review_days),
            ),
            field("revision", "hidden", "", "", str(found.revision if found else 0)),
        ),
        emergency="",
    )


def _forms(case: Case, sent: Mapping[str, str] | None, errors: Errors, *, several: bool) -> tuple[ActForm, ...]:
    made = (_form(case, sent, errors), _homes_form(case.site, sent, errors))
    return (*made, _leave_form(case.site)) if several else made


def _leave_form(site: str) -> ActForm:
    return ActForm(
        key="leave",
        opened=False,
        target=f"/households/{site}/person/leave",
        token=commands.new_token(),
        heading=_("This is not this person's home"),
        says=_("The person keeps the other homes. Who this household is about can then be entered anew."),
        button=_("Take it from this person"),
        fields=(),
        emergency="",
    )


def _homes_form(site: str, sent: Mapping[str, str] | None, errors: Errors) -> ActForm:
    mine = {name: text for name, text in errors if name.startswith("homes-")}
    return ActForm(
        key="homes",
        opened=bool(mine),
        target=f"/households/{site}/person/homes",
        token=commands.new_token(),
        heading=_("This is another home of somebody who is entered already"),
        says=_("Both homes then show the same person. Nothing of what their boxes recorded is mixed."),
        button=_("It is this person's home"),
        fields=(
            ActField(
                id="homes-other",
                name="other",
                kind="text",
                label=_("Reference of that person"),
                hint="",
                value=sent.get("other", "")[:MOST_NAME] if mine and sent is not None else "",
                choices=(),
                error=mine.get("homes-other", ""),
            ),
        ),
        emergency="",
    )
