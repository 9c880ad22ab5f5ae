"""The forms of a device's page: what it is, which addresses are its own, what its Wi-Fi passphrase is for."""

from __future__ import annotations

from dashboard import commands
from dashboard.pages import forms, orders_box, sentences, words
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_device import CorrectForm, KeyForm, SplitForm
from dashboard.pages.forms import Bound, Corrected, Parted
from dashboard.pages.rows import addresses
from dashboard.pages.typed import Errors
from dashboard.store.devices import StoredDevice

_HINTS = {
    "device": "Given to this device and no other. The box then knows it again by it, whatever its address.",
    "guest": "Given for some days. In use after that, the box reports it.",
    "household": "Shared. It tells no device from another.",
}


def correct_form(target: str, row: StoredDevice, typed: Corrected | None, errors: Errors) -> CorrectForm:
    """The form that says what it is."""
    said = sentences.correction(row.correction)
    chosen = typed.category if typed else said.category or ""
    named = {"": "Leave it to the box", **words.CATEGORIES}
    return CorrectForm(
        opened=bool(errors),
        target=target,
        token=commands.new_token(),
        categories=tuple(
            Choice(value=value, text=text[0].upper() + text[1:], hint="", checked=value == chosen)
            for value, text in named.items()
        ),
        os_family=typed.os_family if typed else said.os_family or "",
        vendor=typed.vendor if typed else said.vendor or "",
        model=typed.model if typed else said.model or "",
        reason=typed.reason if typed else "",
        errors=errors,
    )


def split_form(target: str, row: StoredDevice, typed: Parted | None, errors: Errors) -> SplitForm | None:
    """The form that takes addresses out; None where there is only one."""
    used = addresses(row)
    if len(used) < 2:
        return None
    ticked = typed.macs if typed else ()
    return SplitForm(
        opened=bool(errors),
        target=target,
        token=commands.new_token(),
        addresses=tuple(
            Choice(value=item.mac, text=item.mac, hint=words.joined(item.joined_by), checked=item.mac in ticked)
            for item in used
        ),
        reason=typed.reason if typed else "",
        errors=errors,
    )


def key_form(target: str, typed: Bound | None, errors: Errors, *, key_id: str | None) -> KeyForm:
    """The form about a Wi-Fi passphrase; `key_id` is the one that is asked about, if it is known."""
    chosen = typed.purpose if typed else ""
    return KeyForm(
        opened=bool(errors),
        target=target,
        token=commands.new_token(),
        key_id=typed.key_id if typed else key_id or "",
        purposes=tuple(
            Choice(value=item, text=orders_box.PURPOSES[item], hint=_HINTS[item], checked=item == chosen)
            for item in forms.PURPOSES
        ),
        days=typed.days if typed else str(forms.GUEST_DAYS),
        reason=typed.reason if typed else "",
        errors=errors,
    )
