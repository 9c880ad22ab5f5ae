"""A fresh proof of who is asking (`/again`), and the forms that were kept meanwhile (`/held`).

In: a passkey, an authenticator's code or a one-time code. Out: a session that counts as proved for ten minutes, and the
way back to where it was wanted. Bounded: a kept form shows at most `MOST_FIELDS` fields; failures are counted as those of
a sign-in are.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import auth
from dashboard.access import May, needs
from dashboard.accounts import authenticator, held, managing, passkeys, sessions
from dashboard.accounts.sealing import sealer
from dashboard.i18n import N_, _
from dashboard.pages import words
from dashboard.pages.contexts_account import AgainPage, HeldField, HeldPage
from dashboard.pages.desk import Desk, desk, id_or_404, show, who
from dashboard.pages.signin import answered, challenge, safe_target
from dashboard.store.queries import write_audit

pages = Blueprint("proving", __name__)
_LABELS = {
    "reason": N_("Reason"),
    "label": N_("Name of the device"),
    "note": N_("Note"),
    "text": N_("Text"),
    "days": N_("Days"),
    "hours": N_("Hours"),
    "standing": N_("Standing"),
    "until": N_("Until"),
}
_WRONG = N_("That was not right, or was used before. After five wrong tries your name is closed for five minutes")
_WRONG_OPERATOR = N_("That did not show that it is you. Try again, or use another way")
MOST_FIELDS = 200


@pages.get("/again")
@needs(May.BE_HERE)
def again_form() -> Response:
    """Ask for a fresh proof of who it is."""
    wrong = request.args.get("wrong") == "operator"
    return _again(safe_target(request.args.get("next", "")), _(_WRONG_OPERATOR) if wrong else "", 200)


@pages.post("/again")
@needs(May.BE_HERE)
def again() -> ResponseReturnValue:
    """Take a fresh proof: passphrase and code, or a one-time code."""
    at_desk, asking = desk(), who()
    target, now = safe_target(request.form.get("next", "")), at_desk.now()
    code, phrase = request.form.get("code", ""), request.form.get("phrase", "")
    if phrase:
        seal = sealer(at_desk.secret, "authenticator")
        right = authenticator.check(
            at_desk.engine, seal, account_id=asking.account_id, phrase=phrase, code=code, now=now
        )
    else:
        right = auth.prove_by_code(at_desk.engine, who=asking, code=code, now=now)
    if not right:
        return _again(target, _(_WRONG), 422)
    return _proved(at_desk, target)


@pages.post("/again/passkey/begin")
@needs(May.BE_HERE)
def again_passkey_begin() -> ResponseReturnValue:
    """A challenge for a passkey of one's own."""
    return jsonify(challenge(desk(), kind="passkey-again", account_id=who().account_id))


@pages.post("/again/passkey")
@needs(May.BE_HERE)
def again_passkey() -> ResponseReturnValue:
    """Take a passkey as a fresh proof."""
    at_desk, asking = desk(), who()
    target = safe_target(request.form.get("next", ""))
    if answered(at_desk, kind="passkey-again", account_id=asking.account_id) != asking.account_id:
        return _again(target, _(_WRONG), 422)
    return _proved(at_desk, target)


@pages.get("/held/<held_id>")
@needs(May.BE_HERE)
def kept(held_id: str) -> Response:
    """A form that was sent with a session that had ended, or without a fresh proof."""
    at_desk, asking = desk(), who()
    with at_desk.reads.connect() as connection:
        found = held.held(
            connection,
            sealer(at_desk.secret, "held"),
            account_id=asking.account_id,
            held_id=id_or_404(held_id),
            now=at_desk.now(),
        )
    if found is None:
        abort(404)
    page = HeldPage(
        held_id=found.held_id,
        target=found.target,
        fields=tuple(_field(name, text) for name, text in found.fields[:MOST_FIELDS]),
        files=found.files,
        at=at_desk.moment(found.at),
    )
    return show("held", page, title=_("What you typed is still here"))


@pages.post("/held/<held_id>/drop")
@needs(May.BE_HERE)
def drop(held_id: str) -> ResponseReturnValue:
    """Forget a kept form."""
    with desk().engine.begin() as connection:
        held.drop(connection, account_id=who().account_id, held_id=id_or_404(held_id))
    return redirect("/", 303)


def _again(target: str, error: str, status: int) -> Response:
    at_desk, asking = desk(), who()
    given = at_desk.settings.sign_in
    with at_desk.reads.connect() as connection:
        keys = passkeys.passkeys_of(connection, asking.account_id)
        since, _left = authenticator.since(connection, asking.account_id)
        linked = managing.is_linked(connection, asking.account_id)
    page = AgainPage(
        target=target,
        error=error,
        operator=given.operator.name if given.operator and linked else "",
        passkeys=given.public_url is not None and bool(keys),
        authenticator=since is not None,
    )
    title = _("Error: Show that it is you") if error else _("Show that it is you")
    return show("again", page, title=title, status=status)


def _proved(at_desk: Desk, target: str) -> ResponseReturnValue:
    asking, now = who(), at_desk.now()
    with at_desk.engine.begin() as connection:
        sessions.prove(connection, asking, now)
        write_audit(
            connection, at=now, account_id=asking.account_id, action="prove", subject=asking.account_id, outcome="done"
        )
    return redirect(target, 303)


def _field(name: str, text: str) -> HeldField:
    written = any(letter.isspace() for letter in text.strip()) or len(text) > 40
    label = (
        _(_LABELS[name]) if name in _LABELS else words.plain(name.replace("-", " ").replace("_", " "), 60).capitalize()
    )
    return HeldField(name=name, label=label, value=text, written=written, shown=bool(text) and name != "token")
