"""*Test that it works*: six checks from what the box says, with a test alert there and back; and signing (R3).

The test alert is a real command to the box: it looks round the home once, and its answer comes back by the same way as
every finding. The page looks again by itself. A visit cannot be closed as done while a check fails; where only the way
to this service fails it can be closed as "installed, delivery pending".
"""

from __future__ import annotations

from collections.abc import Collection

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN, AlreadySent, Decision
from dashboard.i18n import N_, _
from dashboard.installing import checks
from dashboard.installing.checks import Check, Facts, Trip, Verdict
from dashboard.pages import desk as frame
from dashboard.pages import sentences, typed, uplink_words, words
from dashboard.pages.contexts_install import CheckRow, InForm, WatchPage
from dashboard.pages.desk import desk, who
from dashboard.pages.install_frame import Visit, begin, blocked, changing, field, form, latest, save, step
from dashboard.pages.install_order import prepared_of
from dashboard.pages.typed import Errors
from dashboard.store import devices
from dashboard.store import installs as stored
from dashboard.store.devices import StoredDevice
from wire.models import JoinedBy
from wire.orders import RunProbe

pages = Blueprint("install_checking", __name__)
POLL = 1.0
_STATE = {Verdict.GOOD: N_("Pass"), Verdict.FAIL: N_("Fail"), Verdict.WAIT: N_("Checking")}


@pages.get("/install/<install_id>/test")
@needs(May.INSTALL)
def show(install_id: str) -> Response:
    """How the test goes."""
    found = begin(install_id, "test")
    judged = judge(found)
    if judged and checks.passed(judged) and not found.is_done("test") and not found.closed:
        save(found, "test", found.answers("test") | {"checks": checks.as_stored(judged)}, done=True)
    return _show(found, judged, ())


@pages.post("/install/<install_id>/test")
@needs(May.INSTALL)
def run(install_id: str) -> ResponseReturnValue:
    """Begin the test."""
    found, at_desk = changing(install_id, "test"), desk()
    token = request.form.get("token", "")
    errors: Errors = ()
    if found.box is None or not TOKEN.fullmatch(token):
        errors = (("main-content", _(typed.INCOMPLETE)),)
    else:
        asked = Decision(
            token=token, order=lambda _at: RunProbe(kind="sweep"), reason="Test of an installation", device_id=None
        )
        try:
            commands.ask(
                at_desk.engine,
                asked,
                tenant=at_desk.settings.tenant,
                site=found.box.site,
                by=who(),
                now=at_desk.now(),
                lifetime=at_desk.settings.command_seconds,
            )
        except AlreadySent:
            # One is on its way already: its answer counts as well as that of another one.
            token = str(found.answers("test").get("command", ""))
            if not token:
                errors = (("main-content", _("The box is asked to look round already. Try again in a minute")),)
    if errors:
        return _show(found, judge(found), errors)
    said = {name: request.form.get(name) == "yes" for name in ("wifi", "own_page")}
    save(found, "test", {"command": token, "started": at_desk.now(), **said}, done=False)
    return redirect(f"{found.address}/test", 303)


def judge(found: Visit) -> tuple[Check, ...]:
    """The checks as they stand now; none where no test was begun. Of a test that was passed, what it found then."""
    at_desk, held = desk(), found.answers("test")
    if found.is_done("test"):
        return checks.from_stored(held.get("checks"))
    if found.box is None or "started" not in held:
        return ()
    sent = latest(found, "test")
    with at_desk.reads.connect() as connection:
        listed = devices.devices_of(connection, found.box.site)
        cards = {key.key_id for key in stored.keys_of(connection, found.found.install_id)}
    prepared = prepared_of(found)
    handed_in = bool(found.answers("order").get("in_hand"))
    trip = None
    if sent is not None:
        trip = Trip(
            asked_at=sent.created_at, answered_at=sent.answered_at, state=sent.state, detail=words.plain(sent.detail)
        )
    return checks.judge(
        Facts(
            status=sentences.status(found.box.status),
            heard_at=found.box.heard_at,
            authority_id=prepared.id if prepared is not None and handed_in else None,
            last_seen=tuple(row.last_seen for row in listed),
            by_passphrase=any(_joined(row, cards) for row in listed),
            wifi_said=bool(held.get("wifi")),
            carried=bool(found.answers("connect").get("carried")),
            own_page=bool(held.get("own_page")),
            trouble=_trouble(found),
            trip=trip,
            started_at=float(held["started"]),
            now=at_desk.now(),
        )
    )


