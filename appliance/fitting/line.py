"""The way to the internet as somebody enters it: at the box's own page, or on the service.

In: an `Uplink`, the household as it is. Out: the household with that way out, the provider's password in its file. What
was entered at the box counts where the service says nothing better: whoever stands before the line sees whether it works.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from appliance.fitting.places import Places, keep
from appliance.fitting.ports import MODEM
from firmware import layout
from firmware.household import Household, as_toml
from wire.enrolment import Uplink


def wan(house: Household, uplink: Uplink) -> dict[str, Any]:
    """`household.toml`'s section for a way out."""
    port = house.wan.port or house.wan.interface
    port = "eth0" if port == MODEM else port
    match uplink.kind:
        case "pppoe":
            return {"interface": "ppp0", "kind": "pppoe", "port": port, "user": uplink.user}
        case "modem":
            return {"interface": MODEM, "kind": "modem"}
        case _:
            return {"interface": port}


def counts(house: Household, uplink: Uplink, *, works: bool) -> bool:
    """Whether what the service says of the way out is put in place of what is here.

    Args:
        house: what is here.
        uplink: what the service says; its "dhcp" may only mean that nobody entered anything.
        works: the internet is reached by what is here.
    """
    entered_here = house.wan.kind != "dhcp"
    return not (entered_here and (works or uplink.kind == "dhcp"))


def secret(uplink: Uplink) -> bytes | None:
    """Content of the password's file; None where there is none."""
    return None if uplink.password is None else uplink.password.encode("ascii") + b"\n"


def wanted(house: Household, uplink: Uplink) -> Household:
    """The household with this way out.

    Raises:
        ValueError: together they are no household.
    """
    return Household.model_validate(house.model_dump(mode="json", exclude_none=True) | {"wan": wan(house, uplink)})


def password(places: Places) -> bytes | None:
    """Content of the password's file as it is; None where there is none.

    Raises:
        OSError: it cannot be read.
    """
    path = places.at(layout.UPLINK_SECRET_FILE)
    return path.read_bytes() if path.exists() else None


def put_back(places: Places, content: bytes | None) -> None:
    """The password's file as it was. A disk that does not take it leaves the one that was tried."""
    with suppress(OSError):
        if content is None:
            places.at(layout.UPLINK_SECRET_FILE).unlink(missing_ok=True)
        else:
            keep(places.at(layout.UPLINK_SECRET_FILE), content)


def put(places: Places, house: Household, uplink: Uplink) -> Household:
    """Write it down; nothing is told of it yet.

    Raises:
        OSError: the disk does not take it.
        ValueError: together they are no household.
    """
    made = wanted(house, uplink)
    content = secret(uplink)
    if content is not None:
        keep(places.at(layout.UPLINK_SECRET_FILE), content)
    keep(places.at(layout.HOUSEHOLD_FILE), as_toml(made).encode(), mode=0o644)
    return made
