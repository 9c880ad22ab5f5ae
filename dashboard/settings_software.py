"""Settings of how releases of the box's software are rolled out: a part of `dashboard.toml`."""

from __future__ import annotations

from itertools import pairwise

from pydantic import BaseModel, ConfigDict, Field, field_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleaseRing(_Section):
    """Part of all boxes, and when it is told of a release."""

    share: float = Field(gt=0, le=1)
    """Of all boxes, those of the rings before included."""
    after_hours: float = Field(ge=0, le=24 * 60)
    """After the start of the release."""


_RINGS = (
    ReleaseRing(share=0.01, after_hours=0),
    ReleaseRing(share=0.1, after_hours=24),
    ReleaseRing(share=1, after_hours=72),
)
_SECURITY_RINGS = (
    ReleaseRing(share=0.01, after_hours=0),
    ReleaseRing(share=0.1, after_hours=6),
    ReleaseRing(share=1, after_hours=24),
)


class Software(_Section):
    """How releases of the box's software are rolled out (R4)."""

    rings: tuple[ReleaseRing, ...] = Field(default=_RINGS, min_length=1, max_length=8)
    security_rings: tuple[ReleaseRing, ...] = Field(default=_SECURITY_RINGS, min_length=1, max_length=8)
    """Of a release that mends a fault: all boxes are to have it within 72 hours."""
    most_failed: float = Field(default=0.02, gt=0, le=1)
    """A release is halted when it did not work on a larger share of the boxes that said how it went,"""
    least_failed: int = Field(default=2, ge=1, le=1000)
    """and on so many at least."""

    @field_validator("rings", "security_rings")
    @classmethod
    def _widening(cls, rings: tuple[ReleaseRing, ...]) -> tuple[ReleaseRing, ...]:
        for before, after in pairwise(rings):
            if after.share <= before.share or after.after_hours < before.after_hours:
                raise ValueError("each ring must be larger than the one before, and not open before it")
        return rings

    @field_validator("security_rings")
    @classmethod
    def _in_time(cls, rings: tuple[ReleaseRing, ...]) -> tuple[ReleaseRing, ...]:
        if rings[-1].share < 1 or rings[-1].after_hours > 48:
            raise ValueError("the last ring must be all boxes, within 48 hours: they are to have it within 72")
        return rings
