"""The box of an installation: its code is claimed once, and the box becomes a household.

The code is scanned (it stands behind a `#`, so it is put into the form by `install.js` and never reaches a server's
log) or typed. Claiming makes the household, gives it to whoever claims it, and enters who it is about.
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.access import May, Role, needs
from dashboard.i18n import N_, _
from dashboard.pages.desk import desk, who
from dashboard.pages.install_frame import Visit, begin, changing, field, form, step
from dashboard.pages.typed import Errors
from dashboard.store import cases, charge, stock
from dashboard.store import installs as stored
from dashboard.store.cases import ChangedMeanwhileError, Risk, TakenError
from dashboard.store.stock import Claimed
from wire.claim import MAX_LABEL, Label, parse_label

pages = Blueprint("install_box", __name__)
_CLAIM = {
    Claimed.UNKNOWN: N_("No such box is in stock. Check the code, or ask whoever keeps the boxes to enter it"),
    Claimed.WRONG: N_("The last part of the code is wrong. Check it and try again"),
    Claimed.LOCKED: N_("Wrong codes were tried too often. Whoever keeps the boxes must enter this box anew"),
    Claimed.USED: N_("This box was claimed already"),
}


@pages.get("/install/<install_id>/box")
@needs(May.INSTALL)
def box(install_id: str) -> Response:
    """The box's code."""
    return _box(begin(install_id, "box"), "", ())


@pages.post("/install/<install_id>/box")
@needs(May.INSTALL)
def claim_it(install_id: str) -> ResponseReturnValue:
    """Claim a box."""
    return claim_with(install_id, request.form.get("code", ""))


def claim_with(install_id: str, code: str) -> ResponseReturnValue:
    """Claim the box of a code for an installation."""
    found = changing(install_id, "box")
    if found.box is not None:
        return redirect(f"{found.address}/box", 303)
    label = parse_label(code)
    if label is None:
        text = _("Scan the code on the box, or type all three parts of it with the full stops between them")
        return _box(found, code, (("box-code", text if code.strip() else _("Enter the code on the box")),))
    at_desk, asking = desk(), who()
    with at_desk.engine.begin() as connection:
        outcome = stock.claim_box(
            connection,
            install_id,
            label,
            tenant=at_desk.settings.tenant,
            title=found.found.reference,
            by=asking.account_id,
            now=at_desk.now(),
        )
        if outcome is Claimed.DONE:
            joined = _enter(connection, found, label)
            answers = {"site": label.site, "fingerprint": label.fingerprint, "joined": joined}
            stored.save_step(connection, install_id, "box", answers, by=asking.account_id, now=at_desk.now(), done=True)
    if outcome is Claimed.OTHER:  # claimed meanwhile: the page says which box it is
        return redirect(f"{found.address}/box", 303)
    if outcome is not Claimed.DONE:
        return _box(found, code, (("box-code", _(_CLAIM[outcome])),))
    return redirect(f"{found.address}/box", 303)


def _enter(connection: Connection, found: Visit, label: Label) -> str:
    """Give the new household to whoever claims it, and enter who it is about; how that went."""
    at_desk, asking = desk(), who()
    now, by = at_desk.now(), asking.account_id
    tenant = at_desk.settings.tenant
    if asking.role in (Role.OFFICER, Role.INSTALLER):
        charge.assign(connection, sites=[label.site], account_id=by, by=by, now=now)
    reference = found.found.reference
    known = cases.person_by_reference(connection, tenant, reference)
    try:
        if known is None:
            cases.keep_person(
                connection,
                tenant=tenant,
                site_id=label.site,
                reference=reference,
                name=None,
                risk=Risk.NONE,
                review_days=None,
                revision=0,
                by=by,
                now=now,
            )
            return "new"
        # Two homes become one person's only where it was said so, by somebody in charge of another home of theirs.
        homes = cases.homes_of(connection, known)
        if found.answers("start").get("other") and any(
            charge.may_see(connection, asking, home.site, now) for home in homes
        ):
            cases.move_home(connection, site_id=label.site, person_id=known, by=by, now=now)
            return "other"
    except (TakenError, ChangedMeanwhileError):
        pass
    return "taken"


def _box(found: Visit, code: str, errors: Errors) -> Response:
    facts: list[tuple[str, str]] = []
    rows: list[str] = []
    if found.box is not None:
        saved = found.answers("box")
        facts = [(_("Box"), found.box.site), (_("Fingerprint of its key"), str(saved.get("fingerprint", "")))]
        if saved.get("joined") == "taken":
            rows.append(
                _("The reference is another person's, so nobody is entered for this household yet. See its page.")
            )
    return step(
        found,
        "box",
        intro=(
            _("Point the telephone's camera at the code on the box and open the link. Or type the code here."),
            _("It says which box it is and that you have it in your hands. It is no password and works once."),
        ),
        facts_title=_("The box of this installation"),
        facts=facts,
        rows=rows,
        forms=()
        if found.box is not None
        else (
            form(
                _("The box's code"),
                f"{found.address}/box",
                (field("box", "code", "text", _("Code on the box"), value=code[:MAX_LABEL], errors=errors),),
                _("Claim this box"),
            ),
        ),
        errors=errors,
    )
