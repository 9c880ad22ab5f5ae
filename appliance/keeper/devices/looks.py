"""What a device appears to be, from how it asks for an address: small rules, each with its source.

In: option 55 (the parameters a client asks for, in its order) and option 60 (vendor class) of
DHCPv4 (RFC 2132 sections 9.8 and 9.13). Out: plain words, a confidence and the reasons, or None.
The rules are data (`rules/dhcp.toml`); each carries an example that the tests run.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wire.files import load_toml
from wire.models import LooksLike

MAX_VENDOR_CLASS = 255


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Example(_Part):
    """A worked example of a rule."""

    parameters: tuple[int, ...] = ()
    vendor_class: str | None = None


class DhcpRule(_Part):
    """One rule: both conditions that are given must hold."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    words: str = Field(max_length=80)
    confidence: float = Field(gt=0, lt=1)
    source: str = Field(min_length=10, max_length=200)
    example: Example
    parameters: tuple[int, ...] | None = None
    """The exact list, in order."""
    vendor_class: str | None = None
    """A regular expression that must match from the start; written by us, never by a device."""

    @model_validator(mode="after")
    def _has_condition(self) -> DhcpRule:
        if self.parameters is None and self.vendor_class is None:
            raise ValueError("a rule needs parameters, vendor_class or both")
        if self.vendor_class is not None:
            re.compile(self.vendor_class)
        return self

    def matches(self, parameters: tuple[int, ...], vendor_class: str | None) -> bool:
        """Whether the rule holds for what a client sent."""
        if self.parameters is not None and self.parameters != parameters:
            return False
        if self.vendor_class is None:
            return True
        return vendor_class is not None and re.match(self.vendor_class, vendor_class[:MAX_VENDOR_CLASS]) is not None


class DhcpRules(_Part):
    """All of `rules/dhcp.toml`."""

    version: str
    rule: tuple[DhcpRule, ...] = Field(min_length=1, max_length=256)


@cache
def shipped() -> DhcpRules:
    """The rules that ship with the box."""
    with resources.as_file(resources.files("appliance.keeper.devices") / "rules" / "dhcp.toml") as path:
        return load_toml(path, DhcpRules, purpose="the rules for what a device looks like")


def looks_like(rules: DhcpRules, *, parameters: tuple[int, ...], vendor_class: str | None) -> LooksLike | None:
    """The surest rule that holds; None when none does. Never more than an appearance."""
    best = max(
        (rule for rule in rules.rule if rule.matches(parameters, vendor_class)),
        key=lambda rule: rule.confidence,
        default=None,
    )
    if best is None:
        return None
    reasons = []
    if best.parameters is not None:
        reasons.append("The list of settings it asks for when it joins is the one such devices ask for.")
    if best.vendor_class is not None:
        reasons.append("It names its own network software when it joins, and such devices use that name.")
    return LooksLike(text=best.words, confidence=best.confidence, reasons=tuple(reasons))
