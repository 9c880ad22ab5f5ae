"""*Say whose each device is*: all devices of the home on one page, with an owner each, in one submit (R55, R56)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import AlreadySent, Decision
from dashboard.i18n import _
from dashboard.pages import desk as frame
from dashboard.pages import forms, typed, words
from dashboard.pages.asking import again
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_install import DeviceLine, DevicesPage
from dashboard.pages.desk import desk, who
from dashboard.pages.install_frame import Visit, begin, blocked, changing, save
from dashboard.pages.install_home import never_lines
from dashboard.pages.outcomes import outcome_words
from dashboard.pages.rows import device_name
from dashboard.pages.typed import Errors
from dashboard.store import devices, law
from dashboard.store.devices import StoredDevice
from wire.base import Standing

pages = Blueprint("install_devices", __name__)
MOST_DEVICES = 30
"""Of one page and one submit."""


@pages.get("/install/<install_id>/devices")
@needs(May.INSTALL)
def show(install_id: str) -> Response:
    """All devices."""
    return _show(begin(install_id, "devices"), ())


@pages.post("/install/<install_id>/devices")
@needs(May.DECIDE)
def confirm(install_id: str) -> ResponseReturnValue:
    """Confirm those that an owner was selected for."""
    found, at_desk, sent = changing(install_id, "devices"), desk(), request.form
    if found.box is None:
        return redirect(found.address, 303)
    site, reason = found.box.site, typed.tidy(sent.get("reason", ""))
    with at_desk.reads.connect() as connection:
        listed = devices.devices_of(connection, site)[:MOST_DEVICES]
    decided: list[tuple[str, Decision]] = []
    errors: list[tuple[str, str]] = []
    for row in listed:
        standing = sent.get(f"standing-{row.device_id}", "")
        if not standing:
            continue
        read = forms.Standed(
            token=sent.get(f"token-{row.device_id}", ""),
            standing=standing,
            label=typed.tidy(sent.get(f"label-{row.device_id}", "")),
            days=str(forms.GUEST_DAYS),
            reason=reason or "-",
        )
        decision, wrong = read.check(row.device_id)
        errors += [(f"{'label' if name == 'label' else 'standing'}-{row.device_id}", text) for name, text in wrong]
        if decision is not None:
            decided.append((row.device_id, decision))
    if not decided and not errors and any(row.standing == Standing.UNKNOWN for row in listed):
        errors.append(("main-content", _("Select whose at least one device is")))
    errors += typed.reason_errors("reason", reason) if decided or errors else []
    if errors:
        return _show(found, tuple(errors))
    for device_id, decision in decided:
        try:
            commands.ask(
                at_desk.engine,
                decision,
                tenant=at_desk.settings.tenant,
                site=site,
                by=who(),
                now=at_desk.now(),
                lifetime=at_desk.settings.command_seconds,
            )
        except AlreadySent as error:
            errors.append((f"standing-{device_id}", again(error)))
    # Said once, it is done; a device that joins later is an ordinary finding.
    save(found, "devices", {"said": [name for name, _decision in decided]}, done=not errors)
    if errors:
        return _show(found, tuple(errors))
    return redirect(f"{found.address}/devices", 303)


def _show(found: Visit, errors: Errors) -> Response:
    at_desk = desk()
    sent: Mapping[str, str] = request.form if errors else {}
    listed: tuple[StoredDevice, ...] = ()
    asked: dict[str, str] = {}
    if found.box is not None and not blocked(found, "devices"):
        with at_desk.reads.connect() as connection:
            listed = devices.devices_of(connection, found.box.site)
            for item in reversed(law.acts_of(connection, found.box.site, ("set-standing",))):
                if item.device_id is not None:
                    asked[item.device_id] = outcome_words(item, at_desk.now())[0]
    shown = listed[:MOST_DEVICES]
    wrong = dict(errors)
    page = DevicesPage(
        reference=found.reference,
        back=found.address,
        target="" if found.closed or blocked(found, "devices") else f"{found.address}/devices",
        devices=tuple(_line(row, asked.get(row.device_id, ""), sent, wrong) for row in shown),
        left_out=max(0, len(listed) - len(shown)),
        reason=sent.get("reason", _("Shown to me at the installation")),
        never=never_lines(found),
        errors=errors or blocked(found, "devices"),
    )
    heading = _("Say whose each device is")
    return frame.show(
        "install-devices",
        page,
        title=_("Error: %(what)s", what=heading) if errors else heading,
        action="view-install",
        subject=f"{found.found.install_id}/devices",
        section="install",
        status=422 if errors else 200,
    )


def _line(row: StoredDevice, asked: str, sent: Mapping[str, str], wrong: Mapping[str, str]) -> DeviceLine:
    chosen = sent.get(f"standing-{row.device_id}", "")
    unsure = _("No change") if row.standing != Standing.UNKNOWN else _("Select whose it is")
    detail = _("Last seen %(at)s.", at=words.date_time(row.last_seen, desk().zone))
    return DeviceLine(
        id=row.device_id,
        name=device_name(row, row.device_id),
        detail=detail,
        standing=words.standing(row.standing),
        asked=asked,
        token=commands.new_token(),
        label=sent.get(f"label-{row.device_id}", row.label or "")[: forms.MOST_LABEL],
        choices=(
            Choice(value="", text=unsure, hint="", checked=not chosen),
            *(
                Choice(value=str(item), text=words.standing(item), hint="", checked=chosen == item)
                for item in forms.STANDINGS
            ),
        ),
        error=wrong.get(f"standing-{row.device_id}", "") or wrong.get(f"label-{row.device_id}", ""),
    )
