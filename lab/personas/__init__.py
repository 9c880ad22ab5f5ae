"""Who is in the household: devices as data. A TOML file in, a checked `Persona` out.

The files lie beside this module, and say where it is written that such devices speak so. Names are
made up; MACs are locally administered or of RFC 7042's documentation range, so that none is
anybody's: a maker's address prefix is the one habit that a persona cannot have.
Bounded: field lengths as DHCP and DNS bound them.
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


Infrastructure = Annotated[str, Field(pattern=r"^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}$", max_length=253)]
"""A real name of a maker's own machines; only in generated captures, and only of the sensor's closed tables."""
OptionCode = Annotated[int, Field(ge=1, le=254)]
Words = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[ !#-\[\]-~]+$")]
"""Printable ASCII that needs no escaping between quotation marks."""
Kind = Annotated[str, Field(pattern=r"^_[a-z0-9-]{1,15}\._(tcp|udp)$")]
SsdpType = Annotated[str, Field(pattern=r"^[A-Za-z0-9:._-]{1,128}$")]
Category = Literal[
    "phone",
    "tablet",
    "laptop",
    "desktop",
    "tv",
    "console",
    "e-reader",
    "wearable",
    "speaker",
    "camera",
    "plug",
    "printer",
    "router",
    "iot-other",
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Truth(_Part):
    """What the device really is: to compare verdicts with, never sent."""

    category: Category
    os_family: Words | None = None
    vendor: Words | None = None
    model: Words | None = None


class Service(_Part):
    """Something announced by mDNS (RFC 6763)."""

    kind: Kind
    name: str = Field(min_length=1, max_length=63)
    port: int = Field(ge=1, le=65535)
    text: dict[str, str] = Field(default={}, max_length=16)


class Dhcp6(_Part):
    """How it asks by DHCPv6 (RFC 8415)."""

    duid: Literal["llt", "en", "ll", "uuid"]
    """Kind of its identifier; `en` and `uuid` do not depend on a MAC and outlive a change of it."""
    requested: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = Field(min_length=1, max_length=64)
    """Option Request Option, in order."""
    enterprise: int | None = Field(default=None, ge=1, le=2**32 - 1)
    vendor_class: Words | None = None
    """Vendor class of that enterprise."""
    fqdn: bool = False
    """Whether it tells its host name (RFC 4704)."""


class Syn(_Part):
    """How it opens a TCP connection."""

    ttl: int = Field(ge=1, le=255)
    """As it leaves the device."""
    window: int = Field(ge=1, le=65535)
    mss: int = Field(default=1460, ge=88, le=65495)
    scale: int = Field(default=0, ge=0, le=14)
    """Window scale, where `options` has it."""
    options: tuple[Literal["mss", "nop", "ws", "ts", "sok", "eol"], ...] = Field(min_length=1, max_length=12)


class Persona(_Part):
    """One device and its habits."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    """As the file is called."""
    title: str = Field(min_length=1, max_length=80)
    """What it is, in words."""
    mac: Mac
    truth: Truth | None = None
    sources: tuple[str, ...] = Field(default=(), max_length=8)
    """Where it is written, in public, that such devices speak so."""
    host_name: HostName | None = None
    """DHCP option 12; a device may send none."""
    vendor_class: Words | None = None
    """DHCP option 60."""
    user_class: Words | None = None
    """DHCP option 77."""
    client_id: Literal["mac", "duid"] | None = None
    """DHCP option 61: the hardware address, or what RFC 4361 makes of a DUID; None: not sent."""
    parameters: tuple[OptionCode, ...] = Field(min_length=1, max_length=64)
    """DHCP option 55, in the order the device asks: the order is what tells devices apart."""
    options: tuple[OptionCode, ...] = Field(default=(), max_length=32)
    """Options of its DISCOVER in order; the live lab's client has an order of its own."""
    dhcp6: Dhcp6 | None = None
    interface_id: Literal["eui64", "per-address", "stable"] = "per-address"
    """Where its IPv6 interface id comes from: its MAC; made up for each MAC; or kept whatever the MAC (RFC 7217)."""
    services: tuple[Service, ...] = Field(default=(), max_length=16)
    """Announced by mDNS."""
    asks: tuple[Kind, ...] = Field(default=(), max_length=16)
    """Service types it looks for by mDNS."""
    mdns_host: HostName | None = None
    """Its name below .local, where that is not its host name."""
    ssdp: tuple[SsdpType, ...] = Field(default=(), max_length=8)
    """Device and service types announced by SSDP (UPnP 1.1, section 1.2.2)."""
    ssdp_server: Words = "Linux/6 UPnP/1.1 lab/1"
    """SERVER of what it announces."""
    ssdp_asks: tuple[SsdpType, ...] = Field(default=(), max_length=8)
    """Types it looks for by SSDP."""
    ssdp_agent: Words | None = None
    """USER-AGENT of these questions."""
    netbios: bool = False
    """Whether it registers its host name by NetBIOS and answers for it by LLMNR."""
    syn: Syn | None = None
    hello: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]{0,31}$")
    """Which of `lab/week/hellos.toml` is its TLS ClientHello."""
    captive: Infrastructure | None = None
    """Where it asks by plain HTTP whether the internet is there."""
    user_agent: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[ -~]+$")
    """What it calls itself there."""
    reports_to: tuple[Infrastructure, ...] = Field(default=(), max_length=16)
    """Machines of its maker that it speaks to of its own accord; see `Infrastructure`."""
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
