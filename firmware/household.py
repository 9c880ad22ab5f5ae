"""`household.toml`: what this router is, typed and checked.

One frozen `Household` is all that `firmware.render` needs; nothing here reads a clock or the system.
Bounded: what is a list has a greatest length, and what becomes a line of a configuration has a form that cannot
hold a second one.
"""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from firmware import layout, names
from wire.files import load_toml
from wire.wifi import Country, Security, Ssid

Interface = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,14}$")]


def _unscoped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    # Python takes any text behind the %, line ends too, and this one is written into a configuration.
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError("has an interface behind a %; give an address that needs none")
    return address


Address = Annotated[IPv4Address | IPv6Address, AfterValidator(_unscoped)]
Domain = Annotated[str, Field(pattern=r"^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}$", max_length=253)]


EngineerKey = Annotated[str, Field(pattern=r"^ssh-ed25519 [A-Za-z0-9+/=]{68}( [!-~]{1,60})?$")]
"""A line of `authorized_keys`, without options; as on the operator's card."""
AbsolutePath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]{1,64}){1,12}$")]
Mac = Annotated[str, Field(pattern=r"^[0-9a-f][26ae](:[0-9a-f]{2}){5}$")]
"""Locally administered, of one machine."""

CHANNELS: dict[str, frozenset[int]] = {
    "2.4": frozenset(range(1, 14)),
    "5": frozenset({36, 40, 44, 48, 149, 153, 157, 161, 165}),
}
"""Those that an access point may use at once. The others of 5 GHz ask for listening to radar first (DFS), which the
radio of a Pi does not do."""

TIME_SERVERS = ("time.cloudflare.com", "nts.netnod.se", "ptbtime1.ptb.de")
"""Well-known servers of three operators that speak NTS (RFC 8915)."""


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
    mac: Mac | None = None
    """Of the bridge, so that devices know their router again after a restart; left alone, it changes with its ports."""
    delegated: bool = False
    """Hand on the provider's IPv6 prefix as well (RFC 8415): addresses that the household file does not know."""
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
    """The side towards the internet (R5)."""

    interface: Interface
    """What is routed: the port itself, `ppp0` for PPPoE, `modem0` for a USB modem."""
    kind: Literal["dhcp", "pppoe", "modem"] = "dhcp"
    port: Interface | None = None
    """For `pppoe`: the port that the line is plugged into."""
    user: Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,128}$")] | None = None
    """For `pppoe`: the name that the provider gave."""
    password_file: AbsolutePath = layout.UPLINK_SECRET_FILE
    """For `pppoe`: the password, one line, root's alone. Each line that is entered has a file of its own, so that a line
    that is tried leaves the one of before its password."""

    @model_validator(mode="after")
    def _reachable(self) -> Wan:
        if self.kind == "pppoe" and not (self.port and self.user):
            raise ValueError("pppoe needs port (what the line is plugged into) and user (the provider's name for it)")
        if self.kind == "pppoe" and not (self.interface.startswith("ppp") and self.port != self.interface):
            raise ValueError("pppoe makes an interface of its own: call it ppp0")
        if self.kind != "pppoe" and (self.user or self.port not in {None, self.interface}):
            raise ValueError(f"user, and a port beside interface, are for pppoe; kind is {self.kind}")
        return self


class Resolver(_Section):
    """Where the box's own resolver asks."""

    upstream: tuple[Address, ...] = Field(min_length=1, max_length=4)
    dnssec: Literal["off", "where-signed", "strict"] = "off"
    """Check signatures (RFC 4035): those that come, or also ask for proof where none come.

    `strict` takes the names away from a home whose upstream strips signatures, so it is for upstreams that are known.
    """


class Radio(_Section):
    """One radio of the box, one channel."""

    interface: Interface
    band: Literal["2.4", "5"] = "2.4"
    channel: int = 6

    @model_validator(mode="after")
    def _in_band(self) -> Radio:
        if self.channel not in CHANNELS[self.band]:
            allowed = ", ".join(map(str, sorted(CHANNELS[self.band])))
            raise ValueError(
                f"channel {self.channel} is none of the {self.band} GHz band that a box may use: {allowed}"
            )
        return self


