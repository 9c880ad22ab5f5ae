"""The composition root of the pages: settings in, a Flask app out. Nothing else here knows Flask's globals.

`create_app` refuses to make an app without a secret. Everything but the sign-in, the style sheets and
the health check wants a signed-in account; every form carries a CSRF token; no page runs a script or
style that is not a file of this service.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, Response, current_app, request
from flask.templating import Environment
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from dashboard import access, admission, clock, headers, i18n, limits
from dashboard.api import frame as api_frame
from dashboard.api import install as api_install
from dashboard.api import problems
from dashboard.packed import pack
from dashboard.pages import (
    account,
    accounts,
    activity,
    agent,
    alerts,
    arrangements,
    boxes,
    command,
    coverage,
    demo,
    device,
    devices,
    duty,
    entered,
    finding,
    handed,
    household,
    households,
    install,
    install_box,
    install_checking,
    install_connect,
    install_devices,
    install_gone,
    install_home,
    install_order,
    install_papers,
    install_people,
    install_relay,
    install_removal,
    install_wifi,
    language,
    law,
    listed,
    looked,
    monthly,
    notes,
    offline,
    operator,
    person,
    planned,
    proposal,
    proving,
    requests,
    reviewing,
    search,
    second,
    shared,
    shares,
    signin,
    software,
    stocked,
    summary,
    team,
    telling,
    timeline,
    today,
    tokens,
    trail,
    transfer,
    transfers,
    visit,
    visit_sign,
    visits,
    wifi,
)
from dashboard.pages.contexts import ErrorPage
from dashboard.pages.desk import Desk, show
from dashboard.settings import DashboardSettings
from dashboard.store.engine import open_engine, reading

MOST_FORM = 64 * 1024
"""Octets of a request's body."""
LEAST_SECRET = 32
_PUBLIC = frozenset({api_frame.DOCUMENT}) | admission.PUBLIC | offline.ENDPOINTS | shared.ENDPOINTS
_TITLES = {
    400: ("Your form could not be used", "Nothing was sent. Go back, load the page again and send it once more."),
    403: ("You may not do this", "Your account does not have the right to do this. Ask a supervisor if that is wrong."),
    404: ("Page not found", "Check the address, or go to Today."),
    405: ("This page cannot be used that way", "Go to Today and start from there."),
    413: ("That was too long", "Go back and send a shorter text, or a smaller file."),
    429: ("Too many tries", "Wait a minute, then try once more. Nothing was sent."),
    500: (
        "Sorry, there is a problem with this service",
        "Try again in a minute. If you were sending a decision, look at the finding first: it lists what was sent.",
    ),
}
_log = logging.getLogger(__name__)


class SecretError(ValueError):
    """There is no secret, or it is too short; the text says what to do."""


class ContextEnvironment(Environment):
    """Jinja that refuses a field its page's dataclass does not declare, instead of printing nothing."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As Jinja's, but strict for page contexts."""
        # As dataclasses.is_dataclass says it of an instance; asked thousands of times a page.
        if hasattr(type(obj), "__dataclass_fields__"):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


class GatehouseFlask(Flask):
    """Flask with the strict environment."""

    jinja_environment = ContextEnvironment


def read_secret(path: Path) -> bytes:
    """The secret that signs cookies and form tokens.

    Raises:
        SecretError: the file cannot be read, or holds fewer than 32 bytes.
    """
    hint = f"make one with: head -c 32 /dev/urandom > {path}"
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise SecretError(f"{path}: the secret cannot be read ({error.strerror}); {hint}") from error
    if len(secret) < LEAST_SECRET:
        raise SecretError(f"{path}: the secret has {len(secret)} bytes, the least is {LEAST_SECRET}; {hint}")
    return secret


