"""How often what a stranger or an account may try: sign-ins for each network address, exports for each account.

In: the app and its settings. Out: views that answer 429 beyond that. Beside this, five wrong codes close a name for a
while (`dashboard.auth`). Counted in each process's memory, which forgets a count when its minute or hour is over, so that
a stranger makes no table grow; with several processes give the settings a Redis, or each counts for itself, and that many
tries more are let through. What closes a name after five wrong ones is in the database, and one for all processes.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, g, request
from flask_limiter import Limiter

from dashboard import access
from dashboard.access import May
from dashboard.settings import SignIn

SIGN_INS = frozenset(
    {
        "signin.sign_in",
        "signin.authenticator",
        "signin.passkey_begin",
        "signin.passkey",
        "operator.begin",
        "operator.back",
        "proving.again",
        "proving.again_passkey_begin",
        "proving.again_passkey",
        "account.confirm_authenticator",
        "shared.open_it",
    }
)


def install(app: Flask, settings: SignIn) -> None:
    """Put limits around views that are there already."""
    limiter = Limiter(_address, app=app, storage_uri=settings.limits, headers_enabled=False, strategy="moving-window")
    tries = limiter.shared_limit(f"{settings.tries_a_minute}/minute", scope="sign-in")
    exports = limiter.shared_limit(f"{settings.exports_an_hour}/hour", scope="export", key_func=_account)
    for endpoint, view in tuple(app.view_functions.items()):
        if endpoint in SIGN_INS:
            app.view_functions[endpoint] = cast("Any", tries(view))
        elif access.need_of(view) is May.EXPORT:
            app.view_functions[endpoint] = cast("Any", exports(view))


def _address() -> str:
    return request.remote_addr or "nobody"


def _account() -> str:
    asking = g.get("who")
    return _address() if asking is None else str(asking.account_id)
