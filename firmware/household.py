"""`household.toml`: what this router is, typed and checked.

One frozen `Household` is all that `firmware.render` needs; nothing here reads a clock or the system.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from firmware import names
from wire.files import load_toml

Interface = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,14}$")]


def _unscoped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    # Python takes any text behind the %, line ends too, and this one is written into a configuration.
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError("has an interface behind a %; give an address that needs none")
    return address


Address = Annotated[IPv4Address | IPv6Address, AfterValidator(_unscoped)]
Domain = Annotated[str, Field(pattern=r"^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}$", max_length=253)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lan(_Section):
    """The household's side."""

    bridge: Interface
    ports: tuple[Interface, ...] = Field(default=(), max_length=16)
    address: IPv4Address
    network: IPv4Network
    network6: IPv6Network
    """A /64; the router takes ::1 of it."""
    lease_seconds: int = Field(default=3600, ge=120, le=86400)
    domain: Domain = "home.arpa"

    @model_validator(mode="after")
    def _fits(self) -> Lan:
        if self.address not in self.network:
            raise ValueError(f"address {self.address} is not in network {self.network}")
        if self.address in {self.network.network_address, self.network.broadcast_address}:
            raise ValueError(f"address {self.address} is not one that a machine of {self.network} may have")
        if self.network6.prefixlen != 64:
            raise ValueError(f"network6 {self.network6} must be a /64")
        return self


class Wan(_Section):
    """The side towards the internet."""

    interface: Interface


class Resolver(_Section):
    """Where the box's own resolver asks."""

    upstream: tuple[Address, ...] = Field(min_length=1, max_length=4)


CaptiveApi = Annotated[
    str, Field(pattern=r"^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}/[A-Za-z0-9._/-]{0,100}$")
]
"""RFC 8910 section 2: an address with a name, over TLS; a name that a device's own list of authorities can vouch for."""


class Household(_Section):
    """All of `household.toml`."""

    lan: Lan
    wan: Wan
    resolver: Resolver
    notice_port: int = Field(default=80, ge=1, le=65535)
    """Port of the notice page on the LAN address."""
    captive_api: CaptiveApi | None = None
    """Told to every device as DHCP option 114 (RFC 8910), so that it can show the notice on demand.

    Only for an operator who has a certificate for that name which phones accept, and serves the notice page with it.
    """

    @model_validator(mode="after")
    def _answers(self) -> Household:
        if {self.lan.address, self.lan.network6[1]} & set(self.resolver.upstream):
            raise ValueError("resolver.upstream names this router itself: it would ask itself for ever")
        if self.notice_port in {53, *(filter_.port for filter_ in names.FILTERS)}:
            raise ValueError(f"notice_port {self.notice_port} is a resolver's")
        return self


def load(path: Path) -> Household:
    """Read and check a household file.

    Raises:
        FileError: the file is missing, not TOML, or a value is wrong.
    """
    return load_toml(path, Household, purpose="the router's household file")
