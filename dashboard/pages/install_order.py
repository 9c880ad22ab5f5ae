"""*Person and order*: what the order allows, the document to be signed elsewhere, and what comes back signed.

Handing the signed document in asks for it to be put in force; another officer confirms that (`dashboard.second`), and
only then may the box list devices (R53).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs, step_up
from dashboard.commands import TOKEN, AlreadySent, Decision
from dashboard.i18n import _
from dashboard.installing import order
from dashboard.pages import clauses, sentences, typed, words
from dashboard.pages.asking import again
from dashboard.pages.contexts_install import InField, InForm
from dashboard.pages.desk import audit_view, desk, who
from dashboard.pages.install_frame import Visit, begin, changing, field, form, latest, save, step
from dashboard.pages.outcomes import outcome_words
from dashboard.pages.typed import Errors
from dashboard.store import installs as stored
from dashboard.store import law, queries
from wire.acts import MAX_AUTHORITY_TEXT, SetAuthority
from wire.authority import Authority, AuthorityError, parse_document
from wire.keys import verify_key

pages = Blueprint("install_order", __name__)
_TEXTS = (("reference", 80), ("responsible", 80), ("basis", 200))
MOST_LISTS = 64


@pages.get("/install/<install_id>/order")
@needs(May.INSTALL)
def show(install_id: str) -> Response:
    """The order."""
    found = begin(install_id, "order")
    return _show(found, found.answers("order"), ())


@pages.post("/install/<install_id>/order")
@needs(May.INSTALL)
def prepare(install_id: str) -> ResponseReturnValue:
    """Save the order and prepare its document."""
    found, at_desk = changing(install_id, "order"), desk()
    answers, errors = _read(found)
    if in_hand(found):
        way = _("The signed document was handed in. Change the order on the household's page, under Order and notices")
        errors = (("main-content", way),)
    if not errors and found.box is not None:
        with at_desk.reads.connect() as connection:
            adults = stored.adults_of(connection, install_id)
            number = law.next_number(connection, found.box.site, answers["authority_id"])
        try:
            prepared = order.unsigned(
                answers,
                adults,
                tenant=at_desk.settings.tenant,
                site=found.box.site,
                number=number,
                zone=at_desk.zone,
                now=at_desk.now(),
            )
        except ValueError as error:
            errors = (("order-kind", _("No document can be made of this: %(why)s", why=str(error))),)
        else:
            answers["prepared"] = prepared.model_dump_json(exclude_none=True)
            save(found, "order", answers, done=False)
            return redirect(f"{found.address}/order", 303)
    return _show(found, answers, errors)


@pages.get("/install/<install_id>/order/document.json")
@needs(May.INSTALL)
def document(install_id: str) -> Response:
    """The unsigned document, as it is to be signed."""
    prepared = begin(install_id, "order").answers("order").get("prepared")
    if not isinstance(prepared, str):
        abort(404)
    audit_view("view-prepared-order", install_id)
    answer = Response(json.dumps(json.loads(prepared), indent=1) + "\n", mimetype="application/json")
    answer.headers["Content-Disposition"] = "attachment; filename=authority-unsigned.json"
    return answer


@pages.post("/install/<install_id>/order/signed")
@needs(May.DECIDE)
@step_up
def signed(install_id: str) -> ResponseReturnValue:
    """Hand the signed document in."""
    found, at_desk, asking = changing(install_id, "order"), desk(), who()
    answers = dict(found.answers("order"))
    prepared = _prepared(answers)
    if prepared is None or found.box is None:
        abort(409)
    if in_hand(found):
        return redirect(f"{found.address}/order", 303)
    sent = request.files.get("file")
    raw = b"" if sent is None else sent.stream.read(MAX_AUTHORITY_TEXT + 1)
    raw = raw or request.form.get("pasted", "").encode()
    token = request.form.get("token", "")
    issuers = [verify_key(text) for text in at_desk.settings.authority_issuers]
    checked = order.read_signed(raw, issuers, prepared, now=at_desk.now())
    errors: list[tuple[str, str]] = []
    if isinstance(checked, str):
        errors.append(("signed-file", _(checked)))
    if not TOKEN.fullmatch(token):
        errors.append(("signed-file", _(typed.INCOMPLETE)))
    if errors or isinstance(checked, str):
        return _show(found, answers, tuple(errors))
    text = raw.decode().strip()
    with at_desk.engine.begin() as connection:
        kept = law.keep_document(
            connection,
            site_id=found.box.site,
            authority_id=checked.id,
            number=checked.number,
            document=text,
            by=asking.account_id,
            now=at_desk.now(),
        )
        if kept:
            queries.write_audit(
                connection,
                at=at_desk.now(),
                account_id=asking.account_id,
                action="hold-document",
                subject=f"{found.box.site}/{checked.id}/{checked.number}",
                outcome="kept",
            )
    if not kept:
        full = _("This household has too many documents. Tell whoever looks after the service")
        return _show(found, answers, (("signed-file", full),))
    wanted = SetAuthority(document=text)
    try:
        command_id = commands.ask(
            at_desk.engine,
            Decision(token=token, order=lambda _at: wanted, reason="Order of an installation", device_id=None),
            tenant=at_desk.settings.tenant,
            site=found.box.site,
            by=asking,
            now=at_desk.now(),
            lifetime=at_desk.settings.command_seconds,
        )
    except AlreadySent as error:
        return _show(found, answers, (("signed-file", again(error)),))
    save(found, "order", answers | {"command": command_id, "in_hand": True}, done=True)
    return redirect(f"{found.address}/order", 303)


def _read(found: Visit) -> tuple[dict[str, Any], Errors]:
    sent, errors = request.form, []
    answers: dict[str, Any] = {
        "kind": sent.get("kind", ""),
        "purpose": sent.get("purpose", ""),
        "clauses": [model.key for model in order.MODELS if model.key in sent.getlist("clauses")],
        "lists": list(dict.fromkeys(sent.get("lists", "").replace(",", " ").lower().split()))[: MOST_LISTS + 1],
        "authority_id": found.answers("order").get("authority_id") or f"authority-{secrets.token_hex(6)}",
    }
    names = {"reference": _("The reference"), "responsible": _("Who is responsible"), "basis": _("The power")}
    for name, most in _TEXTS:
        answers[name] = " ".join(typed.tidy(sent.get(name, "")).split())
        errors += typed.text_errors(f"order-{name}", names[name], answers[name], most)
        if not answers[name] and name != "basis":
            errors.append((f"order-{name}", _("Enter this: %(what)s", what=names[name])))
    if answers["kind"] not in dict(order.KINDS):
        errors.append(("order-kind", _("Select what it rests on")))
    if answers["purpose"] not in dict(order.PURPOSES):
        errors.append(("order-purpose", _("Select its purpose")))
    errors += _days(sent, answers)
    wanting = any(model.needs_lists and model.key in answers["clauses"] for model in order.MODELS)
    if wanting and not answers["lists"]:
        errors.append(("order-lists", _("Enter the names of the lists that the order speaks of")))
    if len(answers["lists"]) > MOST_LISTS or not all(_is_id(one) for one in answers["lists"]):
        errors.append(("order-lists", _("A list's name has small letters, digits and hyphens")))
    return answers, tuple(errors)


def _days(sent: Mapping[str, str], answers: dict[str, Any]) -> list[tuple[str, str]]:
    errors = []
    days = {}
    for name in ("first", "last", "review"):
        answers[name] = sent.get(name, "").strip()
        found = typed.day(answers[name])
        if found is None:
            errors.append((f"order-{name}", _("Enter a day, such as 31/1/2027")))
        else:
            days[name] = found
            answers[name] = found.isoformat()
    if len(days) == 3:
        if not days["first"] <= days["last"] <= days["first"] + timedelta(days=order.LONGEST_DAYS):
            errors.append(("order-last", _("The last day must be after the first, and within five years")))
        elif typed.end(days["last"], desk().zone).timestamp() <= desk().now():
            errors.append(("order-last", _("The last day is over")))
        if not days["first"] <= days["review"] <= days["last"]:
            errors.append(("order-review", _("The review must be between the first and the last day")))
    return errors


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 64 and all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in text)


def _prepared(answers: Mapping[str, Any]) -> Authority | None:
    text = answers.get("prepared")
    if not isinstance(text, str):
        return None
    try:
        return parse_document(text.encode())
    except AuthorityError:  # made by a later version
        return None


def prepared_of(found: Visit) -> Authority | None:
    """The document of an installation, signed or not yet."""
    return _prepared(found.answers("order"))


def in_hand(found: Visit) -> bool:
    """Whether the signed document was handed in, and nothing has come in its way since."""
    if not found.answers("order").get("in_hand"):
        return False
    if given(found):
        return True
    sent = latest(found, "order")
    return sent is None or sent.state == "applied" or not outcome_words(sent, desk().now())[2]


def given(found: Visit) -> bool:
    """Whether the document went to the box with all else it needs, or the box says that it has it."""
    prepared, sent, box = prepared_of(found), latest(found, "order"), found.box
    if prepared is None or sent is None or box is None:
        return False
    said = sentences.status(box.status)
    if said is not None and said.authority_id == prepared.id:
        return True
    agreed = sent.seconded_at if sent.second is not None and sent.state in ("unsent", "unanswered") else None
    return agreed is not None and (box.given_at is None or box.given_at >= agreed) and box.heard_at is None


def _show(found: Visit, answers: Mapping[str, Any], errors: Errors) -> Response:
    prepared = prepared_of(found)
    rows: list[str] = []
    links: list[tuple[str, str]] = []
    facts: tuple[tuple[str, str], ...] = ()
    if prepared is not None:
        facts = (
            *clauses.head(prepared, desk().zone),
            *clauses.clauses(prepared),
            *clauses.consents(prepared, desk().zone),
        )
        links.append((_("Save the document to be signed"), f"{found.address}/order/document.json"))
    sent = latest(found, "order")
    if sent is not None:
        heading, explanation, over = outcome_words(sent, desk().now())
        if given(found) and sent.state != "applied":
            rows.append(_("Confirmed. The box gets it when it is set up, or has it already."))
        else:
            rows.append(f"{heading}. {explanation}")
        if over and sent.state != "applied" and not given(found):
            rows.append(_("The box does not have this order. Hand the document in again, or prepare it anew."))
        if who().role.may(May.SEE):
            links.append((_("Confirm order: the page for the second officer"), f"/commands/{sent.command_id}"))
    if prepared is not None and prepared.kind == "consent" and not prepared.consents:
        rows.append(_("It rests on consent and names nobody yet. Let everybody sign first, then prepare it again."))
    return step(
        found,
        "order",
        intro=(
            _("Enter what the order says. A document is made of it, which is signed on a machine without a network."),
            _("Do it at the station: at the address there is only the box to plug in, to check, and to sign for."),
        ),
        facts_title=_("The document as prepared"),
        facts=facts,
        rows=rows,
        links=links,
        forms=_forms(found, answers, errors, prepared=prepared is not None),
        errors=errors,
    )


def _forms(found: Visit, answers: Mapping[str, Any], errors: Errors, *, prepared: bool) -> tuple[InForm, ...]:
    at_desk = desk()
    sent = in_hand(found)
    made: list[InForm] = []
    if prepared and not sent and who().role.acts and at_desk.settings.authority_issuers:
        fields = (
            field("signed", "file", "file", _("Signed document"), errors=errors),
            field("signed", "pasted", "area", _("Or paste it here"), value=request.form.get("pasted", "")),
        )
        says = _("It must say what was prepared here. Another officer confirms it before the box gets it.")
        target = f"{found.address}/order/signed"
        made.append(
            form(_("Hand in the signed document"), target, fields, _("Check it, and ask to confirm"), says=says)
        )
    if not sent:
        made.append(
            form(
                _("Change the order") if prepared else _("The order"),
                f"{found.address}/order",
                _fields(answers, errors),
                _("Prepare the document"),
                folded=prepared,
            )
        )
    return tuple(made)


def _fields(answers: Mapping[str, Any], errors: Errors) -> tuple[InField, ...]:
    officer = words.plain(desk().settings.words.officer, 60)

    def said(name: str) -> str:
        return str(answers.get(name, ""))

    def some(name: str) -> Sequence[str]:
        held = answers.get(name, ())
        return [str(item) for item in held] if isinstance(held, list | tuple) else []

    return (
        field(
            "order",
            "kind",
            "radios",
            _("What it rests on"),
            choices=[(key, _(text), "") for key, text in order.KINDS],
            value=said("kind"),
            errors=errors,
        ),
        field(
            "order",
            "reference",
            "text",
            _("Reference of the order"),
            hint=_("No name."),
            value=said("reference"),
            errors=errors,
        ),
        field(
            "order",
            "basis",
            "text",
            _("The power it rests on (optional)"),
            hint=_("Act and section."),
            value=said("basis"),
            errors=errors,
        ),
        field(
            "order",
            "purpose",
            "radios",
            _("Purpose"),
            choices=[(key, _(text), "") for key, text in order.PURPOSES],
            value=said("purpose"),
            errors=errors,
        ),
        field(
            "order",
            "responsible",
            "text",
            _("Responsible: %(officer)s", officer=officer),
            hint=_("A role or number, no name."),
            value=said("responsible"),
            errors=errors,
        ),
        field("order", "first", "day", _("First day"), value=said("first"), errors=errors),
        field(
            "order", "last", "day", _("Last day"), hint=_("The box stops by itself."), value=said("last"), errors=errors
        ),
        field("order", "review", "day", _("To be reviewed by"), value=said("review"), errors=errors),
        field(
            "order",
            "clauses",
            "checks",
            _("What the order allows"),
            hint=_("That a device is there, and what kind it is, always. Select nothing that the order does not say."),
            choices=[(model.key, _(model.title), _(model.hint)) for model in order.MODELS],
            ticked=some("clauses"),
            errors=errors,
        ),
        field(
            "order",
            "lists",
            "text",
            _("Names of the lists"),
            hint=_("Only where a clause speaks of lists; with spaces between."),
            value=" ".join(some("lists")),
            errors=errors,
        ),
    )
