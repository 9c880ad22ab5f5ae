"""*Tokens for programs*: make one, see when it was used last, end it; and the list of what a program can ask for."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import tokens
from dashboard.access import May, Role, needs, step_up
from dashboard.i18n import N_, _
from dashboard.pages import typed, words
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_tokens import InterfacePage, OperationRow, TokenRow, TokensPage
from dashboard.pages.desk import desk, id_or_404, show, who
from dashboard.tokens import MOST_DAYS, MOST_NAME, OFFERED, SERVICE_ROLES, StoredToken, TokenError

pages = Blueprint("tokens", __name__)
_RIGHTS = {
    May.SEE: N_("Read about the households in your charge"),
    May.DECIDE: N_("Decide in your name: send to boxes, answer, review"),
    May.INSTALL: N_("Fit a box"),
    May.SEE_BOXES: N_("Read the health of boxes, without anything about persons"),
    May.SEE_LISTS: N_("Read which lists are in use"),
    May.SEE_TEAM: N_("Read the load of all officers"),
    May.SEE_AUDIT: N_("Read who did what"),
}
_SERVICES = {
    Role.AUDITOR: N_("A service that reads about all households"),
    Role.ENGINEER: N_("A service that reads about boxes alone"),
}
_MINE = "mine"


@pages.get("/tokens")
@needs(May.BE_HERE)
def tokens_page() -> Response:
    """An account's own tokens; everybody's for who manages accounts."""
    return _show()


@pages.post("/tokens")
@needs(May.BE_HERE)
@step_up
def make() -> ResponseReturnValue:
    """Make a token, and show it once."""
    at_desk, form = desk(), request.form
    days = typed.whole(form.get("days", "").strip(), MOST_DAYS)
    name = typed.tidy(form.get("name", ""))
    chosen = [right for right in OFFERED if right in form.getlist("rights")]
    whose = form.get("whose", _MINE)
    service = next((role for role in SERVICE_ROLES if role == whose), None)
    errors = []
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        errors.append(("name", _("Say what it is for, in 1 to %(most)s characters", most=MOST_NAME)))
    if not chosen:
        errors.append(("rights", _("Select what it may do")))
    if days is None:
        errors.append(("days", _("Days must be a whole number from 1 to %(most)s", most=MOST_DAYS)))
    if service is None and whose != _MINE:
        errors.append(("whose", _("Select whose it is")))
    if errors or days is None:
        return _show(errors=tuple(errors))
    if service is not None:
        # A service has what its role can read, of what was ticked.
        chosen = [right for right in chosen if service.may(right)]
    try:
        made = tokens.make(
            at_desk.engine, by=who(), name=name, rights=chosen, days=days, now=at_desk.now(), service=service
        )
    except TokenError as error:
        return _show(errors=(("rights", str(error)),))
    return _show(made=made)


@pages.post("/tokens/<reference>/end")
@needs(May.BE_HERE)
def end(reference: str) -> ResponseReturnValue:
    """End a token at once."""
    tokens.end(desk().engine, token_id=id_or_404(reference), by=who(), now=desk().now())
    return redirect("/tokens", 303)


@pages.get("/tokens/interface")
@needs(May.BE_HERE)
def described() -> Response:
    """What a program can ask for: the document, for people, without any script."""
    groups: dict[str, list[OperationRow]] = {}
    for one in current_app.extensions["gatehouse-api"].api.operations:
        taken: dict[str, Any] = dict((one.body or one.query).model_fields)
        groups.setdefault(one.tag, []).append(
            OperationRow(
                method=one.method,
                path=f"/api/v1{one.rule}",
                says=one.summary,
                need=one.need,
                fields=tuple(name if field.is_required() else f"{name} (optional)" for name, field in taken.items()),
            )
        )
    page = InterfacePage(
        groups=tuple((tag, tuple(rows)) for tag, rows in groups.items()), document="/api/v1/openapi.json"
    )
    return show("interface", page, title=_("Interface for programs"))


def _show(*, made: str = "", errors: tuple[tuple[str, str], ...] = ()) -> Response:
    at_desk, asking, form = desk(), who(), request.form
    now = at_desk.now()
    with at_desk.reads.connect() as connection:
        stored = tokens.tokens_for(connection, asking)
    ticked = form.getlist("rights") if errors else [May.SEE.value]
    page = TokensPage(
        token=made,
        rows=tuple(_row(row, now) for row in stored),
        rights=tuple(
            Choice(value=right, text=_(_RIGHTS[right]), hint="", checked=right in ticked)
            for right in OFFERED
            if asking.role.may(right)
        ),
        services=tuple(
            Choice(value=value, text=text, hint="", checked=value == (form.get("whose", _MINE) if errors else _MINE))
            for value, text in ((_MINE, _("Mine")), *((role.value, _(_SERVICES[role])) for role in SERVICE_ROLES))
        )
        if asking.role.may(May.MANAGE)
        else (),
        name=words.plain(form.get("name", ""), MOST_NAME) if errors else "",
        days=words.plain(form.get("days", ""), 5) if errors else "30",
        errors=errors,
        most_days=MOST_DAYS,
    )
    return show(
        "tokens",
        page,
        title=_("Error: Tokens for programs") if errors else _("Tokens for programs"),
        action="view-tokens",
        status=422 if errors else 200,
    )


def _row(row: StoredToken, now: float) -> TokenRow:
    at_desk = desk()
    if row.ended_at is not None:
        state = _("Ended")
    elif row.expires_at <= now:
        state = _("Over")
    else:
        state = _("Works")
    works = row.ended_at is None and row.expires_at > now
    return TokenRow(
        anchor=f"token-{row.token_id}",
        name=words.plain(row.name, MOST_NAME),
        account=words.plain(row.account_name, 120),
        rights=tuple(_(_RIGHTS[May(item)]) for item in row.rights if item in tuple(OFFERED)),
        made=at_desk.moment(row.created_at),
        until=at_desk.moment(row.expires_at),
        used=at_desk.moment_or_none(row.used_at),
        state=state,
        target=f"/tokens/{row.token_id}/end" if works else "",
    )