def _joined(row: StoredDevice, cards: Collection[str]) -> bool:
    """Whether a device came over the box's Wi-Fi: with a card of this installation, or any passphrase of its own."""
    by_key = any(item.get("joined_by") == JoinedBy.KEY for item in row.addresses)
    return row.key_id in cards or row.key_id is not None or by_key


def _trouble(found: Visit) -> dict[str, str]:
    """What the box said is wrong, by check; empty where it said nothing of it."""
    said = None if found.box is None else sentences.status(found.box.status)
    if said is None or not said.online:
        return {}
    told = {
        "internet": uplink_words.uplink_trouble(said.uplink),
        "wifi": uplink_words.wifi_trouble(said.wifi),
        "recording": uplink_words.storage_trouble(said.storage),
    }
    return {key: text for key, text in told.items() if text}


def _show(found: Visit, judged: tuple[Check, ...], errors: Errors) -> Response:
    at_desk = desk()
    waits = blocked(found, "test")
    over = checks.finished(judged)
    if not judged:
        summary = _("The test has not been started.")
    elif checks.passed(judged):
        summary = _("Everything works.")
    elif not over:
        left = sum(1 for item in judged if item.verdict is Verdict.WAIT)
        summary = _("Testing: %(done)s of %(all)s checks are done.", done=len(judged) - left, all=len(judged))
    elif checks.only_delivery_fails(judged):
        summary = _("The box is in place; only its way to this service does not work yet.")
    else:
        summary = _("Something does not work. Put it right and test again.")
    page = WatchPage(
        key="test",
        heading=_("Test that it works"),
        reference=found.reference,
        back=found.address,
        intro=(
            _("Join one telephone to the box's Wi-Fi and open any page on it. Then start the test."),
            _("It takes up to two minutes. A test alert goes to the box and back."),
        ),
        drawing=False,
        summary=summary,
        well=bool(judged) and checks.passed(judged),
        checks=tuple(
            CheckRow(
                key=item.key,
                title=_(item.title),
                state=_(_STATE[item.verdict]),
                state_key=str(item.verdict),
                detail=_(item.detail, **item.values),
            )
            for item in judged
        ),
        links=(),
        forms=() if waits or found.closed else (_start(found, again=bool(judged)),),
        errors=errors or waits,
    )
    going = bool(judged) and not over
    return frame.show(
        "install-watch",
        page,
        title=_("Error: Test that it works") if errors else _("Test that it works"),
        action="view-install",
        subject=f"{found.found.install_id}/test",
        section="install",
        live=True,
        done=not going,
        poll_seconds=min(POLL, at_desk.settings.poll_seconds),
        reload=going and request.method == "GET",
        status=422 if errors else 200,
    )


def _start(found: Visit, *, again: bool) -> InForm:
    held = found.answers("test")
    fields = [
        field(
            "test",
            "wifi",
            "checks",
            _("Wi-Fi"),
            hint=_("The box can show this itself only for a device that joined with a passphrase of its own."),
            choices=[("yes", _("I saw a telephone join the box's Wi-Fi and open a page"), "")],
            value="yes" if held.get("wifi") else "",
        )
    ]
    if found.answers("connect").get("carried"):
        fields.append(
            field(
                "test",
                "own_page",
                "checks",
                _("The box's own page"),
                hint=_("The home has no internet, so this service cannot ask the box. It stays pending until it can."),
                choices=[("yes", _("It says that the box is ready, that its clock is right, and shows devices"), "")],
                value="yes" if held.get("own_page") else "",
            )
        )
    button = _("Test again") if again else _("Start the test")
    return form(button, f"{found.address}/test", fields, button)


