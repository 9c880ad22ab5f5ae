"""The way to the internet as somebody enters it: at the box's own page, or on the service.

In: an `Uplink`, the household as it is. Out: the household with that way out, tried by `gatehouse apply --new`; nothing of
what is in force is touched here. The provider's password has a file of its own for each line, and the household says which:
so a line and its password come, and go back, together, wherever the power goes. What was entered at the box counts where
the service says nothing better: whoever stands before the line sees whether it works.
Bounded: a password's file that no household names is removed (`tidy`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from appliance.fitting import taking
from appliance.fitting.places import Places, keep
from appliance.fitting.ports import MODEM
from firmware import layout
from firmware.household import Household, load
from wire.enrolment import Uplink
from wire.files import FileError


def counts(house: Household, uplink: Uplink, *, works: bool) -> bool:
    """Whether what the service says of the way out is put in place of what is here.

    Args:
        house: what is here.
        uplink: what the service says; its "dhcp" may only mean that nobody entered anything.
        works: the internet is reached by what is here.
    """
    entered_here = house.wan.kind != "dhcp"
    return not (entered_here and (works or uplink.kind == "dhcp"))


def is_so(places: Places, house: Household, uplink: Uplink) -> bool:
    """Whether this is the household's way out already, with this password."""
    wan = house.wan
    if wan.kind != uplink.kind or (wan.kind == "pppoe" and wan.user != uplink.user):
        return False
    if wan.kind != "pppoe" or uplink.password is None:
        return True
    try:
        return places.at(wan.password_file).read_bytes() == _content(uplink.password)
    except OSError:
        return False


def wanted(places: Places, house: Household, uplink: Uplink) -> Household:
    """The household with this way out; its password is in its file.

    Raises:
        OSError: the disk does not take the password.
        ValueError: together they are no household.
    """
    if is_so(places, house, uplink):
        return house
    section = _wan(house, uplink)
    if uplink.password is not None:
        section["password_file"] = f"{layout.CONFIG}/uplink-{secrets.token_hex(4)}.secret"
    made = Household.model_validate(house.model_dump(mode="json", exclude_none=True) | {"wan": section})
    if uplink.password is not None:
        keep(places.at(made.wan.password_file), _content(uplink.password))
    return made


def tried(places: Places, house: Household, uplink: Uplink, attempt: Callable[[Household], object]) -> bool:
    """Try this way out by `attempt`; whether it is the household's now. The password of the other one is destroyed.

    Raises:
        OSError: the disk does not take it; nothing was tried.
        ValueError: together they are no household.
    """
    try:
        new = wanted(places, house, uplink)
        places.at(layout.LINE_TOLD).unlink(missing_ok=True)  # of the line before
        attempt(new)
        return load(places.at(layout.HOUSEHOLD_FILE)).wan == new.wan
    finally:
        tidy(places)


def tidy(places: Places) -> None:
    """Destroy the passwords that neither the household nor the last good one names: of lines that are no more, or never were."""
    named = set()
    for path in (layout.HOUSEHOLD_FILE, layout.HOUSEHOLD_GOOD_FILE):
        try:
            if places.at(path).exists():
                named.add(load(places.at(path)).wan.password_file)
        except FileError:
            return  # it may be mended, and name any of them
    # Also what a cut left of writing one.
    for file in places.at(layout.CONFIG).glob(f"*{layout.UPLINK_SECRETS}*"):
        path = f"{layout.CONFIG}/{file.name}"
        if path not in named:
            with suppress(OSError):  # the next start tries it again
                taking.erase(places, path)


def _wan(house: Household, uplink: Uplink) -> dict[str, Any]:
    """`household.toml`'s section for a way out."""
    port = house.wan.port or house.wan.interface
    port = "eth0" if port == MODEM else port
    match uplink.kind:
        case "pppoe":
            # Without a password, the one that is there already is meant.
            return {"interface": "ppp0", "kind": "pppoe", "port": port, "user": uplink.user} | (
                {"password_file": house.wan.password_file} if house.wan.kind == "pppoe" else {}
            )
        case "modem":
            return {"interface": MODEM, "kind": "modem"}
        case _:
            return {"interface": port}


def _content(password: str) -> bytes:
    return password.encode("ascii") + b"\n"
