"""What a campaign came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Whether the promise was kept, and the figures that show it."""

    kept: bool
    figures: Mapping[str, str]
    """In order, each with its unit."""
    remarks: tuple[str, ...] = field(default=())
    """What this run does not show, in a sentence each."""


Say = Callable[[str], None]
"""Tells a person how far it is."""


class Campaign(Protocol):
    """A module of this package."""

    NAME: str
    PROMISE: str

    def run(self, folder: Path, *, short: bool, say: Say) -> Result:
        """Make the faults; everything it writes goes below `folder`."""
