"""What Home Assistant's matchers know: which integration a service, a UPnP type or a name belongs to.

The table is taken at set-up out of the `homeassistant` package (Apache-2.0) by
`tools/tables.py`; `rules/integrations.toml` says what the integrations' devices are.
Enters: a trait. Leaves: domains of integrations. Bounded: the table; `MAX_DOMAINS` an answer.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from appliance.traits import Trait

FILE = "services.json"
MAX_DOMAINS = 4

Pattern = Annotated[str, Field(max_length=128)]


class Service(BaseModel):
    """A matcher for mDNS: a type, and what its instance name or TXT must hold besides."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    type: Pattern
    """Such as `_hue._tcp`."""
    name: Pattern | None = None
    properties: dict[str, Pattern] = Field(default_factory=dict)
    domain: Pattern


class ServiceTable(BaseModel):
    """The packed table."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: str
    services: tuple[Service, ...] = ()
    homekit: dict[Pattern, Pattern] = Field(default_factory=dict)
    """Model of a HomeKit accessory (the start of it), and domain."""
    upnp: dict[Pattern, Pattern] = Field(default_factory=dict)
    """UPnP device or service type that only one integration asks for, and domain."""
    hosts: tuple[tuple[Pattern, Pattern], ...] = ()
    """Host-name patterns (lower case, `*` and `?`) and domain."""
    prefixes: dict[Pattern, Pattern] = Field(default_factory=dict)
    """Prefix of the hardware address in upper-case hexadecimal, and domain."""

    def domains(self, trait: Trait, value: str) -> tuple[str, ...]:
        """Integrations that claim this; most are one device's maker."""
        match trait:
            case Trait.MDNS_SERVICE:
                found = {
                    item.domain for item in self.services if item.type == value and not (item.name or item.properties)
                }
            case Trait.MDNS_TXT:
                found = self._of_txt(value)
            case Trait.SSDP_TYPE:
                found = {self.upnp[value]} if value in self.upnp else set()
            case Trait.DHCP4_HOST_NAME | Trait.MDNS_HOST:
                low = value.lower()
                found = {domain for pattern, domain in self.hosts if fnmatchcase(low, pattern)}
            case _:
                found = set()
        return tuple(sorted(found))[:MAX_DOMAINS]

    def of_address(self, mac: str) -> tuple[str, ...]:
        """Integrations whose devices have addresses of this prefix."""
        number = mac.replace(":", "").upper()
        return tuple(
            sorted({self.prefixes[number[:width]] for width in (6, 7, 8, 9) if number[:width] in self.prefixes})
        )

    def _of_txt(self, value: str) -> set[str]:
        service, _, pair = value.partition(" ")
        key, _, said = pair.partition("=")
        key, low = key.lower(), said.lower()  # keys of TXT know no case (RFC 6763 section 6.4)
        found = {
            item.domain
            for item in self.services
            if item.type == service and len(item.properties) == 1
            for name, pattern in item.properties.items()
            if name.lower() == key and fnmatchcase(low, pattern.lower())
        }
        if service in {"_hap._tcp", "_hap._udp"} and key == "md":
            # Home Assistant takes a model up to a blank or a hyphen, then one that ends in `*`.
            found |= {domain for model, domain in self.homekit.items() if _is_model(said, model)}
        return found


def _is_model(said: str, model: str) -> bool:
    if model.endswith("*"):
        return said.startswith(model[:-1])
    return said == model or said.startswith((f"{model} ", f"{model}-"))


@cache
def shipped() -> ServiceTable | None:
    """The table built at set-up; None where it was not built: then only our own rules speak."""
    file = resources.files("appliance.keeper.devices.fingerprint") / "tables" / FILE
    return ServiceTable.model_validate(json.loads(file.read_text())) if file.is_file() else None
