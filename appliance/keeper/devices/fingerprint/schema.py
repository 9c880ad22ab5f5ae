"""The shape of a rule file: checked when it is read, each fault in a sentence.

Enters: TOML. Leaves: `RuleFile`. Bounded: `MAX_RULES` rules a file. Patterns are ours, never a device's.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from appliance.keeper.devices.fingerprint.categories import OS_FAMILIES, Category
from appliance.keeper.devices.fingerprint.patterns import fault
from appliance.traits import Sort, Trait, sort

MAX_RULES = 512
MOST = 0.97
"""No evidence makes anything surer than this: whatever a device says can be imitated."""

Share = Annotated[float, Field(gt=0, le=MOST)]
Words = Annotated[str, Field(min_length=10, max_length=240)]


class Of(StrEnum):
    """What a rule looks at that is not a trait by itself."""

    NAME = "name"
    """A name that the device announces, by whatever protocol; of one with dots the first label."""
    OWNER = "owner"
    """Who the IEEE registry says owns the prefix of the hardware address."""
    INTEGRATION = "integration"
    """Domain of the Home Assistant integration whose matcher held."""
    PREFIX = "prefix"
    """Domain of the Home Assistant integration whose devices have addresses of this prefix."""
    AGENT_OS = "agent-os"
    """Operating system that `ua-parser` reads from a User-Agent."""
    AGENT_DEVICE = "agent-device"
    """Device family and model that `ua-parser` reads from a User-Agent."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Part):
    """One rule: what it looks at, when it holds, what it then votes for."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]
    on: Trait | Of
    equals: tuple[str, ...] = Field(default=(), max_length=64)
    """Exact values."""
    match: str | None = None
    """A regular expression to search for, case as written; with `(?i)` any case."""
    fallback: bool = False
    """It counts only if no other rule of the same kind of evidence held for the value."""

    category: Category | None = None
    confidence: Share | None = None
    """Of `category`: how often a device that shows just this is one."""
    among: dict[Category, Share] = Field(default_factory=dict)
    """In place of `category`: several, with the share of each."""
    os_family: str | None = None
    os_confidence: Share = 0.8
    vendor: str | None = Field(default=None, max_length=80)
    """The brand."""
    vendor_confidence: Share = 0.85
    vendor_unknown: bool = False
    """The address tells a maker of modules, whose name is no brand: do not take it for one."""
    runs_programmes: bool = False
    """Of a service cloud: the system that asks for it runs others' programmes, which ask for their makers' clouds."""
    model: str | None = Field(default=None, max_length=40)
    model_confidence: Share = 0.85
    captures: Literal["model", "vendor"] = "model"
    """What the group `model` of `match` is taken for."""

    reason: Words | None = None
    """In place of the file's."""
    source: Words
    example: tuple[str, ...] = Field(min_length=1, max_length=8)
    """Values for which the rule holds; run as tests."""
    model_in_example: str | None = None
    """What the first example's captured text is."""
    learned_from: tuple[str, ...] = ()
    """Labelled captures looked at when the rule was written; left out when it is scored on them."""

    @field_validator("os_family")
    @classmethod
    def _known_system(cls, value: str | None) -> str | None:
        if value is not None and value not in OS_FAMILIES:
            raise ValueError(
                f"{value!r} is no operating system of the table; give one of {', '.join(sorted(OS_FAMILIES))}"
            )
        return value

    @model_validator(mode="after")
    def _whole(self) -> Rule:
        if not self.equals and self.match is None:
            raise ValueError("a rule needs `equals`, `match` or both")
        if self.match is not None and (wrong := fault(self.match, person_may_choose=self.person_may_choose)):
            raise ValueError(f"the pattern of {self.id} {wrong}")
        if (self.category is None) != (self.confidence is None):
            raise ValueError("`category` and `confidence` go together")
        if self.among and self.category is not None:
            raise ValueError("give `category` or `among`, not both")
        if sum(self.among.values()) > MOST + 1e-9:
            raise ValueError(f"the shares of `among` add up to more than {MOST}")
        if not (self.among or self.category or self.os_family or self.vendor or self.model or self._captures_any):
            raise ValueError("a rule must vote for something")
        if self.on is Trait.DHCP4_PARAMETERS and (self.among or self.category):
            raise ValueError("option 55 is evidence of an operating system, never of a device")
        return self

    @property
    def _captures_any(self) -> bool:
        return self.vendor_unknown or (self.match is not None and "(?P<model>" in self.match)

    @property
    def person_may_choose(self) -> bool:
        """Whether what the rule looks at may hold words that a person chose."""
        return self.on is Of.NAME or (isinstance(self.on, Trait) and sort(self.on) is not Sort.HABIT)

    @property
    def shares(self) -> dict[Category, float]:
        """Of categories; empty where the rule says nothing of them."""
        if self.category is not None and self.confidence is not None:
            return {self.category: self.confidence}
        return dict(self.among)

    @property
    def strength(self) -> float:
        """For choosing the strongest of several."""
        own = max(self.shares.values(), default=0.0)
        return max(
            own, self.os_confidence / 2 if self.os_family else 0, self.vendor_confidence / 2 if self.vendor else 0
        )

    def holds(self, value: str) -> re.Match[str] | bool:
        """A match, or whether `value` is one of `equals`."""
        if value in self.equals:
            return True
        return False if self.match is None else (re.search(self.match, value) or False)


class RuleFile(_Part):
    """One kind of evidence. Hits of one kind count once: they often have one cause."""

    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,3}$")]
    kind: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,20}$")]
    reason: Words
    """Plain words for people: how such evidence comes about."""
    rule: tuple[Rule, ...] = Field(min_length=1, max_length=MAX_RULES)

    @model_validator(mode="after")
    def _ids_are_its_own(self) -> RuleFile:
        ids = [rule.id for rule in self.rule]
        if twice := {found for found in ids if ids.count(found) > 1}:
            raise ValueError(f"used more than once: {', '.join(sorted(twice))}")
        return self