class Wifi(_Section):
    """The household's Wi-Fi; one name on all radios."""

    ssid: Ssid
    country: Country
    security: Security = "wpa2"
    isolation: bool = False
    """Devices on the Wi-Fi do not reach each other."""
    pmf: Literal["off", "optional", "required"] = "optional"
    """Protected management frames (IEEE 802.11w): nobody sends devices away in the box's name."""
    radios: tuple[Radio, ...] = Field(min_length=1, max_length=4)
    passphrase_file: AbsolutePath = layout.PASSPHRASE_FILE
    """hostapd's `wpa_psk_file`."""

    @model_validator(mode="after")
    def _fits(self) -> Wifi:
        if len({radio.interface for radio in self.radios}) != len(self.radios):
            raise ValueError("two radios have the same interface")
        if self.security == "wpa2-wpa3" and self.pmf == "off":
            raise ValueError("security wpa2-wpa3 needs pmf optional or required: WPA3 has no other")
        return self


class Time(_Section):
    """Where the clock is set by: servers that prove who they are (NTS, RFC 8915)."""

    servers: tuple[Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")], ...] = Field(
        default=TIME_SERVERS, min_length=1, max_length=4
    )


class Admin(_Section):
    """Who may look after the box from the household's side."""

    engineer_keys: tuple[EngineerKey, ...] = Field(default=(), max_length=4)
    """Nobody has a shell where there is none: no server for it runs, no port is open."""


class Limits(_Section):
    """What one device may take of the table of connections, so that it leaves the others theirs (R57)."""

    connections: int = Field(default=names.MOST_CONNECTIONS, ge=100, le=names.ALL_CONNECTIONS)
    """At once. More for a home in which an extender speaks for many devices under one address."""
    opened_a_second: int = Field(default=names.OPENED_A_SECOND, ge=10, le=100_000)
    opened_at_once: int = Field(default=names.OPENED_AT_ONCE, ge=100, le=names.ALL_CONNECTIONS)


CaptiveApi = Annotated[
    str, Field(pattern=r"^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}/[A-Za-z0-9._/-]{0,100}$")
]
"""RFC 8910 section 2: an address with a name, over TLS; a name that a device's own list of authorities can vouch for."""


class Household(_Section):
    """All of `household.toml`."""

    lan: Lan
    wan: Wan
    resolver: Resolver
    wifi: Wifi | None = None
    """None: by cable only."""
    time: Time = Time()
    admin: Admin = Admin()
    limits: Limits = Limits()
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
        if self.admin.engineer_keys and self.notice_port == names.SHELL_PORT:
            raise ValueError(f"notice_port {self.notice_port} is that of the engineer's shell")
        return self

    @model_validator(mode="after")
    def _each_interface_once(self) -> Household:
        radios = () if self.wifi is None else tuple(radio.interface for radio in self.wifi.radios)
        used = [self.lan.bridge, *self.lan.ports, *radios, self.wan.interface]
        if self.wan.kind == "pppoe" and self.wan.port is not None:
            used.append(self.wan.port)
        twice = sorted({name for name in used if used.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: one interface has two tasks")
        return self


def load(path: Path) -> Household:
    """Read and check a household file.

    Raises:
        FileError: the file is missing, not TOML, or a value is wrong.
    """
    return load_toml(path, Household, purpose="the router's household file")


def as_toml(household: Household) -> str:
    """The household as `household.toml`: JSON's strings, numbers and arrays are TOML's as well."""
    plain = household.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    sections = {name: value for name, value in plain.items() if isinstance(value, dict)}
    lines = [f"{name} = {_value(value)}" for name, value in plain.items() if name not in sections]
    for name, section in sections.items():
        lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in section.items())]
    return "\n".join(lines).lstrip() + "\n"


def _value(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            # TOML takes no DEL as it is, and no pair of surrogates: other letters stand as they are.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
