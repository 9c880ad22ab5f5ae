"""*Notes* about a household: by agency and author, under the headings of a risk review where that helps (S2, S3).

In: a form. Out: a page. A note is never changed: a correction is a note of its own, and both stay. The box scores
nobody and no heading is counted: they only sort notes for who writes the review.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN
from dashboard.i18n import N_, _
from dashboard.pages import sentences, typed, words
from dashboard.pages.asking import officer
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import ActField, ActForm, Choice
from dashboard.pages.contexts_tabs import NoteRow, NotesPage
from dashboard.pages.desk import desk, household_or_404, show, who
from dashboard.pages.rows import device_name
from dashboard.pages.typed import Errors
from dashboard.store import devices, queries
from dashboard.store import notes as stored
from dashboard.store.devices import StoredDevice
from dashboard.store.notes import FullError, Note
from dashboard.store.queries import Household, StoredFinding

pages = Blueprint("notes", __name__)

HEADINGS: dict[str, str] = {
    "opportunity": N_("Opportunity"),
    "sexual-preoccupation": N_("Sexual preoccupation"),
    "offence-related-interests": N_("Offence-related sexual interests"),
    "emotional-congruence": N_("Emotional congruence with children"),
    "hostile-orientation": N_("Hostile orientation"),
    "self-management": N_("Poor self-management"),
    "social-influences": N_("Social influences"),
    "commitment-to-desist": N_("Commitment to desist"),
    "intimate-relationship": N_("Intimate relationship"),
    "employment": N_("Employment or positive routine"),
    "social-investment": N_("Social investment"),
}
"""The eleven headings of the risk review, by what is stored."""
MOST_CHOICES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """The form as it came."""

    token: str
    agency: str
    heading: str
    about: str
    corrects: str
    text: str


@pages.get("/households/<site>/notes")
@needs(May.SEE)
def notes(site: str) -> Response:
    """Notes, newest first."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), None, ())


@pages.post("/households/<site>/notes")
@needs(May.DECIDE)
def write(site: str) -> ResponseReturnValue:
    """Add a note."""
    asking, at_desk = officer(), desk()
    form = _Typed(
        token=request.form.get("token", ""),
        agency=typed.tidy(request.form.get("agency", "")),
        heading=request.form.get("heading", ""),
        about=request.form.get("about", ""),
        corrects=request.form.get("corrects", ""),
        text=typed.tidy(request.form.get("text", "")),
    )
    with at_desk.engine.begin() as connection:
        home = household_or_404(connection, site)
        errors = list(_wrong(form))
        kind, _colon, reference = form.about.partition(":")
        finding_id = reference if kind == "finding" else None
        device_id = reference if kind == "device" else None
        if finding_id and queries.finding_of(connection, site, finding_id) is None:
            errors.append(("note-about", _("Select what the note is about from the list")))
        if device_id and devices.device_of(connection, site, device_id) is None:
            errors.append(("note-about", _("Select what the note is about from the list")))
        if form.corrects and not stored.has_note(connection, site, form.corrects):
            errors.append(("note-text", _("The note to put right is not there. Open it again")))
        if not errors:
            try:
                stored.add_note(
                    connection,
                    note_id=form.token,
                    site_id=site,
                    by=asking.account_id,
                    agency=form.agency,
                    heading=form.heading,
                    finding_id=finding_id,
                    device_id=device_id,
                    corrects=form.corrects or None,
                    text=form.text,
                    now=at_desk.now(),
                )
            except FullError:
                errors.append(
                    ("note-text", _("This household has too many notes. Tell whoever looks after the service"))
                )
    if errors:
        with at_desk.reads.connect() as connection:
            return _show(connection, home, form, tuple(errors))
    return redirect(f"/households/{site}/notes#note-{form.token}", 303)


def _wrong(form: _Typed) -> Errors:
    errors: list[tuple[str, str]] = []
    if not form.agency:
        errors.append(("note-agency", _("Enter the agency that you write for")))
    else:
        errors += typed.text_errors("note-agency", _("Agency"), form.agency, stored.MOST_AGENCY)
    if form.heading and form.heading not in HEADINGS:
        errors.append(("note-heading", _("Select a heading from the list")))
    if not form.text:
        errors.append(("note-text", _("Enter the note")))
    else:
        errors += typed.text_errors("note-text", _("Note"), form.text.replace("\n", " "), stored.MOST_TEXT)
    if not TOKEN.fullmatch(form.token):
        errors.append(("note-text", typed.INCOMPLETE))
    return tuple(errors)


