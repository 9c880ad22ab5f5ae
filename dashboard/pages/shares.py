"""*Shared with other agencies*: who may read which parts of one household, for what, until when (S2).

An invitation is a link and a code; the code is shown once, counts once, and goes another way than the link.
"""

from __future__ import annotations

import secrets

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.security import generate_password_hash

from dashboard import commands
from dashboard.access import May, needs, step_up
from dashboard.commands import TOKEN
from dashboard.i18n import N_, _
from dashboard.pages import typed, visiting, words
from dashboard.pages.asking import officer
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_share import Invitation, NoteRow, ShareRow, SharesPage
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.typed import Errors
from dashboard.store import shares
from dashboard.store.arrangements import names_of
from dashboard.store.queries import Household, write_audit
from dashboard.store.shares import Share, ShareNote

pages = Blueprint("shares", __name__)
SECTIONS: tuple[tuple[str, str], ...] = (
    ("order", N_("Order: kind and dates")),
    ("findings", N_("Findings: what was seen, without names of services")),
    ("devices", N_("Devices of the person, by kind")),
    ("visits", N_("Visits: dates and what they led to")),
    ("coverage", N_("Whether the box reports")),
)
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 10
_FIELDS = (("agency", 80), ("reader", 80), ("purpose", 300))


@pages.get("/households/<site>/shares")
@needs(May.SEE)
def given(site: str) -> Response:
    """Shares of a household."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), ())


@pages.post("/households/<site>/shares")
@needs(May.EXPORT)
@step_up
def give(site: str) -> ResponseReturnValue:
    """Share a household."""
    asking, at_desk = officer(), desk()
    token, now = request.form.get("token", ""), at_desk.now()
    sections = [value for value, _text in SECTIONS if value in request.form.getlist("sections")]
    errors = _wrong(sections, token)
    days = typed.whole(request.form.get("days", "").strip(), shares.LONGEST_DAYS)
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
    if not errors and days is not None:
        with at_desk.engine.begin() as connection:
            done = shares.add_share(
                connection,
                share_id=token,
                site_id=site,
                agency=_line("agency"),
                reader=_line("reader"),
                purpose=_line("purpose"),
                sections=sections,
                until=now + days * typed.DAY,
                by=asking.account_id,
                now=now,
            )
            if done:
                _audit(connection, "share", f"{site}/{token}", "given")
        if done:
            return _invite(home, token)
        errors = [("agency", _("This was shared already, or too many shares last. End one first"))]
    with at_desk.reads.connect() as connection:
        return _show(connection, home, tuple(errors))


@pages.post("/households/<site>/shares/<share>")
@needs(May.EXPORT)
@step_up
def change(site: str, share: str) -> ResponseReturnValue:
    """Make a new code for a share, or end it."""
    asking, at_desk = officer(), desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        row = shares.share_of(connection, at_desk.settings.tenant, id_or_404(share))
    if row is not None and row.site == site and request.form.get("answer") == "code":
        return _invite(home, share)
    if row is not None and row.site == site and request.form.get("answer") == "end":
        with at_desk.engine.begin() as connection:
            done = shares.end_share(connection, site_id=site, share_id=share, by=asking.account_id, now=at_desk.now())
            _audit(connection, "end-share", f"{site}/{share}", "ended" if done else "not taken")
    return redirect(f"/households/{site}/shares", 303)


def note_rows(at_desk: Desk, notes: tuple[ShareNote, ...]) -> tuple[NoteRow, ...]:
    """Notes of readers in words."""
    return tuple(
        NoteRow(
            by=f"{words.plain(note.agency, 80)}, {words.plain(note.reader, 80)}",
            text=words.plain(note.text, 1000),
            at=at_desk.moment(note.at),
        )
        for note in notes
    )


def _invite(home: Household, share_id: str) -> Response:
    """Make a code, and show it once: it is kept as a hash."""
    at_desk = desk()
    now = at_desk.now()
    code = "".join(secrets.choice(_ALPHABET) for _place in range(CODE_LENGTH))
    code_hash = generate_password_hash(code)  # outside the transaction: it is slow by design
    with at_desk.engine.begin() as connection:
        done = shares.set_code(connection, site_id=home.site, share_id=share_id, code_hash=code_hash, now=now)
        _audit(connection, "make-share-code", f"{home.site}/{share_id}", "done" if done else "not taken")
        row = shares.share_of(connection, at_desk.settings.tenant, share_id)
    made = None
    if done and row is not None:
        made = Invitation(
            to=f"{words.plain(row.agency, 80)}, {words.plain(row.reader, 80)}",
            link=f"{request.host_url}shared/{share_id}",
            code=f"{code[:5]}-{code[5:]}",
            until=at_desk.moment(min(now + shares.CODE_SECONDS, row.until)),
        )
    with at_desk.reads.connect() as connection:
        return _show(connection, home, (), made)


def _wrong(sections: list[str], token: str) -> list[tuple[str, str]]:
    labels = {"agency": _("Agency"), "reader": _("Post"), "purpose": _("Purpose")}
    errors: list[tuple[str, str]] = []
    for name, most in _FIELDS:
        text = _line(name)
        if not text:
            errors.append((name, _("Enter this: %(label)s", label=labels[name])))
        errors += typed.text_errors(name, labels[name], text, most)
    if typed.whole(request.form.get("days", "").strip(), shares.LONGEST_DAYS) is None:
        errors.append(("days", _("Days must be a whole number from 1 to %(most)s", most=shares.LONGEST_DAYS)))
    if not sections:
        errors.append(("sections", _("Select what is shared")))
    if not TOKEN.fullmatch(token):
        errors.append(("agency", typed.INCOMPLETE))
    return errors


def _show(connection: Connection, home: Household, errors: Errors, invitation: Invitation | None = None) -> Response:
    at_desk, site = desk(), home.site
    rows = shares.shares_of(connection, site)
    notes = shares.notes_of(connection, site)
    people = names_of(connection, {row.by for row in rows})
    bar = household_bar(at_desk, connection, home, "visits")
    connection.close()
    role = who().role
    acts = role.acts and role.may(May.EXPORT)
    form = request.form if errors else {}
    page = SharesPage(
        bar=bar,
        invitation=invitation,
        rows=tuple(_row(at_desk, row, people.get(row.by, _("An account")), acts=acts) for row in rows),
        notes=note_rows(at_desk, notes),
        target=f"/households/{site}/shares" if acts else "",
        token=commands.new_token(),
        sections=visiting.chosen(SECTIONS, request.form.getlist("sections") if errors else ()),
        typed=tuple((name, form.get(name, "")[:300]) for name in ("agency", "reader", "purpose", "days")),
        errors=errors,
    )
    title = _("Shared with other agencies")
    return show(
        "shares",
        page,
        title=f"{_('Error')}: {title}" if errors else title,
        action="view-shares",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _row(at_desk: Desk, row: Share, by: str, *, acts: bool) -> ShareRow:
    lasts = row.lasts(at_desk.now())
    until = at_desk.moment(row.until).text
    if row.ended_at is not None:
        state = _("Ended %(at)s", at=at_desk.moment(row.ended_at).text)
    else:
        state = _("Until %(at)s", at=until) if lasts else _("Ended by itself %(at)s", at=until)
    opened = at_desk.moment(row.opened_at).text if row.opened_at else _("Never")
    facts = (
        (_("Purpose"), words.plain(row.purpose)),
        (_("Parts"), visiting.in_words(SECTIONS, row.sections)),
        (_("Shared by"), words.plain(by, 120)),
        (_("Opened last"), opened),
    )
    at = f"/households/{row.site}/shares/{row.share_id}" if acts and lasts else ""
    return ShareRow(
        anchor=f"share-{row.share_id[:12]}",
        title=f"{words.plain(row.agency, 80)}, {words.plain(row.reader, 80)}",
        state=state,
        facts=tuple(Fact(key=key, value=value) for key, value in facts),
        again=at,
        end=at,
    )


def _audit(connection: Connection, action: str, subject: str, outcome: str) -> None:
    write_audit(
        connection, at=desk().now(), account_id=who().account_id, action=action, subject=subject, outcome=outcome
    )


def _line(name: str) -> str:
    return " ".join(typed.tidy(request.form.get(name, "")).split())
