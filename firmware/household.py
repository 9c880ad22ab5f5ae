"""`household.toml`: what this router is, typed and checked.

One frozen `Household` is all that `firmware.render` needs; nothing here reads a clock or the system.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wire.files import load_toml

Interface = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,14}$")]
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
        if self.network6.prefixlen != 64:
            raise ValueError(f"network6 {self.network6} must be a /64")
        return self


class Wan(_Section):
    """The side towards the internet."""

    interface: Interface


class Resolver(_Section):
    """Where the box's own resolver asks."""

    upstream: tuple[str, ...] = Field(min_length=1, max_length=4)
    """IP addresses."""


class Household(_Section):
    """All of `household.toml`."""

    lan: Lan
    wan: Wan
    resolver: Resolver
    notice_port: int = Field(default=80, ge=1, le=65535)
    """Port of the notice page on the LAN address."""


def load(path: Path) -> Household:
    """Read and check a household file.

    Raises:
        FileError: the file is missing, not TOML, or a value is wrong.
    """
    return load_toml(path, Household, purpose="the router's household file")
