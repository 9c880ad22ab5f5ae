"""Deciding about findings: one, several of one cause, a second person's answer, opening again; and what comes next.

A form in, an act of `store.reviewing` out, once however often it is sent. Where somebody else was quicker nothing is
written: the page comes back with what they decided and what was typed here, and who typed it chooses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, insert, select

from dashboard.access import May, needs
from dashboard.i18n import N_, _
from dashboard.pages import deciding, sentences
from dashboard.pages.asking import officer
from dashboard.pages.desk import desk, id_or_404, who
from dashboard.pages.finding import Sent, finding_or_404, show_finding
from dashboard.pages.forms_review import Reviewed
from dashboard.pages.queue import following
from dashboard.pages.typed import Errors, reason_errors
from dashboard.store import charge, queries, reviewing, reviews
from dashboard.store.outcomes import Action
from dashboard.store.queries import StoredFinding
from dashboard.store.reviewing import ChangedError, Decided, Given
from dashboard.store.schema import account, told

pages = Blueprint("reviewing", __name__)
_TOLD = N_("A finding was referred to you. It is on your Today.")
_ANSWER = N_("Select whether you agree")
_LATE = N_("Somebody else acted meanwhile. Look again, and decide then")


@pages.post("/households/<site>/findings/<finding>/review")
@needs(May.DECIDE)
def review(site: str, finding: str) -> ResponseReturnValue:
    """Decide about a finding, with a reason."""
    asking, at_desk = officer(), desk()
    fields = Reviewed.read(request.form)
    now = at_desk.now()
    with at_desk.reads.connect() as connection:
        row = finding_or_404(connection, site, finding)
        accounts = _accounts(connection, site, now)
        others = [one for one in deciding.alike(queries.same_cause(connection, site, row)) if one in fields.others]
    decided, errors = fields.check(now=now, zone=at_desk.zone, accounts=accounts)
    if decided is None:
        return _again(site, row, Sent(review=fields, errors=errors))
    rules = at_desk.settings.reviews
    needed = row.kind in rules.second_kinds or row.severity in rules.second_severities
    whole = sentences.payload(row.payload)
    hit = whole.hit if whole else None
    decided = replace(decided, second=decided.second or needed, list_id=hit.list_id if hit else None)
    given = Given(by=asking.account_id, now=now, token=fields.token, seen=fields.version)
    after = f"/households/{site}/findings/{row.finding_id}"
    if request.form.get("then") == "next":
        # Before it is written, while this one still has its place in the order.
        with at_desk.reads.connect() as connection:
            after = following(connection, asking, at_desk, f"{site}/{row.finding_id}") or "/"
    try:
        with at_desk.engine.begin() as connection:
            _write(connection, site, row, decided, given, over=fields.over)
            if fields.together and others:
                alike = replace(decided, second=fields.second)
                kinds = (rules.second_kinds, rules.second_severities)
                reviewing.decide_alike(connection, site, others, alike, given, needs_second=kinds)
    except ChangedError:
        with at_desk.reads.connect() as connection:
            row = finding_or_404(connection, site, finding)
        return _again(site, row, Sent(review=fields, meanwhile=True))
    return redirect(after, 303)


@pages.post("/households/<site>/findings/<finding>/second")
@needs(May.DECIDE)
def second(site: str, finding: str) -> ResponseReturnValue:
    """Agree or not, as the second person, with a reason."""
    answer = request.form.get("answer", "")

    def act(connection: Connection, row: StoredFinding, given: Given, reason: str) -> None:
        reviewing.second(connection, site, row.finding_id, given, agrees=answer == "agree", reason=reason)

    wrong = () if answer in {"agree", "disagree"} else (("second-answer", _(_ANSWER)),)
    return _with_reason(site, finding, "second", act, wrong)


@pages.post("/households/<site>/findings/<finding>/reopen")
@needs(May.DECIDE)
def reopen(site: str, finding: str) -> ResponseReturnValue:
    """Let a finding wait for a decision again, with a reason."""

    def act(connection: Connection, row: StoredFinding, given: Given, reason: str) -> None:
        reviewing.reopen(connection, site, row.finding_id, given, reason=reason)

    return _with_reason(site, finding, "reopen", act, ())


@pages.get("/next")
@needs(May.DECIDE)
def following_item() -> ResponseReturnValue:
    """The item after this one, in the order of Today; Today when there is none."""
    at_desk = desk()
    after = request.args.get("after", "")[:160]
    with at_desk.reads.connect() as connection:
        found = following(connection, who(), at_desk, after)
    return redirect("/" if found is None else found, 303)


def _write(
    connection: Connection, site: str, row: StoredFinding, decided: Decided, given: Given, *, over: bool
) -> None:
    seen = given
    if over:
        before = reviews.review_of(connection, site, row.finding_id)
        if before is not None and before.version == given.seen and row.looked_at is not None:
            why = f"Decided anew: {decided.reason}"[:500]
            reviewing.reopen(connection, site, row.finding_id, replace(given, token=f"{given.token}-over"), reason=why)
            seen = replace(given, seen=given.seen + 1)
    if not reviewing.decide(connection, site, row.finding_id, decided, seen):
        return
    if decided.action is Action.REFER and decided.referred_to is not None:
        connection.execute(
            insert(told).values(account_id=decided.referred_to, about=given.token, site=site, text=_TOLD, at=given.now)
        )


def _with_reason(site: str, finding: str, key: str, act: Any, wrong: Errors) -> ResponseReturnValue:
    asking, at_desk = officer(), desk()
    fields = Reviewed.read(request.form)
    with at_desk.reads.connect() as connection:
        row = finding_or_404(connection, site, finding)
    errors = (*wrong, *reason_errors(f"{key}-reason", fields.reason))
    if not errors:
        given = Given(
            by=asking.account_id, now=at_desk.now(), token=id_or_404(fields.token), seen=max(0, fields.version)
        )
        try:
            with at_desk.engine.begin() as connection:
                act(connection, row, given, fields.reason)
        except ChangedError:
            errors = ((f"{key}-reason", _(_LATE)),)
    if errors:
        with at_desk.reads.connect() as connection:
            row = finding_or_404(connection, site, finding)
        return _again(site, row, Sent(reason=fields, errors=errors))
    return redirect(f"/households/{site}/findings/{row.finding_id}", 303)


def _accounts(connection: Connection, site: str, now: float) -> set[str]:
    query = select(account.c.account_id).where(charge.seers(site, now), account.c.account_id != who().account_id)
    return set(connection.execute(query).scalars())


def _again(site: str, row: StoredFinding, sent: Sent) -> ResponseReturnValue:
    with desk().reads.connect() as connection:
        return show_finding(connection, site, row, sent)
