"""Makes the forms of `act_forms` for a page, reads them, and sends what they ask for.

In: what was typed, which household or device it is about. Out: contexts for a template, or a redirect to what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import current_app
from sqlalchemy import Connection

from dashboard import commands
from dashboard.pages import sentences
from dashboard.pages.act_forms import Given, Spec
from dashboard.pages.contexts import ActField, ActForm, Choice
from dashboard.pages.desk import Desk
from dashboard.pages.rows import device_name
from dashboard.pages.typed import Errors
from dashboard.store import devices
from dashboard.store.devices import StoredDevice

MOST_TYPED = 500
_EMERGENCY = (
    "Supervisors are told at once, it ends after 60 minutes, and somebody else must look at it within 72 hours."
)
_PURPOSES = (("evidence", "A court or a hearing"), ("access", "A person who asks for their own records"))


def given(
    at_desk: Desk,
    form: Mapping[str, str],
    *,
    device_id: str | None = None,
    known: Iterable[StoredDevice] = (),
) -> Given:
    """What was typed, and what it is about."""
    return Given(
        form=form,
        zone=at_desk.zone,
        now=at_desk.now(),
        device_id=device_id,
        devices={row.device_id: device_name(row, row.device_id) for row in known},
        secret=secret(),
    )


def secret() -> bytes:
    """The service's own secret."""
    found = current_app.config["SECRET_KEY"]
    return found if isinstance(found, bytes) else str(found).encode()


def known_devices(connection: Connection, site: str) -> tuple[StoredDevice, ...]:
    """Devices that a form may choose from."""
    return devices.devices_of(connection, site)


def form(
    spec: Spec,
    target: str,
    *,
    known: Iterable[StoredDevice] = (),
    typed: Mapping[str, str] | None = None,
    errors: Errors = (),
    values: Mapping[str, str] | None = None,
    suffix: str = "",
    everybody: str = "All devices",
) -> ActForm:
    """A form, with what was typed where it came back."""
    key = spec.key + suffix
    mine = tuple((name, text) for name, text in errors if name.startswith(f"{spec.key}-")) if typed is not None else ()
    typed = typed if mine and typed is not None else {}
    wrong = dict(mine)
    choices = {
        "device": [("", everybody), *((row.device_id, device_name(row, row.device_id)) for row in known)],
        "purpose": list(_PURPOSES),
    }
    return ActForm(
        key=key,
        opened=bool(mine),
        target=target,
        token=commands.new_token(),
        heading=spec.heading,
        says=spec.says,
        button=spec.button,
        fields=tuple(
            ActField(
                id=f"{key}-{name}",
                name=name,
                kind=kind,
                label=label,
                hint=hint,
                value=(typed.get(name) or (values or {}).get(name, ""))[:MOST_TYPED],
                choices=tuple(
                    Choice(value=value, text=text, hint="", checked=value == typed.get(name, ""))
                    for value, text in choices.get(kind, [])
                ),
                error=wrong.get(f"{spec.key}-{name}", ""),
            )
            for name, kind, label, hint in spec.fields
        ),
        emergency=_EMERGENCY if spec.breakable else "",
    )


def short(device: StoredDevice | None, device_id: str) -> str:
    """A device in a few words."""
    return sentences.device(None, None, device_id) if device is None else device_name(device, device_id)


def specs(of: Mapping[str, Spec], *keys: str) -> tuple[Spec, ...]:
    """Some specs by their keys, in this order."""
    return tuple(of[key] for key in keys)
