"""The one place of the appliance that reads clocks. Process mains call it and pass the value on."""

from __future__ import annotations

import time


def now() -> float:
    """Wall clock, Unix seconds."""
    return time.time()  # noqa: TID251 - the edge


def monotonic() -> float:
    """Monotonic clock, seconds since an arbitrary start; does not jump with the wall clock."""
    return time.monotonic()
