"""What the demonstration's own page shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPage:
    """For `demo.html`."""

    inside: bool
    """Who is asking is in the demonstration."""
