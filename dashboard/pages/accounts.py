"""*Accounts*, for supervisors: make them, give them households, let one stand in for another, take keys away, end them."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, select

from dashboard import auth
from dashboard.access import May, Role, needs, step_up
from dashboard.accounts import managing, sessions
from dashboard.accounts.managing import StoredAccount
from dashboard.i18n import N_, _
from dashboard.pages import typed, words
from dashboard.pages.account import ROLES, cover_rows, day_end, session_rows
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_account import AccountRow, AccountsPage, OneAccountPage, RoleRequestRow
from dashboard.pages.desk import desk, id_or_404, show, who
from dashboard.store import charge
from dashboard.store.queries import MOST_SITES, write_audit
from dashboard.store.schema import assignment, site

pages = Blueprint("accounts", __name__)
CODE_SECONDS = 24 * 3600.0
"""How long a first sign-in code works."""
_CANNOT = N_("That cannot be done: %(why)s")


@pages.get("/accounts")
@needs(May.MANAGE)
def accounts() -> Response:
    """All accounts."""
    return _all()


@pages.post("/accounts")
@needs(May.MANAGE)
@step_up
def make() -> ResponseReturnValue:
    """Make an account, with a code for its first sign-in."""
    at_desk, now = desk(), desk().now()
    name = " ".join(typed.tidy(request.form.get("name", "")).split())
    chosen = request.form.get("role", "")
    if chosen not in tuple(Role):
        return _all(typed_name=name, error=_("Choose a role"), problem_at="role", status=422)
    try:
        account_id = managing.make(at_desk.engine, name=name, role=Role(chosen), by=who().account_id, now=now)
    except ValueError as error:
        return _all(typed_name=name, error=_(_CANNOT, why=str(error)), problem_at="name", status=422)
    code = auth.make_code(at_desk.engine, name=name, now=now, lifetime=CODE_SECONDS, by=who().account_id)
    return _one(account_id, code=code)


@pages.post("/accounts/cover")
@needs(May.MANAGE)
def cover() -> ResponseReturnValue:
    """Let one officer stand in for another."""
    at_desk, now = desk(), desk().now()
    until = day_end(at_desk, request.form.get("until", ""))
    if until is None:
        return _all(error=_("Enter the last day, for example 2026-03-27"), problem_at="until", status=422)
    try:
        with at_desk.engine.begin() as connection:
            charge.add_cover(
                connection,
                account_id=id_or_404(request.form.get("account", "")),
                for_account=id_or_404(request.form.get("for", "")),
                since=now,
                until=until,
                by=who().account_id,
                now=now,
            )
    except ValueError as error:
        return _all(error=_(_CANNOT, why=str(error)), problem_at="until", status=422)
    return redirect("/accounts", 303)


@pages.post("/accounts/give")
@needs(May.MANAGE)
def give_nobodys() -> ResponseReturnValue:
    """Give households that nobody is in charge of to an officer."""
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        one = _account(connection, request.form.get("account", ""))
        if one.role != Role.OFFICER:
            abort(400)
        charge.assign(
            connection, sites=_sites(connection), account_id=one.account_id, by=who().account_id, now=at_desk.now()
        )
    return redirect("/accounts", 303)


@pages.post("/accounts/roles/<request_id>/<answer>")
@needs(May.MANAGE)
@step_up
def answer_role(request_id: str, answer: str) -> ResponseReturnValue:
    """Agree to somebody becoming a supervisor, as the second one, or refuse."""
    if answer not in ("agree", "refuse"):
        abort(404)
    with desk().engine.begin() as connection:
        managing.answer_role(
            connection,
            request_id=id_or_404(request_id),
            agree=answer == "agree",
            by=who().account_id,
            now=desk().now(),
        )
    return redirect("/accounts", 303)


@pages.get("/accounts/<account_id>")
@needs(May.MANAGE)
def account(account_id: str) -> Response:
    """One account."""
    return _one(account_id)


@pages.post("/accounts/<account_id>/role")
@needs(May.MANAGE)
@step_up
def role(account_id: str) -> ResponseReturnValue:
    """Give an account another role."""
    chosen = request.form.get("role", "")
    if chosen not in tuple(Role):
        return _one(account_id, error=_("Choose a role"), status=422)
    try:
        with desk().engine.begin() as connection:
            one = _account(connection, account_id)
            managing.set_role(
                connection, account_id=one.account_id, role=Role(chosen), by=who().account_id, now=desk().now()
            )
    except ValueError as error:
        return _one(account_id, error=_(_CANNOT, why=str(error)), status=422)
    return redirect(f"/accounts/{account_id}", 303)


@pages.post("/accounts/<account_id>/households/<what>")
@needs(May.MANAGE)
def households(account_id: str, what: str) -> ResponseReturnValue:
    """Give an account households, or take some away."""
    if what not in ("give", "take"):
        abort(404)
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        one = _account(connection, account_id)
        if one.role not in (Role.OFFICER, Role.INSTALLER):
            abort(400)
        change = charge.assign if what == "give" else charge.unassign
        change(connection, sites=_sites(connection), account_id=one.account_id, by=who().account_id, now=at_desk.now())
    return redirect(f"/accounts/{account_id}", 303)


@pages.post("/accounts/<account_id>/code")
@needs(May.MANAGE)
@step_up
def code(account_id: str) -> ResponseReturnValue:
    """A fresh one-time code for an account, shown once."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        one = _account(connection, account_id)
    # Whoever has the code is that person: nobody makes one for another supervisor alone.
    if one.role == Role.SUPERVISOR and one.account_id != who().account_id:
        return _one(
            account_id, error=_("A supervisor's code is made where this service runs, with its command"), status=422
        )
    made = auth.make_code(at_desk.engine, name=one.name, now=at_desk.now(), lifetime=CODE_SECONDS, by=who().account_id)
    return _one(account_id, code=made)


