"""Puts the interface into an app whose pages are in it already: the operations are made of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flask import Flask, Response
from flask_wtf.csrf import CSRFProtect

from dashboard import access
from dashboard.access import May
from dashboard.api import acts, acts_table, document, reads, views
from dashboard.api.frame import Api
from dashboard.api.pace import Pace

EXTENSION = "gatehouse-api"
_METHODS = ("GET", "POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What the app keeps of it."""

    api: Api
    pace: Pace = field(default_factory=Pace)


def install(app: Flask, csrf: CSRFProtect) -> Installed:
    """Declare all operations and register them; each has the right that its page's view says it needs."""
    found = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        need = access.need_of(view)
        # A token proves nothing afresh: what wants that is for a person at a page.
        if need is not None and need is not May.EXPORT and not access.wants_fresh(view):
            found |= {(method, rule.endpoint, rule.rule, need) for method in rule.methods or () if method in _METHODS}
    api = _of(tuple(sorted(found)))
    blueprint = api.blueprint(lambda: Response(_text(api), mimetype="application/json"))
    csrf.exempt(blueprint)  # no cookie is looked at there
    app.register_blueprint(blueprint)
    installed = Installed(api=api)
    app.extensions[EXTENSION] = installed
    return installed


def described(api: Api) -> dict[str, Any]:
    """The document of an interface."""
    return document.document(api.operations)


@cache
def _of(routes: tuple[tuple[str, str, str, May], ...]) -> Api:
    # Models take a moment to make; all apps of a process have the same pages.
    pages, forms = (
        {endpoint: (rule, need) for method, endpoint, rule, need in routes if method == wanted} for wanted in _METHODS
    )
    api = Api()
    reads.declare(api)
    acts.declare(api, forms, acts_table.ACTS, but=acts_table.EXEMPT)
    views.declare(api, pages)
    return api


@cache
def _text(api: Api) -> str:
    return json.dumps(described(api), ensure_ascii=False, separators=(",", ":"))
