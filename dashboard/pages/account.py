"""*Your account*: where it is signed in, its keys, who stands in for whom."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask import Blueprint, Response, abort, g, jsonify, redirect, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.access import May, Role, needs, step_up
from dashboard.accounts import authenticator, flows, managing, passkeys, sessions
from dashboard.accounts.sealing import sealer
from dashboard.i18n import N_, _
from dashboard.pages import typed, words
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_account import (
    AccountPage,
    AuthenticatorPage,
    CoverRow,
    PasskeyRow,
    RecoveryPage,
    SessionRow,
)
from dashboard.pages.desk import Desk, desk, id_or_404, show, who
from dashboard.store import charge
from dashboard.store.charge import Cover
from dashboard.store.queries import write_audit

pages = Blueprint("account", __name__)
WAYS = {
    "code": N_("with a one-time code"),
    "passkey": N_("with a passkey"),
    "authenticator": N_("with an authenticator app"),
    "recovery": N_("with a recovery code"),
    "operator": N_("with the operator's sign-in"),
}
ROLES = {
    Role.OFFICER: N_("Officer"),
    Role.SUPERVISOR: N_("Supervisor"),
    Role.INSTALLER: N_("Installer"),
    Role.ENGINEER: N_("Engineer"),
    Role.AUDITOR: N_("Auditor"),
}
_WRONG = N_("That was not right, or was used before. After five wrong tries your name is closed for five minutes")
_WRONG_LINKED = N_("The operator's sign-in was not linked: that person is linked with another account here")


@pages.get("/account")
@needs(May.BE_HERE)
def account() -> Response:
    """Your account."""
    return _account(_(_WRONG_LINKED) if request.args.get("wrong") == "linked" else "", "main-content")


@pages.post("/stay")
@needs(May.BE_HERE)
def stay() -> ResponseReturnValue:
    """Stay signed in: asking for anything does it, so here is nothing but the answer."""
    at_desk, asking = desk(), who()
    now = at_desk.now()
    ends = min(asking.expires_at, now + at_desk.settings.sign_in.idle_seconds)
    with at_desk.engine.begin() as connection:
        sessions.touch(connection, asking, now)
    if request.accept_mimetypes.best == "application/json":
        response = jsonify(ends_in=int(ends - now))
    else:
        response = show("stay", at_desk.moment(ends), title=_("You stay signed in"))
    response.headers["X-Ends-In"] = str(int(ends - now))
    return response


@pages.post("/account/sessions/<session_id>/end")
@needs(May.BE_HERE)
def end_session(session_id: str) -> ResponseReturnValue:
    """End one of your sessions, or all others."""
    at_desk, asking = desk(), who()
    one = None if session_id == "others" else id_or_404(session_id)
    with at_desk.engine.begin() as connection:
        number = sessions.end(
            connection,
            account_id=asking.account_id,
            session_id=one,
            but=asking.token_hash if one is None else "",
            now=at_desk.now(),
        )
        _audit(at_desk, connection, "end-sessions", f"{number} of {asking.account_id}")
    return redirect("/account", 303)


@pages.post("/account/passkeys/begin")
@needs(May.BE_HERE)
@step_up
def passkey_begin() -> ResponseReturnValue:
    """Options for a new passkey."""
    at_desk, asking = desk(), who()
    address = at_desk.settings.sign_in.public_url
    if address is None:
        abort(404)
    with at_desk.engine.begin() as connection:
        options = passkeys.registration(
            connection,
            account_id=asking.account_id,
            name=asking.name,
            service=at_desk.settings.operator,
            public_url=address,
        )
        session["flow"] = flows.begin(
            connection,
            kind="passkey-new",
            account_id=asking.account_id,
            data={"challenge": options["challenge"]},
            now=at_desk.now(),
        )
    return jsonify(options)


@pages.post("/account/passkeys")
@needs(May.BE_HERE)
@step_up
def passkey() -> ResponseReturnValue:
    """Add a passkey."""
    at_desk, asking = desk(), who()
    address, now = at_desk.settings.sign_in.public_url, at_desk.now()
    if address is None:
        abort(404)
    name = " ".join(typed.tidy(request.form.get("name", "")).split())[:60] or _("Passkey")
    done = False
    with at_desk.engine.begin() as connection:
        begun = flows.take(
            connection,
            kind="passkey-new",
            account_id=asking.account_id,
            token=session.pop("flow", None),
            now=now,
        )
        if begun is not None:
            done = passkeys.register(
                connection,
                account_id=asking.account_id,
                answer=request.form.get("credential", ""),
                challenge=begun["challenge"],
                name=name,
                public_url=address,
                now=now,
            )
        _audit(at_desk, connection, "add-passkey", asking.account_id, outcome="done" if done else "failed")
    if not done:
        return _account(_("The passkey was not added. Try again"), "passkey-name", 422)
    return redirect("/account", 303)


@pages.post("/account/passkeys/<key_id>/remove")
@needs(May.BE_HERE)
@step_up
def remove_passkey(key_id: str) -> ResponseReturnValue:
    """Take a passkey away."""
    at_desk, asking = desk(), who()
    with at_desk.engine.begin() as connection:
        if passkeys.remove(connection, account_id=asking.account_id, key_id=key_id[:64]):
            _audit(at_desk, connection, "remove-passkey", asking.account_id)
    return redirect("/account", 303)


@pages.get("/account/authenticator")
@needs(May.BE_HERE)
@step_up
def authenticator_form() -> Response:
    """Set up an authenticator app."""
    return _authenticator("", 200)


@pages.post("/account/authenticator")
@needs(May.BE_HERE)
@step_up
def confirm_authenticator() -> ResponseReturnValue:
    """Take the app's first code and the passphrase; show the recovery codes once."""
    at_desk, asking = desk(), who()
    now, seal = at_desk.now(), sealer(at_desk.secret, "authenticator")
    phrase = request.form.get("phrase", "")
    error = authenticator.phrase_error(phrase)
    if error:
        return _authenticator(error, 422, again=True)
    phrase_hash = authenticator.hash_phrase(phrase)
    codes = None
    with at_desk.engine.begin() as connection:
        token = session.get("flow")
        begun = flows.take(connection, kind="authenticator", account_id=asking.account_id, token=token, now=now)
        secret = None if begun is None else seal.open(begun["secret"], asking.account_id)
        if secret is not None:
            codes = authenticator.set_up(
                connection,
                seal,
                account_id=asking.account_id,
                secret=secret,
                phrase_hash=phrase_hash,
                code="".join(request.form.get("code", "")[:40].split()),
                now=now,
            )
            if codes is None:
                session["flow"] = flows.begin(
                    connection, kind="authenticator", account_id=asking.account_id, data=begun or {}, now=now
                )
        _audit(
            at_desk,
            connection,
            "set-up-authenticator",
            asking.account_id,
            outcome="failed" if codes is None else "done",
        )
    if codes is None:
        return _authenticator(_("The code is not right. Wait for the next one and type that"), 422, again=True)
    session.pop("flow", None)
    return show("recovery", RecoveryPage(codes=codes), title=_("Your recovery codes"))


