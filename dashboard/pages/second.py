"""What a second person does: agree or refuse, look at an emergency afterwards, say that a message was read."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import second
from dashboard.access import May, needs
from dashboard.auth import SignedIn
from dashboard.pages import acting, typed
from dashboard.pages.act_forms import MOST_REASON, Spec
from dashboard.pages.asking import officer
from dashboard.pages.contexts import ActForm
from dashboard.pages.desk import desk, household_or_404, id_or_404
from dashboard.pages.typed import Errors
from dashboard.second import NEEDS_SECOND
from dashboard.store import queries
from dashboard.store.queries import StoredCommand
from dashboard.store.reviews import place_of

pages = Blueprint("second", __name__)
_WHY = ("reason", "area", "Reason", "It is kept with your answer. Do not use anyone's name.")
AGREE = Spec(
    key="agree",
    heading="Agree, and send it to the box",
    says="You answer for it together with the officer who asked.",
    button="Agree and send",
    fields=(_WHY,),
    make=lambda _: None,
)
REFUSE = Spec(
    key="refuse",
    heading="Refuse",
    says="Nothing is sent. It can be asked for again.",
    button="Refuse",
    fields=(_WHY,),
    make=lambda _: None,
)
TAKE_BACK = Spec(
    key="take-back",
    heading="Take it back",
    says="Nothing is sent.",
    button="Take it back",
    fields=(_WHY,),
    make=lambda _: None,
)
REVIEW = Spec(
    key="review",
    heading="Note that you have looked at this emergency",
    says="Say whether it was one, and what follows.",
    button="Note it",
    fields=(("reason", "area", "What you found", "Do not use anyone's name."),),
    make=lambda _: None,
)

_ANSWERS = frozenset(spec.key for spec in (AGREE, REFUSE, TAKE_BACK, REVIEW))


def forms(
    found: StoredCommand, asking: SignedIn, *, typed_: Mapping[str, str], errors: Errors, is_apart: bool = True
) -> tuple[ActForm, ...]:
    """What who is asking can do about a command; agreeing is for who `is_apart` from who asked (`store.vouched`)."""
    if not asking.role.acts:
        return ()
    at = f"/commands/{found.command_id}"
    mine = found.by == asking.account_id
    which: tuple[Spec, ...] = ()
    if found.state == NEEDS_SECOND:
        which = (TAKE_BACK,) if mine else (AGREE, REFUSE) if is_apart else (REFUSE,)
    elif found.break_glass and found.reviewed_at is None and not mine and is_apart:
        which = (REVIEW,)
    return tuple(acting.form(spec, f"{at}/{spec.key}", typed=typed_, errors=errors) for spec in which)


@pages.post("/commands/<command>/<answer>")
@needs(May.DECIDE)
def answer(command: str, answer: str) -> ResponseReturnValue:
    """Answer for a command as the second person."""
    asking, at_desk = officer(), desk()
    if answer not in _ANSWERS:
        abort(404)
    with at_desk.reads.connect() as connection:
        found = queries.command_of(connection, at_desk.settings.tenant, id_or_404(command))
        if found is None:
            abort(404)
        household_or_404(connection, found.site)
    why = " ".join(typed.tidy(request.form.get("reason", "")).split())
    errors = tuple((f"{answer}-{field}", text) for field, text in typed.reason_errors("reason", why, MOST_REASON))
    if errors:
        return redirect(f"/commands/{command}?wrong={answer}", 303)
    now, tenant = at_desk.now(), at_desk.settings.tenant
    if answer == "agree":
        lifetime = at_desk.settings.command_seconds
        done = second.agree(at_desk.engine, command, tenant=tenant, by=asking, why=why, now=now, lifetime=lifetime)
    elif answer == "review":
        done = second.review(at_desk.engine, command, tenant=tenant, by=asking, note=why, now=now)
    else:
        done = second.refuse(at_desk.engine, command, tenant=tenant, by=asking, why=why, now=now)
    if not done:
        with at_desk.engine.begin() as connection:
            queries.write_audit(
                connection,
                at=now,
                account_id=asking.account_id,
                action=answer,
                subject=f"{found.site}/{command}",
                outcome="not taken",
            )
    return redirect(f"/commands/{command}" + ("?wait=1" if answer == "agree" and done else ""), 303)


@pages.post("/messages/<about>/read")
@needs(May.BE_HERE)
def read(about: str) -> ResponseReturnValue:
    """Say that a message was read."""
    at_desk = desk()
    second.mark_read(at_desk.engine, about=id_or_404(about), by=officer(), now=at_desk.now())
    with at_desk.reads.connect() as connection:
        place = place_of(connection, about)
    return redirect(f"/commands/{about}" if place is None else "/households/{}/findings/{}".format(*place), 303)
