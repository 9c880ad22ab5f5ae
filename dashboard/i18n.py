"""Languages of the pages: the settings' list and what the browser asks for in, a locale for Flask-Babel out.

Texts are written in English where they stand; `_` looks them up in `translations/`. A text that is made outside a
request stays English. A language that no person has read through is in `MACHINE_MADE`, and its pages say so.

A page asks for thousands of texts. Which catalogue they are in is settled once a request: finding it took ten times as
long as looking into it, and more than the database on pages over all boxes.
"""

from __future__ import annotations

from gettext import NullTranslations
from pathlib import Path

from flask import Flask, current_app, g, has_app_context, has_request_context, request
from flask_babel import Babel, get_domain, get_locale

from dashboard.settings import DashboardSettings

__all__ = ["COOKIE", "MACHINE_MADE", "NAMES", "N_", "_", "install", "language", "ngettext", "twelve_hours"]

COOKIE = "language"
NAMES = {"en": "English", "cy": "Cymraeg"}
"""Languages there are, in their own words."""
MACHINE_MADE = frozenset({"cy"})
"""Languages whose texts were made by a machine and not yet read by a person."""
_FOLDER = Path(__file__).parent / "translations"


def _(text: str, /, **values: object) -> str:
    """The text in the reader's language; `%(name)s` in it is filled in from `values`."""
    found = _catalogue().gettext(text)
    return found % values if values else found


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """As `_`, in the form for a number; `%(num)s` in it is that number where `values` name no other."""
    return _catalogue().ngettext(one, many, num) % {"num": num, **values}


def N_(text: str, /) -> str:  # noqa: N802 - the name that extraction tools look for
    """Mark a constant for extraction; it is looked up with `_` where it is shown."""
    return text


def twelve_hours() -> bool:
    """Whether the operator keeps a clock of twelve hours."""
    return has_app_context() and current_app.config.get("CLOCK") == "12-hour"


def language() -> str:
    """Code of the language being shown: `en` or another of `NAMES`."""
    found = get_locale() if has_request_context() else None
    return "en" if found is None else str(found.language)


_ENGLISH = NullTranslations()


def _catalogue() -> NullTranslations:
    if not has_app_context():
        return _ENGLISH
    found: NullTranslations | None = g.get("catalogue")
    if found is None:
        found = g.catalogue = get_domain().get_translations()
    return found


def install(app: Flask, settings: DashboardSettings) -> None:
    """Let an app speak the languages of its settings."""
    offered = settings.languages
    app.config["CLOCK"] = settings.words.clock

    def chosen() -> str:
        if not has_request_context():
            return offered[0]
        asked = request.cookies.get(COOKIE, "")
        return asked if asked in offered else request.accept_languages.best_match(offered) or offered[0]

    Babel(
        app,
        default_locale=offered[0],
        default_translation_directories=str(_FOLDER),
        locale_selector=chosen,
    )
    # In place of Flask-Babel's own, which look for the catalogue at every text. (Jinja's extension adds the method.)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _catalogue().gettext(text),
        lambda one, many, num: _catalogue().ngettext(one, many, num),
        newstyle=True,
    )
