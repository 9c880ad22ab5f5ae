"""Who is in the household: devices as data. A TOML file in, a checked `Persona` out.

The files lie beside this module. Names are made up; MACs are locally administered or of RFC 7042's
documentation range, so that none is anybody's. Bounded: field lengths as DHCP and DNS bound them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from wire.files import FileError, load_toml

FOLDER = Path(__file__).parent


def made_up(mac: str) -> str:
    """Return `mac` if no maker can own it.

    Raises:
        ValueError: it is multicast, or neither locally administered nor 00:00:5e:00:53:xx (RFC 7042).
    """
    first = int(mac[:2], 16)
    if first & 1:
        raise ValueError("is a group address; a device needs an individual one")
    if not first & 2 and not mac.startswith("00:00:5e:00:53:"):
        raise ValueError("may be somebody's; use a locally administered one or 00:00:5e:00:53:xx")
    return mac


Mac = Annotated[str, Field(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"), AfterValidator(made_up)]
HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$")]
LookedUp = Annotated[
    str, Field(pattern=r"^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+(example|test|invalid)$", max_length=253)
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(_Part):
    """Something announced by mDNS (RFC 6763)."""

    kind: str = Field(pattern=r"^_[a-z0-9-]{1,15}\._(tcp|udp)$")
    name: str = Field(min_length=1, max_length=63)
    port: int = Field(ge=1, le=65535)
    text: dict[str, str] = Field(default={}, max_length=16)


class Persona(_Part):
    """One device and its habits."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    """As the file is called."""
    title: str = Field(min_length=1, max_length=80)
    """What it is, in words."""
    mac: Mac
    host_name: HostName | None = None
    """DHCP option 12; a device may send none."""
    vendor_class: str | None = Field(default=None, min_length=1, max_length=64, pattern=r"^[ !#-\[\]-~]+$")
    """DHCP option 60."""
    parameters: tuple[Annotated[int, Field(ge=1, le=254)], ...] = Field(min_length=1, max_length=64)
    """DHCP option 55, in the order the device asks: the order is what tells devices apart."""
    services: tuple[Service, ...] = Field(default=(), max_length=16)
    """Announced by mDNS."""
    ssdp: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9:._-]{1,128}$")], ...] = Field(default=(), max_length=8)
    """Device and service types announced by SSDP (UPnP 1.1, section 1.2.2)."""
    habits: tuple[LookedUp, ...] = Field(default=(), max_length=64)
    """Names it asks for of its own accord."""
    resolver: Literal["leased", "own"] = "leased"
    """`own`: asks a public resolver whatever the lease says."""


def names() -> list[str]:
    """Every persona there is."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def load(name: str, folder: Path = FOLDER) -> Persona:
    """Read a persona by name.

    Raises:
        FileError: there is none of that name, or its file is wrong; the text names file and field.
    """
    path = folder / f"{name}.toml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise FileError(f"there is no persona {name!r}; known are {known}")
    persona = load_toml(path, Persona, purpose="a persona")
    if persona.name != name:
        raise FileError(f"{path}: name: is {persona.name!r}, but the file is called {name}.toml")
    return persona
