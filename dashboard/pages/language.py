"""Chooses the language of the pages for this browser: a cookie, for strangers too."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import i18n
from dashboard.pages.desk import desk

pages = Blueprint("language", __name__)
_YEAR = 365 * 86400


@pages.post("/language")
def choose() -> ResponseReturnValue:
    """Remember a language, and go to the first page."""
    settings, asked = desk().settings, request.form.get("language", "")
    if asked not in settings.languages:
        abort(400)
    answer = redirect("/", 303)
    answer.set_cookie(i18n.COOKIE, asked, max_age=_YEAR, secure=settings.secure_cookies, httponly=True, samesite="Lax")
    return answer