def create_app(
    settings: DashboardSettings,
    *,
    engine: Engine | None = None,
    now: Callable[[], float] = clock.now,
    wait: Callable[[float], None] = time.sleep,
) -> Flask:
    """Make the app.

    Args:
        settings: all of `dashboard.toml`.
        engine: the database, if it is open already.
        now: the clock, Unix seconds.
        wait: lets some seconds pass; asked while a page waits for a box's answer.

    Raises:
        SecretError: no secret, or one of fewer than 32 bytes.
        DatabaseUrlError: not a URL of a database that is installed here.
    """
    secret = read_secret(settings.secret_key_file)
    app = GatehouseFlask("dashboard")
    secure = settings.secure_cookies
    app.config.update(
        SECRET_KEY=secret,
        # With the __Host- prefix a browser takes the cookie only over TLS, for this host alone (RFC 6265bis, 4.1.3.2).
        SESSION_COOKIE_NAME="__Host-gatehouse" if secure else "gatehouse",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        MAX_CONTENT_LENGTH=MOST_FORM,
        # A form may lie open for hours; its token ends with the session.
        WTF_CSRF_TIME_LIMIT=None,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        # None takes any: for loopback, where no other site's name leads here.
        TRUSTED_HOSTS=list(settings.hosts) or None,
    )
    app.jinja_loader = ChoiceLoader(
        [
            FileSystemLoader(Path(__file__).parent / "templates"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    database = engine or open_engine(settings.database_url)
    desk = Desk(
        engine=database,
        reads=reading(database),
        settings=settings,
        zone=ZoneInfo(settings.time_zone),
        now=now,
        wait=wait,
        secret=secret,
    )
    app.extensions["gatehouse"] = desk
    for module in (
        signin,
        operator,
        account,
        proving,
        accounts,
        language,
        today,
        demo,
        household,
        arrangements,
        law,
        handed,
        requests,
        finding,
        reviewing,
        looked,
        households,
        search,
        device,
        agent,
        proposal,
        command,
        devices,
        boxes,
        stocked,
        wifi,
        notes,
        timeline,
        coverage,
        activity,
        person,
        second,
        alerts,
        team,
        duty,
        telling,
        monthly,
        listed,
        trail,
        entered,
        planned,
        visits,
        visit,
        visit_sign,
        offline,
        tokens,
        install,
        install_box,
        install_checking,
        install_connect,
        install_devices,
        install_gone,
        install_home,
        install_order,
        install_papers,
        install_people,
        install_relay,
        install_removal,
        install_wifi,
        transfer,
        transfers,
        shares,
        shared,
        summary,
        software,
    ):
        app.register_blueprint(module.pages)
    app.add_url_rule("/health", "health", _health)
    csrf = CSRFProtect()
    api = api_install.install(app, csrf)
    _every_view_says_what_it_needs(app)
    i18n.install(app, settings)
    app.before_request(_known_host)
    app.before_request(
        lambda: api_frame.admit(desk, api.pace) if api_frame.is_api(request.path) else admission.admit(desk, _PUBLIC)
    )
    csrf.init_app(app)  # after `admit`, so that its error page is that of whoever is signed in
    limits.install(app, settings.sign_in)  # after `admit`: exports are counted for who is asking
    app.after_request(pack)
    app.after_request(lambda response: _headers(response, secure=secure))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CSRFError, _http_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(500, _http_error)
    return app


def _every_view_says_what_it_needs(app: Flask) -> None:
    for endpoint, view in app.view_functions.items():
        if endpoint not in _PUBLIC and access.need_of(view) is None:
            raise TypeError(f"{endpoint} does not say what it needs; mark it with dashboard.access.needs")


def _health() -> Response:
    """Says that the process answers; nothing of its data."""
    return Response("ok\n", mimetype="text/plain")


def _known_host() -> Response | None:
    """Refuse a request for a host that is none of ours before anything else looks at it."""
    if isinstance(request.routing_exception, SecurityError):
        return Response("This service has another address.\n", 400, mimetype="text/plain")
    return None


def _headers(response: Response, *, secure: bool) -> Response:
    kept = request.endpoint == "static" and response.status_code in {200, 206, 304}
    return headers.harden(response, secure=secure, kept=kept)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if error.response is not None and code < 400:
        return error.get_response()  # a redirect that routing made
    desk: Desk = current_app.extensions["gatehouse"]
    admission.write_denial(desk.engine, desk.now())
    if api_frame.is_api(request.path):
        return problems.of_http(error)
    heading, explanation = _TITLES.get(code, _TITLES[500 if code >= 500 else 400])
    return show("error", ErrorPage(heading=heading, explanation=explanation, home=True), title=heading, status=code)


def _database_error(error: OperationalError) -> ResponseReturnValue:
    _log.error("the database could not be used: %s", type(error.orig).__name__)
    if api_frame.is_api(request.path):
        return problems.problem(503)
    heading, explanation = _TITLES[500]
    return show("error", ErrorPage(heading=heading, explanation=explanation, home=True), title=heading, status=503)
