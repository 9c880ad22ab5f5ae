"""*What must never lose its connection*: telephones over the internet line, telecare, alarms, and where they are plugged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard.access import May, needs
from dashboard.i18n import N_, _
from dashboard.pages import typed, words
from dashboard.pages.install_frame import Visit, begin, changing, field, form, save, step
from dashboard.pages.typed import Errors

pages = Blueprint("install_home", __name__)
NEVER = (
    ("telephone", N_("A telephone that works over the internet line")),
    ("telecare", N_("A telecare or health device, such as a pendant or a fall sensor")),
    ("alarm", N_("A burglar, smoke or carbon monoxide alarm that calls somebody")),
    ("other", N_("Something else that somebody's safety depends on")),
)


@pages.get("/install/<install_id>/never")
@needs(May.INSTALL)
def never(install_id: str) -> Response:
    """What must never be redirected or held."""
    found = begin(install_id, "never")
    return _never(found, found.answers("never"), ())


@pages.post("/install/<install_id>/never")
@needs(May.INSTALL)
def save_never(install_id: str) -> ResponseReturnValue:
    """Save what there is, and where it is plugged in."""
    found, sent = changing(install_id, "never"), request.form
    there = [key for key, _text in NEVER if key in sent.getlist("there")]
    none = "none" in sent.getlist("there")
    answers: dict[str, Any] = {"there": [*there, *(["none"] if none else [])]}
    errors: list[tuple[str, str]] = []
    for key, text in NEVER:
        answers[key] = " ".join(typed.tidy(sent.get(key, "")).split())
        errors += typed.text_errors(f"never-{key}", _("Where it is plugged in"), answers[key], 120)
        if key in there and not answers[key]:
            errors.append((f"never-{key}", _("Enter where this is plugged in: %(what)s", what=_(text))))
    if none == bool(there):
        errors.append(("never-there", _("Select what there is, or that there is none of these")))
    if errors:
        return _never(found, answers, tuple(errors))
    save(found, "never", answers, done=True)
    return redirect(f"{found.address}/never", 303)


def never_lines(found: Visit) -> tuple[str, ...]:
    """What was noted, for other pages."""
    held = found.answers("never")
    return tuple(
        f"{_(text)}: {words.plain(held.get(key, ''), 120)}" for key, text in NEVER if key in held.get("there", ())
    )


def _never(found: Visit, answers: Mapping[str, Any], errors: Errors) -> Response:
    there = [str(item) for item in answers.get("there", ())]
    done = found.is_done("never")
    facts = [(_("Never redirect or hold"), line) for line in never_lines(found)]
    if done and not facts:
        facts = [(_("Never redirect or hold"), _("None of these is at the address"))]
    choices = [*((key, _(text), "") for key, text in NEVER), ("none", _("None of these"), "")]
    return step(
        found,
        "never",
        intro=(
            _("Ask what in the home somebody's health or safety depends on. Look at the router's sockets."),
            _("Such a device stays plugged where it is, or counts as part of the home network: it is never held."),
        ),
        facts=facts,
        forms=(
            form(
                _("Change it") if done else _("What there is"),
                f"{found.address}/never",
                (
                    field(
                        "never",
                        "there",
                        "checks",
                        _("At the address there is"),
                        choices=choices,
                        ticked=there,
                        errors=errors,
                    ),
                    *(
                        field(
                            "never",
                            key,
                            "text",
                            _("Where plugged in: %(what)s", what=_(text)),
                            value=str(answers.get(key, "")),
                            errors=errors,
                        )
                        for key, text in NEVER
                    ),
                ),
                _("Save"),
                folded=done and not errors,
            ),
        ),
        errors=errors,
    )