@pages.post("/accounts/<account_id>/reset")
@needs(May.MANAGE)
@step_up
def reset(account_id: str) -> ResponseReturnValue:
    """Take an account's keys away and sign it out everywhere."""
    with desk().engine.begin() as connection:
        one = _account(connection, account_id)
        managing.reset_keys(connection, account_id=one.account_id, by=who().account_id, now=desk().now())
    return redirect(f"/accounts/{account_id}" if account_id != who().account_id else "/sign-in", 303)


@pages.post("/accounts/<account_id>/sessions/<session_id>/end")
@needs(May.MANAGE)
def end_session(account_id: str, session_id: str) -> ResponseReturnValue:
    """Sign an account out somewhere, or everywhere."""
    with desk().engine.begin() as connection:
        one = _account(connection, account_id)
        which = None if session_id == "all" else id_or_404(session_id)
        number = sessions.end(connection, account_id=one.account_id, session_id=which, now=desk().now())
        write_audit(
            connection,
            at=desk().now(),
            account_id=who().account_id,
            action="end-sessions",
            subject=f"{number} of {one.account_id}",
            outcome="done",
        )
    return redirect(f"/accounts/{account_id}", 303)


@pages.post("/accounts/<account_id>/close")
@needs(May.MANAGE)
@step_up
def close(account_id: str) -> ResponseReturnValue:
    """End an account for good; its households are nobody's then, and supervisors are shown so."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        one = _account(connection, account_id)
    if one.account_id == who().account_id:
        return _one(account_id, error=_("Nobody ends their own account; ask another supervisor"), status=422)
    auth.close_account(at_desk.engine, name=one.name, now=at_desk.now(), by=who().account_id)
    return redirect("/accounts", 303)


def _account(connection: Connection, account_id: str) -> StoredAccount:
    found = managing.accounts(connection, desk().now(), account_id=id_or_404(account_id))
    if not found:
        abort(404)
    return found[0]


def _sites(connection: Connection) -> list[str]:
    """Households that were ticked, as far as they are the operator's."""
    ticked = request.form.getlist("site")[:MOST_SITES]
    known = select(site.c.site).where(site.c.tenant == desk().settings.tenant, site.c.site.in_(ticked))
    return [*connection.execute(known).scalars()]