@pages.post("/account/authenticator/remove")
@needs(May.BE_HERE)
@step_up
def remove_authenticator() -> ResponseReturnValue:
    """Take the authenticator app away."""
    at_desk, asking = desk(), who()
    with at_desk.engine.begin() as connection:
        if authenticator.remove(connection, account_id=asking.account_id):
            _audit(at_desk, connection, "remove-authenticator", asking.account_id)
    return redirect("/account", 303)


@pages.post("/account/cover")
@needs(May.DECIDE)
def cover() -> ResponseReturnValue:
    """Let another officer stand in for you."""
    at_desk, asking = desk(), who()
    now = at_desk.now()
    until = day_end(at_desk, request.form.get("until", ""))
    if until is None:
        return _account(_("Enter the last day, for example 2026-03-27"), "until", 422)
    try:
        with at_desk.engine.begin() as connection:
            charge.add_cover(
                connection,
                account_id=id_or_404(request.form.get("account", "")),
                for_account=asking.account_id,
                since=now,
                until=until,
                by=asking.account_id,
                now=now,
            )
    except ValueError as error:
        return _account(_("That cannot be arranged: %(why)s", why=str(error)), "until", 422)
    return redirect("/account", 303)


@pages.post("/account/cover/<account_id>/<for_account>/end")
@needs(May.DECIDE)
def end_cover(account_id: str, for_account: str) -> ResponseReturnValue:
    """End a standing in that you take part in; a supervisor ends any."""
    at_desk, asking = desk(), who()
    if asking.account_id not in (account_id, for_account) and not asking.role.may(May.MANAGE):
        g.denied = True
        abort(404)
    with at_desk.engine.begin() as connection:
        charge.end_cover(
            connection, account_id=account_id, for_account=for_account, by=asking.account_id, now=at_desk.now()
        )
    return redirect("/accounts" if asking.role.may(May.MANAGE) else "/account", 303)


