"""The operator's own sign-in: to the provider and back; as a sign-in, as a fresh proof, or to link an account."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from flask import Blueprint, abort, current_app, g, redirect, request, session
from flask.typing import ResponseReturnValue

from dashboard.access import May, needs, step_up
from dashboard.accounts import flows, linking, sessions
from dashboard.accounts.oidc import Claimed, Provider, ProviderError
from dashboard.accounts.sessions import FRESH_SECONDS
from dashboard.auth import SignedIn
from dashboard.pages.desk import Desk, desk, who
from dashboard.pages.signin import client, enter, origin, safe_target
from dashboard.store.queries import write_audit

pages = Blueprint("operator", __name__)
KIND = "operator"
_log = logging.getLogger(__name__)


@pages.get("/sign-in/operator")
def begin() -> ResponseReturnValue:
    """To the provider; with `again`, for a fresh proof of who is signed in."""
    asking: SignedIn | None = g.get("who")
    again = request.args.get("again") == "1" and asking is not None
    target = safe_target(request.args.get("next", ""))
    return _begin(desk(), purpose="again" if again else "sign-in", target=target, asking=asking if again else None)


@pages.get("/account/operator")
@needs(May.BE_HERE)
@step_up
def link() -> ResponseReturnValue:
    """To the provider, to link it with the account that is signed in."""
    return _begin(desk(), purpose="link", target="/account", asking=who())


@pages.get("/sign-in/operator/back")
def back() -> ResponseReturnValue:
    """Back from the provider."""
    at_desk = desk()
    now = at_desk.now()
    asking: SignedIn | None = g.get("who")
    with at_desk.engine.begin() as connection:
        data = flows.take(connection, kind=KIND, account_id=None, token=session.pop("flow", None), now=now)
    if data is None:
        return _failed(at_desk, "no sign-in was begun here")
    try:
        claimed = _provider(at_desk).finish(
            data,
            state=request.args.get("state", ""),
            code=request.args.get("code", ""),
            back=_back(at_desk),
        )
    except ProviderError as error:
        return _failed(at_desk, str(error), data["target"])
    if data["purpose"] == "sign-in":
        return _sign_in(at_desk, claimed, data["target"])
    if asking is None or asking.account_id != data["account_id"]:
        return _failed(at_desk, "another account is signed in by now", data["target"])
    return _for_asking(at_desk, claimed, asking, data)


@pages.get("/sign-in/operator/leave")
def leave() -> ResponseReturnValue:
    """After signing out here: end the session at the provider too."""
    given = desk().settings.sign_in
    if given.operator is None or g.get("who") is not None:
        return redirect("/sign-in", 303)
    return redirect(_provider(desk()).leave(after=f"{given.public_url}/sign-in") or "/sign-in", 303)


def _begin(at_desk: Desk, *, purpose: str, target: str, asking: SignedIn | None) -> ResponseReturnValue:
    try:
        begun = _provider(at_desk).begin(back=_back(at_desk), again=purpose != "sign-in")
    except ProviderError as error:
        return _failed(at_desk, str(error), target)
    data = begun.data | {
        "purpose": purpose,
        "target": target,
        "account_id": None if asking is None else asking.account_id,
    }
    with at_desk.engine.begin() as connection:
        session["flow"] = flows.begin(connection, kind=KIND, account_id=None, data=data, now=at_desk.now())
    return redirect(begun.address, 303)


def _sign_in(at_desk: Desk, claimed: Claimed, target: str) -> ResponseReturnValue:
    given, now = at_desk.settings.sign_in.operator, at_desk.now()
    account_id = None if given is None else linking.account_of(at_desk.engine, claimed, given, now)
    if account_id is None:
        return _failed(at_desk, "no account is linked to this person", target)
    with at_desk.engine.begin() as connection:
        token = sessions.open_session(connection, account_id, now, way="operator", client=client(), origin=origin())
        write_audit(connection, at=now, account_id=account_id, action="sign-in", subject="operator", outcome="done")
    return enter(token, target)


def _for_asking(at_desk: Desk, claimed: Claimed, asking: SignedIn, data: dict[str, str]) -> ResponseReturnValue:
    now = at_desk.now()
    if claimed.auth_time is None or not -60 <= now - claimed.auth_time < FRESH_SECONDS:
        return _failed(at_desk, "the provider did not ask anew", data["target"])
    with at_desk.engine.begin() as connection:
        if data["purpose"] == "link":
            if not linking.link(connection, claimed, account_id=asking.account_id, now=now):
                return redirect("/account?wrong=linked", 303)
            return redirect("/account", 303)
        given = at_desk.settings.sign_in.operator
        linked = linking.holder(connection, claimed)
        if given is not None and linked == asking.account_id:
            sessions.prove(connection, asking, now)
            write_audit(
                connection,
                at=now,
                account_id=asking.account_id,
                action="prove",
                subject=asking.account_id,
                outcome="done",
            )
            return redirect(data["target"], 303)
    return _failed(at_desk, "another person was signed in at the provider", data["target"])


def _failed(at_desk: Desk, why: str, target: str = "/") -> ResponseReturnValue:
    """Back to where another way is offered; where it was to lead stays, for what was typed may wait there."""
    _log.warning("the operator's sign-in failed: %s", why)
    now = at_desk.now()
    if at_desk.views.is_new(("", "sign-in-failed", "operator"), now):
        with at_desk.engine.begin() as connection:
            write_audit(
                connection,
                at=now,
                account_id=None,
                action="sign-in-failed",
                subject=f"operator: {why}",
                outcome="failed",
            )
    place = "/sign-in" if g.get("who") is None else "/again"
    return redirect(f"{place}?{urlencode({'wrong': 'operator', 'next': target})}", 303)


def _back(at_desk: Desk) -> str:
    return f"{at_desk.settings.sign_in.public_url}/sign-in/operator/back"


def _provider(at_desk: Desk) -> Provider:
    given = at_desk.settings.sign_in
    if given.operator is None or given.public_url is None:
        abort(404)
    found = current_app.extensions.get("gatehouse-operator")
    if not isinstance(found, Provider):
        found = Provider(settings=given.operator, now=at_desk.now)
        current_app.extensions["gatehouse-operator"] = found
    return found
