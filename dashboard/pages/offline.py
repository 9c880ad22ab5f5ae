"""What a browser keeps for a visit without a connection: a small program, and one page that says nothing about anybody.

Open to everyone, as there is nothing in either; whoever asks must not be sent to the sign-in, or the browser would keep
that instead.
"""

from __future__ import annotations

from flask import Blueprint, Response, current_app, make_response, render_template

from dashboard import i18n

pages = Blueprint("offline", __name__)
ENDPOINTS = frozenset({"offline.worker", "offline.shell"})


@pages.get("/visit-worker.js")
def worker() -> Response:
    """The program; it lies here and not with the other files, as its reach is the folder that it came from."""
    answer = current_app.send_static_file("visit-worker.js")
    answer.headers["Content-Type"] = "text/javascript; charset=utf-8"
    return answer


@pages.get("/visit-offline")
def shell() -> Response:
    """The page."""
    language = "en-GB" if i18n.language() == "en" else i18n.language()
    return make_response(render_template("visit-offline.html", language=language))
