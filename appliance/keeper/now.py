"""The moment of an observation: under which authority, when heard, when handled."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.keeper.authority import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What every step of an observation needs to know."""

    scope: Scope
    """The authority in force."""
    ts: float
    """When the frame was heard, Unix seconds; never after `at`."""
    at: float
    """When the keeper handles it, by its own clock."""
