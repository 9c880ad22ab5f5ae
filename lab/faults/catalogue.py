"""All campaigns, in the order in which they are run: each a module with `NAME`, `PROMISE` and `run`."""

from __future__ import annotations

from collections.abc import Sequence

from lab.faults import (
    announcements,
    broker,
    clock,
    clones,
    lists,
    malice,
    mutations,
    outage,
    processes,
    purge,
    questions,
    replaced,
    silence,
    starvation,
)
from lab.faults.result import Campaign

CAMPAIGNS: Sequence[Campaign] = (
    outage,
    broker,
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
