"""The one place of the appliance that reads clocks. Process mains call it and pass the value on."""

from __future__ import annotations

import time


def now() -> float:
    """Wall clock, Unix seconds."""
    return time.time()  # noqa: TID251 - the edge


def monotonic() -> float:
    """Monotonic clock, seconds since an arbitrary start of this run of the machine.

    Neither jumps nor runs faster or slower with the wall clock: `CLOCK_MONOTONIC` does the latter, by 500 millionths
    where NTP asks for it (adjtimex(2)), and who answers for NTP could so stretch an authority.
    """
    return time.clock_gettime(time.CLOCK_MONOTONIC_RAW)
