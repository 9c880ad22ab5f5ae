"""*Sign in* and sign out. After signing in nobody is led anywhere but to a page of this service."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, request, session
from flask.typing import ResponseReturnValue

from dashboard import auth
from dashboard.pages.contexts import SignInPage
from dashboard.pages.desk import desk, show

pages = Blueprint("signin", __name__)

_ERROR = (
    "The name or the code is not right, or the code was used before or has run out. "
    "After five wrong tries a name is closed for five minutes"
)


@pages.get("/sign-in")
def form() -> ResponseReturnValue:
    """The form."""
    target = safe_target(request.args.get("next", ""))
    if g.get("who") is not None:
        return redirect(target, 303)
    return _show(SignInPage(name="", target=target, error=""))


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
    )
    if token is None:
        shown = name[:120] if name.isprintable() else ""
        return _show(SignInPage(name=shown, target=target, error=_ERROR), status=422)
    # A fresh session: nothing that a stranger may have put into the old cookie lives on (CSRF token included).
    session.clear()
    session["token"] = token
    return redirect(target, 303)


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session, here and on the server."""
    at_desk = desk()
    if g.get("who") is not None:
        auth.sign_out(at_desk.engine, who=g.who, now=at_desk.now())
    session.clear()
    return redirect("/sign-in", 303)


def safe_target(text: str) -> str:
    """`text` if it is a path of this service, else the first page."""
    # Browsers read a backslash as a slash, "//host" as another host, and leave out line breaks and tabs.
    own = text.startswith("/") and not text.startswith("//") and "\\" not in text
    if not (own and text.isprintable() and len(text) <= 500):
        return "/"
    parts = urlsplit(text)
    return "/" if parts.scheme or parts.netloc else text


def _show(page: SignInPage, status: int = 200) -> Response:
    title = "Error: Sign in" if page.error else "Sign in"
    return show("sign-in", page, title=title, status=status)
