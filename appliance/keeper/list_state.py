"""Where one list stands on its way into use: plain values that `supply` changes.

Bounded: one file waits for the compiler, one wish is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from appliance.keeper.lists.jobs import Job
from appliance.settings import ListSource
from wire.lists import Manifest

RETRY_FIRST = 300.0
"""Seconds until what could not be had is tried again, at first."""


class Phase(StrEnum):
    """Where a list stands on its way."""

    REST = "rest"
    MANIFEST = "manifest"
    DATA = "data"
    COMPILE = "compile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A file for the compiler; the descriptor goes with it."""

    job: Job
    descriptor: int


@dataclass(slots=True, kw_only=True)
class State:
    """What is known of one list."""

    source: ListSource
    due: float
    """When to look for a newer version (monotonic seconds)."""
    phase: Phase = Phase.REST
    until: float = 0.0
    """The answer to a wish is waited for until then (monotonic seconds)."""
    retry: float = RETRY_FIRST
    manifest: Manifest | None = None
    """The one that is being fetched."""
    etag: str | None = None
    """Of the manifest that was looked at last."""
    pending: str | None = None
    """ETag of the manifest that is being fetched."""
    seen: tuple[int, int, int] | None = None
    """Local file: as it was when it was looked at last."""
    trouble: str = ""
    """Why a newer version could not be had."""
    refused: str = ""
    """Why a newer version was not taken."""
    judged: bool = False
    """Since the start it is known whether what is offered can be taken."""
    refused_version: str = ""
    accepted: str = ""
    """A version that an engineer accepts although it lost many entries."""
    waiting: Work | None = None
    said: str = ""
    """What was logged last, so that a lasting trouble is said once."""