def _show(connection: Connection, home: Household, form: _Typed | None, errors: Errors) -> Response:
    at_desk, site, asking = desk(), home.site, who()
    heading = request.args.get("heading", "") if request.args.get("heading", "") in HEADINGS else ""
    turned = (typed.whole(request.args.get("page", "1"), stored.MOST_NOTES) or 1) - 1
    found, number = stored.notes_of(connection, site, heading=heading, offset=turned * stored.MOST_SHOWN)
    # A correction may stand on another page, or under another heading.
    corrected = stored.corrected_of(connection, site, {row.note_id for row in found})
    opened = queries.findings_of(connection, site, state="open", limit=MOST_CHOICES)
    seen = devices.devices_of(connection, site)
    named = {row.device_id for row in found if row.device_id} | {row.device_id for row in opened if row.device_id}
    known = devices.devices_named(connection, site, named)
    agency = stored.last_agency(connection, asking.account_id)
    bar = household_bar(at_desk, connection, home, "notes")
    acts = asking.role.acts
    about = [("", _("The household"))]
    about += [
        (f"finding:{row.finding_id}", _("Finding: %(what)s", what=_seen(row, known.get(row.device_id or ""))))
        for row in opened
    ]
    about += [
        (f"device:{one.device_id}", _("Device: %(what)s", what=device_name(one, one.device_id)))
        for one in seen[:MOST_CHOICES]
    ]
    corrects = form.corrects if form else request.args.get("corrects", "")
    wanted = form.about if form else request.args.get("about", "")
    if wanted not in {value for value, _text in about}:
        about += _linked(connection, site, wanted)
    connection.close()

    def page_at(number: int) -> str:
        query = {"heading": heading, "page": str(number)}
        return f"/households/{site}/notes?" + urlencode({key: value for key, value in query.items() if value})

    page = NotesPage(
        bar=bar,
        headings=(
            Choice(value="", text=_("All notes"), hint="", checked=not heading),
            *(Choice(value=key, text=_(text), hint="", checked=key == heading) for key, text in HEADINGS.items()),
        ),
        notes=tuple(_row(site, row, known, corrected=row.note_id in corrected, acts=acts) for row in found),
        before=page_at(turned) if turned else "",
        after=page_at(turned + 2) if number > (turned + 1) * stored.MOST_SHOWN else "",
        form=_form(site, form, dict(errors), about, wanted=wanted, corrects=corrects, agency=agency) if acts else None,
        errors=errors,
    )
    return show(
        "notes",
        page,
        title=_("Error: Notes") if errors else _("Notes"),
        action="view-notes",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _linked(connection: Connection, site: str, wanted: str) -> list[tuple[str, str]]:
    """What a link asks a note about, where the list does not have it: a closed finding, a device of long ago."""
    kind, _colon, reference = wanted.partition(":")
    if kind == "finding" and (found := queries.finding_of(connection, site, reference)) is not None:
        of = devices.devices_named(connection, site, {found.device_id} if found.device_id else ())
        return [(wanted, _("Finding: %(what)s", what=_seen(found, of.get(found.device_id or ""))))]
    if kind == "device" and (one := devices.device_of(connection, site, reference)) is not None:
        return [(wanted, _("Device: %(what)s", what=device_name(one, reference)))]
    return []


def _seen(row: StoredFinding, of: StoredDevice | None) -> str:
    return sentences.finding(row.kind, None if of is None else of.standing)


def _row(site: str, row: Note, known: dict[str, StoredDevice], *, corrected: bool, acts: bool) -> NoteRow:
    about, address = "", ""
    if row.finding_id:
        about, address = _("A finding"), f"/households/{site}/findings/{row.finding_id}"
    elif row.device_id:
        about = device_name(known.get(row.device_id), row.device_id)
        address = f"/households/{site}/devices/{row.device_id}"
    return NoteRow(
        anchor=f"note-{row.note_id}",
        at=desk().moment(row.at),
        by=f"{words.plain(row.agency, 80)}, {words.plain(row.by, 120)}",
        heading=_(HEADINGS[row.heading]) if row.heading in HEADINGS else "",
        about=about,
        about_address=address,
        lines=tuple(words.plain(line, stored.MOST_TEXT) for line in row.text.split("\n")),
        corrects=f"note-{row.corrects}" if row.corrects else "",
        corrected=corrected,
        correct_address=f"/households/{site}/notes?corrects={row.note_id}#write" if acts and not corrected else "",
    )


def _form(
    site: str,
    form: _Typed | None,
    wrong: dict[str, str],
    about: list[tuple[str, str]],
    *,
    wanted: str,
    corrects: str,
    agency: str,
) -> ActForm:
    def field(
        name: str, kind: str, label: str, hint: str = "", *, value: str = "", choices: tuple[Choice, ...] = ()
    ) -> ActField:
        error = wrong.get(f"note-{name}", "")
        return ActField(
            id=f"note-{name}", name=name, kind=kind, label=label, hint=hint, value=value, choices=choices, error=error
        )

    headings = (("", _("None")), *((key, _(text)) for key, text in HEADINGS.items()))
    chosen = form.heading if form else ""
    return ActForm(
        key="note",
        opened=bool(wrong),
        target=f"/households/{site}/notes",
        token=form.token if form and TOKEN.fullmatch(form.token) else commands.new_token(),
        heading=_("Put a note right") if corrects else _("Write a note"),
        says=_("The note that you put right stays, and says that there is a later one.") if corrects else "",
        button=_("Keep the note"),
        fields=(
            field(
                "text",
                "area",
                _("Note"),
                _("It is kept as it is and cannot be changed. Write only what is needed."),
                value=form.text if form else "",
            ),
            field(
                "agency",
                "text",
                _("Agency"),
                _("For which you write, such as “Probation”."),
                value=form.agency if form else agency,
            ),
            field(
                "heading",
                "device",
                _("Heading of the risk review (optional)"),
                _("Only sorts notes for who writes the review. Nothing here scores anyone."),
                choices=tuple(Choice(value=key, text=text, hint="", checked=key == chosen) for key, text in headings),
            ),
            field(
                "about",
                "device",
                _("What it is about"),
                choices=tuple(Choice(value=key, text=text, hint="", checked=key == wanted) for key, text in about),
            ),
            *((field("corrects", "hidden", "", value=corrects),) if corrects else ()),
        ),
        emergency="",
    )
