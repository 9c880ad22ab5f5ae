"""What the devices of Home Assistant's integrations are: one line an integration, turned into rules.

Enters: `rules/integrations.toml`. Leaves: a `RuleFile` like the others.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from appliance.keeper.devices.fingerprint.categories import Category
from appliance.keeper.devices.fingerprint.schema import MAX_RULES, MOST, Of, Rule, RuleFile, Share, Words


class Integration(BaseModel):
    """What a device that an integration's matcher claims is, as its page says."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    domain: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,48}$")]
    vendor: str | None = Field(default=None, max_length=80)
    category: Category | None = None
    confidence: Share | None = None
    os_family: str | None = None
    what: str = Field(min_length=3, max_length=80)
    """What is sold under that name."""
    learned_from: tuple[str, ...] = ()


class IntegrationFile(BaseModel):
    """All of `rules/integrations.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: str
    reason: Words
    confidence: Share
    """Where an integration gives none."""
    integration: tuple[Integration, ...] = Field(min_length=1, max_length=MAX_RULES)

    prefix_reason: Words
    prefix_confidence: Share
    """The most that a prefix may say: makers use one block for all they sell."""

    def as_rules(self) -> RuleFile:
        """One rule an integration, for what it announces."""
        return RuleFile(
            version=self.version,
            kind="services",
            reason=self.reason,
            rule=tuple(self._rule(item, on=Of.INTEGRATION, most=MOST) for item in self.integration),
        )

    def as_prefix_rules(self) -> RuleFile:
        """One rule an integration, for the prefix of its address: it says what the registry's owner does, once."""
        return RuleFile(
            version=self.version,
            kind="owner",
            reason=self.prefix_reason,
            rule=tuple(self._rule(item, on=Of.PREFIX, most=self.prefix_confidence) for item in self.integration),
        )

    def _rule(self, item: Integration, *, on: Of, most: float) -> Rule:
        return Rule(
            id=f"{'ha' if on is Of.INTEGRATION else 'prefix'}-{item.domain.replace('_', '-')}",
            on=on,
            equals=(item.domain,),
            category=item.category,
            confidence=None if item.category is None else min(item.confidence or self.confidence, most),
            os_family=item.os_family if on is Of.INTEGRATION else None,
            vendor=item.vendor,
            source=f"home-assistant.io/integrations/{item.domain}: {item.what}",
            example=(item.domain,),
            learned_from=item.learned_from,
        )