def _keys(one: StoredAccount) -> str:
    said = []
    if one.passkeys:
        said.append(words.count(one.passkeys, "passkey", "passkeys"))
    if one.authenticator:
        said.append(_("authenticator app"))
    if one.linked:
        said.append(_("operator's sign-in"))
    return ", ".join(said) or _("one-time codes only")


def _roles(chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value=one.value, text=_(ROLES[one]), hint="", checked=one == chosen) for one in Role)


def _all(*, typed_name: str = "", error: str = "", problem_at: str = "", status: int = 200) -> Response:
    at_desk, now = desk(), desk().now()
    tenant = at_desk.settings.tenant
    with at_desk.reads.connect() as connection:
        rows = managing.accounts(connection, now)
        waiting = managing.role_requests(connection, now)
        covers = charge.covers_of(connection, None, now)
        query = select(site.c.site, site.c.title).where(charge.nobodys(tenant, now)).order_by(site.c.title)
        nobodys = [(row[0], row[1]) for row in connection.execute(query.limit(MOST_SITES))]
    page = AccountsPage(
        accounts=tuple(
            AccountRow(
                account_id=row.account_id,
                address=f"/accounts/{row.account_id}",
                name=words.plain(row.name, 120),
                role=_(ROLES[Role(row.role)]),
                households=row.households,
                last=at_desk.moment_or_none(row.last_sign_in),
                keys=_keys(row),
            )
            for row in rows
        ),
        nobodys=tuple((one, words.plain(title, 120)) for one, title in nobodys),
        requests=tuple(
            RoleRequestRow(
                request_id=row.request_id,
                text=_(
                    "%(name)s is to become %(role)s; %(by)s asked for it",
                    name=words.plain(row.name, 120),
                    role=_(ROLES[Role(row.role)]).lower(),
                    by=words.plain(row.by_name, 120),
                ),
                at=at_desk.moment(row.at),
                mine=row.by == who().account_id,
            )
            for row in waiting
        ),
        covers=cover_rows(at_desk, covers),
        officers=tuple(
            Choice(value=row.account_id, text=words.plain(row.name, 120), hint="", checked=False)
            for row in rows
            if row.role == Role.OFFICER
        ),
        roles=_roles(Role.OFFICER.value),
        typed=words.plain(typed_name, 120) if typed_name else "",
        error=error,
        problem_at=problem_at,
    )
    title = _("Error: Accounts") if error else _("Accounts")
    return show("accounts", page, title=title, action="view-accounts", section="accounts", status=status)


def _one(account_id: str, *, code: str = "", error: str = "", status: int = 200) -> Response:
    at_desk, now = desk(), desk().now()
    tenant = at_desk.settings.tenant
    with at_desk.reads.connect() as connection:
        one = _account(connection, account_id)
        rows = sessions.sessions_of(connection, one.account_id, now, at_desk.settings.sign_in.idle_seconds)
        mine = select(assignment.c.site).where(assignment.c.account_id == one.account_id, assignment.c.until.is_(None))
        held = set(connection.execute(mine).scalars())
        query = select(site.c.site, site.c.title).where(site.c.tenant == tenant).order_by(site.c.title, site.c.site)
        sites = [(row[0], words.plain(row[1], 120)) for row in connection.execute(query.limit(MOST_SITES))]
    page = OneAccountPage(
        account_id=one.account_id,
        name=words.plain(one.name, 120),
        role=_(ROLES[Role(one.role)]),
        roles=_roles(one.role),
        own=one.account_id == who().account_id,
        last=at_desk.moment_or_none(one.last_sign_in),
        keys=_keys(one),
        sessions=session_rows(at_desk, rows, sessions.id_of(who().token_hash)),
        given=tuple(item for item in sites if item[0] in held),
        others=tuple(item for item in sites if item[0] not in held),
        takes_households=one.role in (Role.OFFICER, Role.INSTALLER),
        error=error,
        code=code,
    )
    title = _("Error: Account") if error else _("Account")
    return show(
        "one-account",
        page,
        title=title,
        action="view-account",
        subject=one.account_id,
        section="accounts",
        status=status,
    )
