"""*Tell everybody at the address*: each adult by role, what they were given in which language, and what they signed.

Nobody's name is asked for: an adult is an opaque id. A signature is typed, or drawn with a finger (a path of lines and
nothing else); somebody may also decline to sign, which is noted and holds nothing up, unless the order rests on
consent (R8, R59, R60).
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.i18n import N_, _
from dashboard.installing import notices
from dashboard.pages import typed, words
from dashboard.pages.contexts_install import InField, InForm
from dashboard.pages.desk import desk, who
from dashboard.pages.install_frame import Visit, begin, changing, field, form, save, step
from dashboard.pages.install_order import prepared_of
from dashboard.pages.install_papers import notice_of
from dashboard.pages.typed import DAY, Errors
from dashboard.store import installs as stored
from dashboard.store.installs import Adult

pages = Blueprint("install_people", __name__)
ROLES = (("subject", N_("The person under the order")), ("adult", N_("Another adult who lives or stays there")))
KINDS = (("notice", N_("Was told")), ("consent", N_("Was told, and agrees")))
SIGNED = {"typed": N_("signed"), "drawn": N_("signed by hand"), "declined": N_("did not sign")}
MOST_PATH = 20_000
MOST_SIGNATURE = 120
CONFIRM_DAYS = 90
"""When a consent is to be confirmed again."""
_NOT_PREPARED = N_("The order has not been prepared, so the notice cannot say yet what is kept.")
_OTHER_WORDS = N_("The order was changed since: tell them again")
_PATH = re.compile(r"(?:M\d{1,4} \d{1,4}(?: L\d{1,4} \d{1,4})* ?)+")


def is_path(text: str) -> bool:
    """Whether a drawn signature is lines between points and nothing else."""
    return 8 <= len(text) <= MOST_PATH and _PATH.fullmatch(text) is not None


@pages.get("/install/<install_id>/people")
@needs(May.INSTALL)
def show(install_id: str) -> Response:
    """Who was told."""
    return _show(begin(install_id, "people"), ())


@pages.post("/install/<install_id>/people")
@needs(May.INSTALL)
def add(install_id: str) -> ResponseReturnValue:  # noqa: C901 - one check after another
    """Note that somebody was told."""
    found, at_desk, sent = changing(install_id, "people"), desk(), request.form
    errors: list[tuple[str, str]] = []
    role, kind, language = sent.get("role", ""), sent.get("given", ""), sent.get("language", "")
    if role not in dict(ROLES):
        errors.append(("adult-role", _("Select who it is")))
    if kind not in dict(KINDS):
        errors.append(("adult-given", _("Select what they were told or agreed to")))
    if language not in notices.LANGUAGES:
        errors.append(("adult-language", _("Select the language of the notice")))
    if sent.get("explained") != "yes":
        errors.append(("adult-explained", _("Explain the notice in your own words, and say so")))
    drawn, written = sent.get("drawn", "").strip(), " ".join(typed.tidy(sent.get("signature", "")).split())
    declined = sent.get("declined") == "yes"
    if drawn and not is_path(drawn):
        drawn = ""
    errors += typed.text_errors("adult-signature", _("A signature"), written, MOST_SIGNATURE)
    if not (drawn or written or declined):
        errors.append(("adult-signature", _("Let them sign, or say that they do not want to sign")))
    if declined and kind == "consent":
        errors.append(("adult-given", _("Who does not sign has not agreed")))
    if not commands.TOKEN.fullmatch(sent.get("token", "")):
        errors.append(("adult-role", _(typed.INCOMPLETE)))
    if prepared_of(found) is None:
        errors.insert(0, ("main-content", _(_NOT_PREPARED)))
    if errors:
        return _show(found, tuple(errors))
    now = at_desk.now()
    told = Adult(
        adult_id=f"adult-{sent['token'][:12]}",
        role=role,
        kind=kind,
        language=language,
        explained=True,
        signed="declined" if declined else "drawn" if drawn else "typed",
        signature="" if declined else drawn or written,
        notice_sha256=notice_of(found, language).sha256,
        given_at=now,
        confirm_by=now + CONFIRM_DAYS * DAY if kind == "consent" else None,
    )
    try:
        with at_desk.engine.begin() as connection:
            stored.add_adult(connection, install_id, told, by=who().account_id, now=now)
    except stored.Full:
        return _show(found, (("adult-role", _("Twenty people at most")),))
    return redirect(f"{found.address}/people", 303)


@pages.post("/install/<install_id>/people/all")
@needs(May.INSTALL)
def everybody(install_id: str) -> ResponseReturnValue:
    """Say that everybody who was there has been told."""
    found = changing(install_id, "people")
    with desk().reads.connect() as connection:
        told = stored.adults_of(connection, install_id)
    prepared, now_said = prepared_of(found), {code: notice_of(found, code).sha256 for code in notices.LANGUAGES}
    errors: list[tuple[str, str]] = []
    # Who was given other words than those of now has not been told what is kept.
    told = tuple(item for item in told if item.notice_sha256 == now_said.get(item.language))
    if not any(item.role == "subject" for item in told):
        errors.append(("all-everybody", _("The person under the order has not been told yet")))
    if prepared is not None and prepared.kind == "consent" and not all(item.kind == "consent" for item in told):
        errors.append(("all-everybody", _("The order rests on consent, and somebody has not agreed")))
    elif prepared is not None and prepared.kind == "consent":
        named = {item.id for item in prepared.consents or ()}
        if not {item.adult_id for item in told} <= named:
            text = _("Somebody agreed after the document was prepared. Prepare it again, so that it names everybody")
            errors.append(("all-everybody", text))
    if request.form.get("everybody") != "yes":
        errors.append(("all-everybody", _("Confirm that every adult who is there was told")))
    if errors:
        return _show(found, tuple(errors))
    save(found, "people", {"everybody": True, "number": len(told)}, done=True)
    return redirect(found.address, 303)


def _show(found: Visit, errors: Errors) -> Response:
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        told = stored.adults_of(connection, found.found.install_id)
    own = dict(notices.names())
    now_said = {code: notice_of(found, code).sha256 for code in {item.language for item in told}}
    roles, kinds = dict(ROLES), dict(KINDS)
    facts = [
        (
            _(roles.get(item.role, item.role)),
            _(
                "%(what)s, %(signed)s, in %(language)s, on %(at)s",
                what=_(kinds.get(item.kind, item.kind)),
                signed=_(SIGNED.get(item.signed, item.signed)),
                language=own.get(item.language, item.language),
                at=words.date_time(item.given_at, at_desk.zone),
            )
            + ("" if item.notice_sha256 == now_said[item.language] else ". " + _(_OTHER_WORDS)),
        )
        for item in told
    ]
    return step(
        found,
        "people",
        intro=(
            _("Give the notice to every adult who is there, in their language, and explain it in your own words."),
            _("Children are told by whoever looks after them. Nobody is asked to watch anybody."),
        ),
        facts_title=_("Who was told"),
        facts=facts,
        rows=() if prepared_of(found) is not None else (_(_NOT_PREPARED),),
        links=[(_("Open the notice in any language"), f"{found.address}/notice")],
        forms=_forms(found, errors, first=not told, complete=found.is_done("people")),
        errors=errors,
    )


def _forms(found: Visit, errors: Errors, *, first: bool, complete: bool) -> tuple[InForm, ...]:
    made = [
        form(
            _("Somebody was told"),
            f"{found.address}/people",
            _fields(errors, first=first),
            _("Add"),
            folded=complete,
        )
    ]
    if not first:
        fields = (
            field(
                "all",
                "everybody",
                "checks",
                _("Is that everybody?"),
                choices=[("yes", _("Every adult who is at the address now was told"), "")],
                errors=errors,
            ),
        )
        made.append(form(_("Everybody"), f"{found.address}/people/all", fields, _("Save and go on")))
    return tuple(made)


def _fields(errors: Errors, *, first: bool) -> tuple[InField, ...]:
    sent = request.form if errors else {}
    return (
        field(
            "adult",
            "role",
            "radios",
            _("Who"),
            choices=[(key, _(text), "") for key, text in ROLES],
            value=sent.get("role", "subject" if first else ""),
            errors=errors,
        ),
        field(
            "adult",
            "language",
            "select",
            _("Language of the notice"),
            choices=[(code, own, "") for code, own in notices.names()],
            value=sent.get("language", "en"),
            errors=errors,
        ),
        field(
            "adult",
            "explained",
            "checks",
            _("Explained"),
            choices=[("yes", _("I explained it, and they could ask questions"), "")],
            value=sent.get("explained", ""),
            errors=errors,
        ),
        field(
            "adult",
            "given",
            "radios",
            _("What they said"),
            choices=[(key, _(text), "") for key, text in KINDS],
            value=sent.get("given", "notice"),
            errors=errors,
        ),
        field(
            "adult",
            "signature",
            "text",
            _("Signature, typed by them"),
            hint=_("It means that they were told, and no more than that unless they agree."),
            value=sent.get("signature", ""),
            errors=errors,
        ),
        field("adult", "drawn", "drawn", _("Or drawn with a finger"), value=sent.get("drawn", "")),
        field(
            "adult",
            "declined",
            "checks",
            _("No signature"),
            choices=[("yes", _("They do not want to sign"), _("That is their right. Nothing bad follows from it."))],
            value=sent.get("declined", ""),
        ),
    )
