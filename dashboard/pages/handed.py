"""*Records handed out*: ask with two people, see how far it is, certify, download (R68, N12).

A download is a view of its own in the audit, each time. The file is sent as it lies in the database, chunk by chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.access import May, needs
from dashboard.bundles import shelf
from dashboard.bundles.shelf import Shelved
from dashboard.commands import AlreadySent
from dashboard.pages import act_forms, acting, typed, words
from dashboard.pages.act_forms import Spec
from dashboard.pages.asking import again, asked_rows, officer, send
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_law import BundleRow, HandedPage
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.typed import Errors
from dashboard.store.arrangements import names_of
from dashboard.store.law import acts_of
from dashboard.store.queries import Household, write_audit

pages = Blueprint("handed", __name__)
CERTIFY = Spec(
    key="certify",
    heading="Certify it",
    says="Your statement becomes part of it, with your account and the time. It cannot be taken back.",
    button="Certify",
    fields=(("reason", "area", "Statement", "What you checked, and that you believe it to be right."),),
    make=lambda _: None,
)
_STATES = {
    "fetching": "Coming from the box",
    "arrived": "All of it is here; it is being put together",
    "complete": "Ready",
    "failed": "It could not be put together",
    "gone": "Erased here, as its time was over",
}


@pages.get("/households/<site>/handed")
@needs(May.SEE)
def handed(site: str) -> Response:
    """What was collected."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), None, (), None)


@pages.post("/households/<site>/handed")
@needs(May.DECIDE)
def collect(site: str) -> ResponseReturnValue:
    """Ask for records to be collected."""
    officer()
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        known = acting.known_devices(connection, site)
    decision, errors = act_forms.check(act_forms.BUNDLE, acting.given(at_desk, request.form, known=known))
    if decision is not None:
        try:
            return send(decision, site)
        except AlreadySent as error:
            errors = (("bundle-reason", again(error)),)
    with at_desk.reads.connect() as connection:
        return _show(connection, home, request.form, errors, None)


@pages.post("/households/<site>/handed/<reference>")
@needs(May.DECIDE)
def certify(site: str, reference: str) -> ResponseReturnValue:
    """Certify what was collected."""
    asking, at_desk = officer(), desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
    text = " ".join(typed.tidy(request.form.get("reason", "")).split())
    wrong = typed.reason_errors("reason", text, shelf.MAX_STATEMENT)
    if wrong:
        errors = tuple((f"certify-{name}", said) for name, said in wrong)
        with at_desk.reads.connect() as connection:
            return _show(connection, home, request.form, errors, id_or_404(reference))
    now = at_desk.now()
    with at_desk.engine.begin() as connection:
        done = shelf.certify(
            connection, site=site, bundle_id=id_or_404(reference), by=asking.account_id, text=text, now=now
        )
        write_audit(
            connection,
            at=now,
            account_id=asking.account_id,
            action="certify-bundle",
            subject=f"{site}/{reference}",
            outcome="certified" if done else "not taken",
        )
    return redirect(f"/households/{site}/handed", 303)


@pages.get("/households/<site>/handed/<reference>/file")
@needs(May.EXPORT)
def file(site: str, reference: str) -> Response:
    """Download one that is ready."""
    asking, at_desk = officer(), desk()
    with at_desk.reads.connect() as connection:
        household_or_404(connection, site)
        found = [item for item in shelf.bundles_of(connection, site) if item.bundle_id == id_or_404(reference)]
    if not found or found[0].state != "complete":
        abort(404)
    with at_desk.engine.begin() as connection:
        write_audit(
            connection,
            at=at_desk.now(),
            account_id=asking.account_id,
            action="download-bundle",
            subject=f"{site}/{reference}",
            outcome="handed out",
        )

    answer = Response(_chunks(at_desk, site, found[0]), mimetype="application/zip")
    # One that is completed anew meanwhile ends short of this, and the browser says so.
    answer.headers["Content-Length"] = str(found[0].octets)
    answer.headers["Content-Disposition"] = f'attachment; filename="{found[0].bundle_id}.zip"'
    return answer


def _chunks(at_desk: Desk, site: str, item: Shelved) -> Iterator[bytes]:
    """The file, a short transaction a chunk: on SQLite one that is read from as slowly as a line is would stop the writers."""
    number = 0
    while True:
        with at_desk.reads.connect() as connection:
            chunk = shelf.chunk_of(connection, site, item.bundle_id, number, sha256=item.sha256)
        if chunk is None:
            return
        yield chunk
        number += 1


def _show(
    connection: Connection, home: Household, sent: Mapping[str, str] | None, errors: Errors, about: str | None
) -> Response:
    at_desk, site = desk(), home.site
    bundles = shelf.bundles_of(connection, site)
    people = names_of(connection, {item.certified_by for item in bundles if item.certified_by})
    asked = acts_of(connection, site, ("build-bundle",))
    known = acting.known_devices(connection, site)
    bar = household_bar(at_desk, connection, home, "order")
    connection.close()
    acts = who().role.acts
    at = f"/households/{site}/handed"
    rows = []
    for number, item in enumerate(bundles, 1):
        mine = about == item.bundle_id
        form = None
        if acts and item.state == "complete" and item.certified_by is None:
            form = acting.form(
                CERTIFY,
                f"{at}/{item.bundle_id}",
                typed=sent if mine else None,
                errors=errors if mine else (),
                suffix=f"-{number}",
            )
        rows.append(
            BundleRow(
                name=item.bundle_id,
                state=_state(item),
                facts=_facts(at_desk, item, people),
                address=f"{at}/{item.bundle_id}/file" if acts and item.state == "complete" else "",
                certify=form,
            )
        )
    page = HandedPage(
        bar=bar,
        bundles=tuple(rows),
        asked=asked_rows(at_desk, asked[:10]),
        ask=acting.form(
            act_forms.BUNDLE, at, known=known, typed=sent, errors=errors, everybody="All registered devices"
        )
        if acts
        else None,
        errors=errors,
    )
    return show(
        "handed",
        page,
        title="Error: Records handed out" if errors else "Records handed out",
        action="view-handed",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _state(item: Shelved) -> str:
    said = _STATES.get(item.state, words.plain(item.state, 20))
    if item.state == "fetching":
        said += f": {item.arrived:,} of {words.count(item.parts, 'part', 'parts')}"
    return f"{said}. {words.plain(item.problem)}" if item.problem else said


def _facts(at_desk: Desk, item: Shelved, people: Mapping[str, str]) -> tuple[Fact, ...]:
    facts = [
        ("Collected", at_desk.moment(item.built_at).text),
        ("Records", f"{item.records:,}"),
        ("Kept on the box until", at_desk.moment(item.expires).text),
    ]
    if item.sha256:
        facts.append(("Digest (SHA-256)", item.sha256))
    if item.certified_by and item.certified_at is not None:
        by = words.plain(people.get(item.certified_by, "An account"), 120)
        facts.append(("Certified", f"{by}, {at_desk.moment(item.certified_at).text}"))
        facts.append(("Statement", words.plain(item.certified_text or "", 500)))
    else:
        facts.append(("Certified", "No: intelligence only"))
    return tuple(Fact(key=key, value=value) for key, value in facts)
