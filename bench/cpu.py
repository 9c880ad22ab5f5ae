"""CPU time of a process to the nanosecond; the 10 ms ticks of /proc/PID/stat hide what little the sensor uses."""

from __future__ import annotations

from pathlib import Path

import psutil


def seconds(pid: int, *, children: bool = False) -> float:
    """Seconds on a CPU of all threads so far, and of child processes if asked (proc(5), schedstat).

    Time the kernel spends on behalf of a process in interrupts is charged to whoever was interrupted,
    and so is in no watcher's figure; it shows in the router's speed.
    """
    pids = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))] if children else [pid]
    files = [file for each in pids for file in Path(f"/proc/{each}/task").glob("*/schedstat")]
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


class Settled:
    """Asked again and again: did the process use less than 2 ms of CPU since it was last asked?

    The first answer is no: a process that has only just been made has used nothing yet either.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before: float | None = None

    def __call__(self) -> bool:
        """Look, and remember what was seen."""
        now = seconds(self._pid, children=True)
        before, self._before = self._before, now
        return before is not None and now - before < 0.002