@pages.get("/install/<install_id>/sign")
@needs(May.INSTALL)
def sign(install_id: str) -> Response:
    """Sign and hand over."""
    return _sign(begin(install_id, "sign"), ())


@pages.post("/install/<install_id>/sign")
@needs(May.INSTALL)
def signed(install_id: str) -> ResponseReturnValue:
    """Close the visit: as done, or as installed with delivery pending."""
    found, at_desk, asking = begin(install_id, "sign"), desk(), who()
    pending = request.form.get("how") == "pending"
    name = " ".join(typed.tidy(request.form.get("signature", "")).split())
    errors = typed.text_errors("sign-signature", _("Your name or number"), name, 120)
    if not name:
        errors.append(("sign-signature", _("Enter your name or number")))
    before = [text for _id, text in _missing(found, pending=pending)]
    if before:
        errors.append(("main-content", _("Do this first: %(what)s", what=", ".join(before))))
    if found.closed:
        return redirect(f"{found.address}/certificate", 303)
    if pending and not checks.only_delivery_fails(judge(found)):
        errors.append(("main-content", _("Only where just the delivery fails can it be closed as pending")))
    if errors:
        return _sign(found, tuple(errors))
    with at_desk.engine.begin() as connection:
        now = at_desk.now()
        state = "pending" if pending else "done"
        if stored.change_state(connection, found.found, state, by=asking.account_id, now=now):
            answers = {"signature": name, "how": state}
            stored.save_step(connection, install_id, "sign", answers, by=asking.account_id, now=now, done=True)
    return redirect(f"{found.address}/sign", 303)


def _missing(found: Visit, *, pending: bool) -> Errors:
    """What must be done before signing: everything but, where only delivery fails, the test."""
    asked = ("order", "people", "never") + (() if pending else ("test",))
    titles = {
        "order": _("Person and order"),
        "people": _("Tell everybody at the address"),
        "never": _("What must never lose its connection"),
        "test": _("Test that it works"),
    }
    return tuple((key, titles[key]) for key in asked if not found.is_done(key))


def _sign(found: Visit, errors: Errors) -> Response:
    judged = judge(found)
    pending = bool(judged) and not found.is_done("test") and checks.only_delivery_fails(judged)
    missing = _missing(found, pending=pending)
    facts = [(_(item.title), _(_STATE[item.verdict])) for item in judged]
    if found.is_done("test"):
        passed_at = found.saved["test"].done_at or 0.0
        facts.insert(0, (_("Tested"), desk().moment(passed_at).text))
    if found.found.signed_at is not None:
        facts.append((_("Signed"), desk().moment(found.found.signed_at).text))
    fields = [
        field(
            "sign",
            "signature",
            "text",
            _("Your name or number"),
            value=request.form.get("signature", ""),
            errors=errors,
        )
    ]
    if pending:
        fields.append(field("sign", "how", "hidden", "", value="pending"))
    button = _("Close as installed, delivery pending") if pending else _("Sign and close the visit")
    ready = not missing and (pending or found.is_done("test"))
    return step(
        found,
        "sign",
        intro=(
            _("Go through the certificate with the household, and leave it there."),
            _("A visit with a check that fails cannot be closed as done."),
        ),
        facts_title=_("How the test went"),
        facts=facts,
        rows=tuple(_("Not done yet: %(what)s", what=text) for _id, text in missing),
        links=[(_("Certificate"), f"{found.address}/certificate")] if found.found.signed_at is not None else [],
        forms=(form(_("Sign"), f"{found.address}/sign", fields, button),) if ready else (),
        errors=errors,
    )
