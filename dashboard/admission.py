"""Who is let in to which page: finds out who is asking, sends strangers to the sign-in, refuses what a role may not.

In: a request. Out: nothing, when its view may run; else where to go first. A form that comes with a session that ended by
itself is kept sealed for its account, if it is one of our own forms (its token holds), and waits there after signing in.
What was refused is written down when the error page is made, when no other transaction is open.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from urllib.parse import urlencode

from flask import Response, abort, current_app, g, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import validate_csrf
from sqlalchemy import Engine
from wtforms.validators import ValidationError  # type: ignore[import-untyped]

from dashboard import access, auth
from dashboard.access import May
from dashboard.accounts import sessions
from dashboard.pages import agent, demo, transfers
from dashboard.pages.desk import Desk, come_back, require_fresh
from dashboard.pages.navigation import places
from dashboard.store.queries import write_audit

PUBLIC = frozenset(
    {
        "static",
        "health",
        "language.choose",
        "signin.form",
        "signin.sign_in",
        "signin.sign_out",
        "signin.authenticator_form",
        "signin.authenticator",
        "signin.passkey_begin",
        "signin.passkey",
        "operator.begin",
        "operator.back",
        "operator.leave",
    }
)


def admit(desk: Desk, public: Collection[str]) -> ResponseReturnValue | None:
    """Find out who is asking; send strangers to the sign-in, but for the views that are `public`."""
    if request.endpoint in {"static", "health"}:
        return None
    if request.endpoint == agent.ENDPOINT:
        request.max_content_length = agent.MOST_BODY  # a form with a file
    if request.endpoint == transfers.UPLOAD:
        request.max_content_length = transfers.MOST_BODY
    token, now = session.get("token"), desk.now()
    by_itself = request.args.get("part") == "live"
    if isinstance(token, str):
        with desk.reads.connect() as connection:
            g.who = auth.signed_in(connection, token=token, now=now, idle=desk.settings.sign_in.idle_seconds)
    asking: auth.SignedIn | None = g.get("who")
    if asking is not None and not by_itself and now - asking.seen_at >= sessions.TOUCH_SECONDS:
        with desk.engine.begin() as connection:
            sessions.touch(connection, asking, now)
        # The page says until when one is signed in: counted from now, as the next request will find it.
        ends = min(asking.expires_at, now + desk.settings.sign_in.idle_seconds)
        g.who = asking = replace(asking, seen_at=now, ends_at=ends)
    if request.endpoint in public:
        return None
    if asking is not None:
        elsewhere = demo.step_in(desk, asking)
        if elsewhere is None:
            _allow(g.who)
        return elsewhere
    if by_itself:
        return Response("Sign in again.\n", 401, mimetype="text/plain")
    return redirect("/sign-in?" + urlencode({"next": _wanted(desk, token, now)}), 303)


def _wanted(desk: Desk, token: object, now: float) -> str:
    """Where to go after signing in."""
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    if not isinstance(token, str) or request.endpoint is None:
        return "/"
    try:
        # Only a form of ours: another site must not put words into somebody's mouth that they then send.
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return "/"
    with desk.reads.connect() as connection:
        account_id = sessions.was_of(connection, token=token, now=now)
    return "/" if account_id is None else come_back(account_id)


def _allow(who: auth.SignedIn) -> None:
    """Refuse what the role does not have; ask first for a fresh proof where the view wants one."""
    view = current_app.view_functions.get(request.endpoint or "")
    need = None if view is None else access.need_of(view)
    if view is None or need is None:
        return
    if not who.role.may(need):
        if request.path == "/" and request.method in {"GET", "HEAD"}:
            # Today is where everybody is sent first; who has none begins at their own first place.
            own = places(who.role)
            abort(redirect(own[0].address if own else "/account", 303))
        g.denied = True
        abort(403)
    if need is May.EXPORT or access.wants_fresh(view):
        require_fresh()


def write_denial(engine: Engine, now: float) -> None:
    """Write down that something was tried that who is asking has no right to."""
    if not g.pop("denied", False):
        return
    asking: auth.SignedIn | None = g.get("who")
    with engine.begin() as connection:
        write_audit(
            connection,
            at=now,
            account_id=None if asking is None else asking.account_id,
            action="denied",
            subject=f"{request.method} {request.path}"[:160],
            outcome="refused",
        )
