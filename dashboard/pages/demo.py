"""*Demonstration*: a household that there is not, one click away, to learn with (R72).

Stepping in shows the same pages over a made-up household that belongs to who is asking alone; a scripted box answers what
is asked of it. A banner on every page says so, and leads out. Nothing in it counts anywhere else, or reaches anybody.
"""

from __future__ import annotations

import dataclasses

from flask import Blueprint, Response, g, redirect, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.access import May, Role, needs
from dashboard.auth import SignedIn
from dashboard.demo import box, scope
from dashboard.i18n import _
from dashboard.pages.contexts_demo import DemoPage
from dashboard.pages.desk import Desk, desk, show, who
from dashboard.store.queries import write_audit

pages = Blueprint("demo", __name__)
KEY = "demo"
_PLACES = ("/households", "/commands", "/next", "/search", "/help", "/demo")
"""Pages that are there in the demonstration, beside Today; all others lead back to its own page."""


def step_in(at_desk: Desk, asking: SignedIn) -> ResponseReturnValue | None:
    """Where who is asking is in the demonstration: put its desk in the place of the real one; else do nothing."""
    if session.get(KEY) != asking.account_id:
        return None
    if request.path != "/" and not any(request.path == one or request.path.startswith(f"{one}/") for one in _PLACES):
        return redirect("/demo", 303)
    now, name = at_desk.now(), scope.site_of(asking.account_id)
    with at_desk.engine.begin() as connection:
        if not scope.there(connection, asking.account_id):
            session.pop(KEY)
            return redirect("/demo", 303)
        box.beat(connection, site_id=name, now=now)
        box.answer(connection, site_id=name, now=now)
    settings = at_desk.settings.model_copy(update={"tenant": scope.tenant_of(asking.account_id)})
    g.desk = dataclasses.replace(at_desk, settings=settings)
    g.who = dataclasses.replace(asking, role=Role.OFFICER)
    return None


@pages.get("/demo")
@needs(May.BE_HERE)
def demo() -> Response:
    """What the demonstration is, and the way in or out."""
    inside = session.get(KEY) == who().account_id
    return show("demo", DemoPage(inside=inside), title=_("Demonstration"), section="demo")


@pages.post("/demo")
@needs(May.BE_HERE)
def enter() -> ResponseReturnValue:
    """Step in; the household is made at the first time."""
    asking, now = who(), desk().now()
    with desk().engine.begin() as connection:
        scope.make(connection, asking.account_id, now)
        _note(connection, "enter-demonstration", now)
    session[KEY] = asking.account_id
    return redirect("/", 303)


@pages.post("/demo/leave")
@needs(May.BE_HERE)
def leave() -> ResponseReturnValue:
    """Back to what is real."""
    session.pop(KEY, None)
    return redirect("/", 303)


@pages.post("/demo/reset")
@needs(May.BE_HERE)
def reset() -> ResponseReturnValue:
    """Begin anew: the household is as it was made."""
    asking, now = who(), desk().now()
    with desk().engine.begin() as connection:
        scope.erase(connection, asking.account_id)
        scope.make(connection, asking.account_id, now)
        _note(connection, "reset-demonstration", now)
    session[KEY] = asking.account_id
    return redirect("/", 303)


def _note(connection: Connection, action: str, now: float) -> None:
    account_id = who().account_id
    write_audit(connection, at=now, account_id=account_id, action=action, subject="", outcome="done")
