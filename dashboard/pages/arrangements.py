"""*Arrangements*: which rules are quiet at a home, when it is away, and which names are its own entries.

What the page lists is what the box last said; what was just sent stands above it until the box says so.
It does not look again by itself: it is full of forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import AlreadySent, Decision
from dashboard.pages import arranging, sentences
from dashboard.pages.asking import again, asked_rows, officer, send
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts_arranged import ArrangementsPage
from dashboard.pages.desk import desk, household_or_404, show, who
from dashboard.pages.forms_arranged import Awayed, Watched, ended
from dashboard.pages.typed import Errors
from dashboard.store import devices, queries
from dashboard.store.arrangements import arrangements_of, names_of
from dashboard.store.devices import StoredDevice
from dashboard.store.queries import Household
from wire.base import Standing
from wire.box import Arrangements

pages = Blueprint("arrangements", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A form of the page that came back with something wrong."""

    away: Awayed | None = None
    watch: Watched | None = None
    errors: Errors = ()


@pages.get("/households/<site>/arrangements")
@needs(May.SEE)
def arrangements(site: str) -> Response:
    """What is arranged with a household's box."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), _Sent())


@pages.post("/households/<site>/arrangements/away")
@needs(May.DECIDE)
def away(site: str) -> ResponseReturnValue:
    """Say that nobody, or one device, will be at home (R15)."""
    officer()
    at_desk, fields = desk(), Awayed.read(request.form)
    with at_desk.reads.connect() as connection:
        household_or_404(connection, site)
        known = {row.device_id for row in _may_be_away(connection, site)}
    decision, errors = fields.check(known, now=at_desk.now(), zone=at_desk.zone)
    return _send(site, decision, _Sent(away=fields, errors=errors), "away-starts")


@pages.post("/households/<site>/arrangements/watch")
@needs(May.DECIDE)
def watch(site: str) -> ResponseReturnValue:
    """Add an entry of the household's own (R35, R67)."""
    officer()
    fields = Watched.read(request.form)
    with desk().reads.connect() as connection:
        household_or_404(connection, site)
    decision, errors = fields.check()
    return _send(site, decision, _Sent(watch=fields, errors=errors), "watch-name")


@pages.post("/households/<site>/arrangements/end-<kind>")
@needs(May.DECIDE)
def end(site: str, kind: str) -> ResponseReturnValue:
    """End a quieted rule, an away time or an entry."""
    officer()
    with desk().reads.connect() as connection:
        household_or_404(connection, site)
    decision = ended(kind, request.form)
    if decision is None:
        abort(400)
    try:
        return send(decision, site)
    except AlreadySent:
        return redirect(f"/households/{site}/arrangements", 303)


def _send(site: str, decision: Decision | None, sent: _Sent, field: str) -> ResponseReturnValue:
    if decision is not None:
        try:
            return send(decision, site)
        except AlreadySent as error:
            sent = replace(sent, errors=((field, again(error)),))
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), sent)


def _may_be_away(connection: Connection, site: str) -> tuple[StoredDevice, ...]:
    # Silence is looked for on registered devices alone.
    return tuple(row for row in devices.devices_of(connection, site) if row.standing == Standing.REGISTERED)


def _show(connection: Connection, home: Household, sent: _Sent) -> Response:
    at_desk, site = desk(), home.site
    stored = arrangements_of(connection, site)
    said = (None if stored is None else sentences.arrangements(stored.payload)) or Arrangements(revision=1)
    registered = _may_be_away(connection, site)
    named = (*(item.device_id for item in said.quieted), *(item.device_id for item in said.away))
    ids = {item for item in named if item is not None}
    accounts = {
        *(item.by for item in said.quieted),
        *(item.by for item in said.away),
        *(item.by for item in said.watch),
    }
    known: Mapping[str, StoredDevice] = devices.devices_named(connection, site, ids)
    people = names_of(connection, accounts)
    asked = queries.commands_about(connection, site, arranging=True)
    bar = household_bar(at_desk, connection, home, "box")
    connection.close()
    acts = who().role.acts
    rows = arranging.Rows(at_desk=at_desk, known=known, people=people, new_token=commands.new_token)
    at = f"/households/{site}/arrangements"
    page = ArrangementsPage(
        bar=bar,
        said_at=at_desk.moment_or_none(stored.stored_at if stored else None),
        asked=asked_rows(at_desk, asked),
        quieted=tuple(rows.quieted(item) for item in sorted(said.quieted, key=lambda item: item.at, reverse=True)),
        away=tuple(rows.away(item) for item in sorted(said.away, key=lambda item: item.ends)),
        watch=tuple(rows.watch(item) for item in sorted(said.watch, key=lambda item: item.name)),
        acts=acts,
        away_form=arranging.away_form(f"{at}/away", registered, sent.away, sent.errors if sent.away else ())
        if acts
        else None,
        watch_form=arranging.watch_form(f"{at}/watch", sent.watch, sent.errors if sent.watch else ()) if acts else None,
        target=f"{at}/end-",
        errors=sent.errors,
    )
    return show(
        "arrangements",
        page,
        title="Error: Arrangements" if sent.errors else "Arrangements",
        action="view-arrangements",
        subject=site,
        section="households",
        status=422 if sent.errors else 200,
    )