def day_end(at_desk: Desk, text: str) -> float | None:
    """The end of a day (`2026-03-27`) in the operator's zone, Unix seconds; None where it is no day."""
    try:
        day = datetime.strptime(text.strip()[:20], "%Y-%m-%d").date()  # noqa: DTZ007 - a day, made a time below
        return datetime.combine(day + timedelta(days=1), time(), at_desk.zone).timestamp()
    except (ValueError, OverflowError):
        return None


def session_rows(at_desk: Desk, rows: tuple[sessions.StoredSession, ...], own: str) -> tuple[SessionRow, ...]:
    """Sessions for a page; `own` is the id of the one that asks."""
    return tuple(
        SessionRow(
            session_id=row.session_id,
            client=row.client or _("A browser"),
            origin=words.plain(row.origin, 64) if row.origin else _("unknown"),
            way=_(WAYS[row.way]) if row.way in WAYS else _("in another way"),
            since=at_desk.moment(row.created_at),
            seen=at_desk.moment(row.seen_at),
            own=row.session_id == own,
        )
        for row in rows
    )


def cover_rows(at_desk: Desk, rows: tuple[Cover, ...]) -> tuple[CoverRow, ...]:
    """Covers for a page."""
    return tuple(
        CoverRow(
            text=_(
                "%(one)s stands in for %(other)s",
                one=words.plain(row.name, 120),
                other=words.plain(row.for_name, 120),
            ),
            since=at_desk.moment(row.since),
            until=at_desk.moment(row.until),
            account_id=row.account_id,
            for_account=row.for_account,
        )
        for row in rows
    )


def _account(error: str = "", problem_at: str = "", status: int = 200) -> Response:
    at_desk, asking = desk(), who()
    given, now = at_desk.settings.sign_in, at_desk.now()
    officer = asking.role is Role.OFFICER
    with at_desk.reads.connect() as connection:
        rows = sessions.sessions_of(connection, asking.account_id, now, given.idle_seconds)
        keys = passkeys.passkeys_of(connection, asking.account_id)
        since, recovery = authenticator.since(connection, asking.account_id)
        covers = charge.covers_of(connection, asking.account_id, now)
        officers = managing.officers(connection) if officer else ()
        linked = managing.is_linked(connection, asking.account_id)
    page = AccountPage(
        name=words.plain(asking.name, 120),
        role=_(ROLES[asking.role]),
        sessions=session_rows(at_desk, rows, sessions.id_of(asking.token_hash)),
        passkeys_on=given.public_url is not None,
        passkeys=tuple(
            PasskeyRow(
                key_id=row.credential_id[: passkeys.KEY_ID],
                name=words.plain(row.name, 60),
                made=at_desk.moment(row.made_at),
                used=at_desk.moment_or_none(row.used_at),
            )
            for row in keys
        ),
        authenticator=at_desk.moment_or_none(since),
        recovery=recovery,
        operator=given.operator.name if given.operator else "",
        linked=linked,
        covers=cover_rows(at_desk, covers),
        officers=tuple(
            Choice(value=one, text=words.plain(name, 120), hint="", checked=False)
            for one, name in officers
            if one != asking.account_id
        ),
        error=error,
        problem_at=problem_at,
    )
    title = _("Error: Your account") if error else _("Your account")
    return show("account", page, title=title, action="view-own-account", subject=asking.account_id, status=status)


def _authenticator(error: str, status: int, *, again: bool = False) -> Response:
    at_desk, asking = desk(), who()
    now, seal = at_desk.now(), sealer(at_desk.secret, "authenticator")
    secret = None
    with at_desk.engine.begin() as connection:
        if again:
            # What the app was shown is shown again: it has it already.
            begun = flows.take(
                connection, kind="authenticator", account_id=asking.account_id, token=session.get("flow"), now=now
            )
            secret = None if begun is None else seal.open(begun["secret"], asking.account_id)
        secret = secret or authenticator.new_secret()
        session["flow"] = flows.begin(
            connection,
            kind="authenticator",
            account_id=asking.account_id,
            data={"secret": seal.seal(secret, asking.account_id)},
            now=now,
        )
    page = AuthenticatorPage(
        qr=authenticator.qr(secret, name=asking.name, service=at_desk.settings.operator),
        secret=authenticator.grouped(secret),
        error=error,
    )
    title = _("Error: Set up an authenticator app") if error else _("Set up an authenticator app")
    return show("authenticator", page, title=title, status=status)


def _audit(at_desk: Desk, connection: Connection, action: str, subject: str, outcome: str = "done") -> None:
    write_audit(
        connection,
        at=at_desk.now(),
        account_id=who().account_id,
        action=action,
        subject=subject,
        outcome=outcome,
    )
