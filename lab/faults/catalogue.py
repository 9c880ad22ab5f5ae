"""All campaigns, in the order in which they are run: each a module with `NAME`, `PROMISE` and `run`."""

from __future__ import annotations

from collections.abc import Sequence

from lab.faults import (
    announcements,
    broker,
    clock,
    clones,
    full,
    lists,
    malice,
    mutations,
    outage,
    power,
    processes,
    purge,
    questions,
    replaced,
    silence,
    starvation,
    workers,
)
from lab.faults.result import Campaign

CAMPAIGNS: Sequence[Campaign] = (
    power,
    full,
    outage,
    broker,
    workers,
    processes,
    clock,
    clones,
    malice,
    mutations,
    purge,
    starvation,
    announcements,
    questions,
    lists,
    silence,
    replaced,
)
