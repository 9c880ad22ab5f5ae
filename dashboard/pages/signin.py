"""*Sign in* and sign out. After signing in nobody is led anywhere but to a page of this service."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, g, jsonify, redirect, request, session
from flask.typing import ResponseReturnValue

from dashboard import auth
from dashboard.accounts import authenticator as authenticators
from dashboard.accounts import flows, passkeys, sessions
from dashboard.accounts.sealing import sealer
from dashboard.i18n import N_, _
from dashboard.pages.contexts_account import AuthenticatorSignInPage, SignInPage
from dashboard.pages.desk import Desk, desk, show
from dashboard.store.queries import write_audit

pages = Blueprint("signin", __name__)

_ERROR = N_(
    "The name or the code is not right, or the code was used before or has run out. "
    "After five wrong tries a name is closed for five minutes"
)
_ERROR_AUTHENTICATOR = N_(
    "The name, the passphrase or the code is not right, or the code was used before. "
    "After five wrong tries a name is closed for five minutes"
)
_ERROR_PASSKEY = N_("This passkey is not known here, or it took too long. Try again, or sign in another way")
_ERROR_OPERATOR = N_(
    "You could not be signed in that way. Try again, or ask a supervisor whether your account is linked"
)
_ERRORS = {"passkey": _ERROR_PASSKEY, "operator": _ERROR_OPERATOR}


@pages.get("/sign-in")
def form() -> ResponseReturnValue:
    """The form."""
    target = safe_target(request.args.get("next", ""))
    if g.get("who") is not None:
        return redirect(target, 303)
    error = _ERRORS.get(request.args.get("wrong", ""), "")
    return _show("", target, _(error) if error else "")


@pages.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Trade name and code for a session."""
    at_desk = desk()
    name = request.form.get("name", "")
    target = safe_target(request.form.get("next", ""))
    now = at_desk.now()
    token = auth.sign_in(
        at_desk.engine,
        name=name,
        code=request.form.get("code", ""),
        now=now,
        is_news=lambda: at_desk.views.is_new(("", "sign-in-failed", ""), now),
        client=client(),
        origin=origin(),
    )
    if token is None:
        return _show(_shown(name), target, _(_ERROR), status=422)
    return enter(token, target)


@pages.get("/sign-in/authenticator")
def authenticator_form() -> ResponseReturnValue:
    """The form for an authenticator app."""
    target = safe_target(request.args.get("next", ""))
    page = AuthenticatorSignInPage(name="", target=target, error="")
    return show("sign-in-authenticator", page, title=_("Sign in with an authenticator app"))


@pages.post("/sign-in/authenticator")
def authenticator() -> ResponseReturnValue:
    """Trade name, passphrase and code for a session."""
    at_desk = desk()
    name = request.form.get("name", "")
    target = safe_target(request.form.get("next", ""))
    token = None
    if name.isprintable():
        token = authenticators.sign_in(
            at_desk.engine,
            sealer(at_desk.secret, "authenticator"),
            name=name,
            phrase=request.form.get("phrase", ""),
            code=request.form.get("code", ""),
            now=at_desk.now(),
            client=client(),
            origin=origin(),
        )
    if token is None:
        page = AuthenticatorSignInPage(name=_shown(name), target=target, error=_(_ERROR_AUTHENTICATOR))
        title = _("Error: Sign in with an authenticator app")
        return show("sign-in-authenticator", page, title=title, status=422)
    return enter(token, target)


@pages.post("/sign-in/passkey/begin")
def passkey_begin() -> ResponseReturnValue:
    """A challenge for a passkey."""
    return jsonify(challenge(desk(), kind="passkey-sign-in", account_id=None))


@pages.post("/sign-in/passkey")
def passkey() -> ResponseReturnValue:
    """Trade a passkey's answer for a session."""
    at_desk = desk()
    target = safe_target(request.form.get("next", ""))
    account_id = answered(at_desk, kind="passkey-sign-in", account_id=None)
    now = at_desk.now()
    with at_desk.engine.begin() as connection:
        if account_id is not None:
            token = sessions.open_session(connection, account_id, now, way="passkey", client=client(), origin=origin())
            write_audit(connection, at=now, account_id=account_id, action="sign-in", subject="passkey", outcome="done")
        elif at_desk.views.is_new(("", "sign-in-failed", "passkey"), now):
            write_audit(
                connection, at=now, account_id=None, action="sign-in-failed", subject="passkey", outcome="failed"
            )
    if account_id is None:
        return _show("", target, _(_ERROR_PASSKEY), status=422)
    return enter(token, target)


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session, here and on the server."""
    at_desk = desk()
    way = ""
    if g.get("who") is not None:
        way = g.who.way
        auth.sign_out(at_desk.engine, who=g.who, now=at_desk.now())
    session.clear()
    return redirect("/sign-in/operator/leave" if way == "operator" else "/sign-in", 303)


def enter(token: str, target: str) -> ResponseReturnValue:
    """Put a session's token into the cookie, and go on."""
    # A fresh session: nothing that a stranger may have put into the old cookie lives on (CSRF token included).
    session.clear()
    session["token"] = token
    return redirect(target, 303)


def challenge(at_desk: Desk, *, kind: str, account_id: str | None) -> dict[str, object]:
    """Begin asking for a passkey; the browser's cookie remembers which challenge is its own."""
    address = at_desk.settings.sign_in.public_url
    if address is None:
        abort(404)
    options = passkeys.asking(address)
    with at_desk.engine.begin() as connection:
        session["flow"] = flows.begin(
            connection,
            kind=kind,
            account_id=account_id,
            data={"challenge": options["challenge"]},
            now=at_desk.now(),
        )
    return options


def answered(at_desk: Desk, *, kind: str, account_id: str | None) -> str | None:
    """Whose passkey answered the challenge that this browser was given; each is taken once."""
    address = at_desk.settings.sign_in.public_url
    if address is None:
        abort(404)
    now = at_desk.now()
    with at_desk.engine.begin() as connection:
        begun = flows.take(connection, kind=kind, account_id=account_id, token=session.pop("flow", None), now=now)
        if begun is None:
            return None
        return passkeys.whose(
            connection,
            answer=request.form.get("credential", ""),
            challenge=begun["challenge"],
            public_url=address,
            now=now,
        )


def client() -> str:
    """The browser that is asking, in words."""
    return sessions.client_words(request.headers.get("User-Agent", ""))


def origin() -> str:
    """The network address that is asking."""
    return (request.remote_addr or "")[:64]


def safe_target(text: str) -> str:
    """`text` if it is a path of this service, else the first page."""
    # Browsers read a backslash as a slash, "//host" as another host, and leave out line breaks and tabs.
    own = text.startswith("/") and not text.startswith("//") and "\\" not in text
    if not (own and text.isprintable() and len(text) <= 500):
        return "/"
    parts = urlsplit(text)
    return "/" if parts.scheme or parts.netloc else text


def _shown(name: str) -> str:
    return name[:120] if name.isprintable() else ""


def _show(name: str, target: str, error: str, status: int = 200) -> Response:
    given = desk().settings.sign_in
    page = SignInPage(
        name=name,
        target=target,
        error=error,
        operator=given.operator.name if given.operator else "",
        passkeys=given.public_url is not None,
        kept=target.startswith("/held/"),
    )
    return show("sign-in", page, title=_("Error: Sign in") if error else _("Sign in"), status=status)
