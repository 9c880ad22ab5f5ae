"""*Requests from the home*: what was filled in on the box's own page, and what an officer did about it (N12, R59)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.access import May, needs
from dashboard.pages import acting, typed, words
from dashboard.pages.act_forms import MOST_REASON, Spec
from dashboard.pages.asking import officer
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts_law import RequestRow, RequestsPage
from dashboard.pages.desk import desk, household_or_404, id_or_404, show, who
from dashboard.pages.typed import Errors
from dashboard.store import devices
from dashboard.store.arrangements import names_of
from dashboard.store.devices import StoredDevice
from dashboard.store.law import StoredRequest, answer_request, requests_of
from dashboard.store.queries import Household, write_audit

pages = Blueprint("requests", __name__)
_KINDS = {
    "guest": "A visitor says that this device is theirs",
    "correction": "Somebody says that the box has something wrong",
    "access": "Somebody asks for what is known about their device",
    "complaint": "Somebody complains",
}
ANSWER = Spec(
    key="answer",
    heading="Answer, and close the request",
    says="What you write is kept here, beside the request. It is not shown on the box's page.",
    button="Close the request",
    fields=(("reason", "area", "What you did about it", "Do not use anyone's name."),),
    make=lambda _: None,
)


@pages.get("/households/<site>/requests")
@needs(May.SEE)
def requests(site: str) -> Response:
    """A household's requests."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), None, None, ())


@pages.post("/households/<site>/requests/<reference>")
@needs(May.DECIDE)
def answer(site: str, reference: str) -> ResponseReturnValue:
    """Close one with what was done about it."""
    asking, at_desk = officer(), desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
    note = " ".join(typed.tidy(request.form.get("reason", "")).split())
    errors = tuple((f"answer-{field}", text) for field, text in typed.reason_errors("reason", note, MOST_REASON))
    if errors:
        with at_desk.reads.connect() as connection:
            return _show(connection, home, request.form, id_or_404(reference), errors)
    now = at_desk.now()
    with at_desk.engine.begin() as connection:
        done = answer_request(
            connection, site_id=site, request_id=id_or_404(reference), note=note, by=asking.account_id, now=now
        )
        if done:
            write_audit(
                connection,
                at=now,
                account_id=asking.account_id,
                action="answer-request",
                subject=f"{site}/{reference}",
                outcome="answered",
            )
    if not done:
        abort(404)
    return redirect(f"/households/{site}/requests", 303)


def _show(
    connection: Connection, home: Household, sent: Mapping[str, str] | None, about: str | None, errors: Errors
) -> Response:
    at_desk, site = desk(), home.site
    waiting = requests_of(connection, site, state="open")
    answered = requests_of(connection, site, state="answered")
    rows = (*waiting, *answered)
    known = devices.devices_named(connection, site, {row.device_id for row in rows if row.device_id})
    people = names_of(connection, {row.answered_by for row in rows if row.answered_by})
    bar = household_bar(at_desk, connection, home, "order")
    connection.close()

    built = []
    for number, row in enumerate(rows, 1):
        mine = about == row.request_id
        form = None
        if row.state == "open" and who().role.acts:
            form = acting.form(
                ANSWER,
                f"/households/{site}/requests/{row.request_id}",
                typed=sent if mine else None,
                errors=errors if mine else (),
                suffix=f"-{number}",
            )
        built.append(
            RequestRow(
                anchor=f"request-{number}",
                kind=_KINDS.get(row.kind, words.plain(row.kind, 20)),
                text=words.plain(row.text.replace("\n", " "), 500),
                device=_device(row, known),
                device_address=f"/households/{site}/devices/{row.device_id}" if row.device_id in known else "",
                at=at_desk.moment(row.at),
                until=at_desk.moment_or_none(row.until),
                answer=_answer(row, people),
                form=form,
            )
        )
    page = RequestsPage(
        bar=bar,
        open=tuple(built[: len(waiting)]),
        answered=tuple(built[len(waiting) :]),
        errors=errors,
    )
    return show(
        "requests",
        page,
        title="Error: Requests from the home" if errors else "Requests from the home",
        action="view-requests",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _device(row: StoredRequest, known: Mapping[str, StoredDevice]) -> str:
    if row.device_id is None:
        return "A device that the box does not know"
    proved = "It was proved that it is this device." if row.proved else "It was not proved that it is this device."
    return f"{acting.short(known.get(row.device_id), row.device_id)}. {proved}"


def _answer(row: StoredRequest, people: Mapping[str, str]) -> str:
    if row.state == "open":
        return ""
    by = people.get(row.answered_by or "", "an account")
    return f"{words.plain(row.note, 500)} ({words.plain(by, 120)})"
