"""What a browser keeps for a visit without a connection: a small program, and one page that says nothing about anybody.

Open to everyone, as there is nothing in either; whoever asks must not be sent to the sign-in, or the browser would keep
that instead.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, make_response, render_template

from dashboard import i18n

pages = Blueprint("offline", __name__)
_WORKER = Path(__file__).parent.parent / "static" / "visit-worker.js"
ENDPOINTS = frozenset({"offline.worker", "offline.shell"})


@pages.get("/visit-worker.js")
def worker() -> Response:
    """The program; it lies here and not with the other files, as its reach is the folder that it came from."""
    return Response(_WORKER.read_bytes(), content_type="text/javascript; charset=utf-8")


@pages.get("/visit-offline")
def shell() -> Response:
    """The page."""
    language = "en-GB" if i18n.language() == "en" else i18n.language()
    return make_response(render_template("visit-offline.html", language=language))
