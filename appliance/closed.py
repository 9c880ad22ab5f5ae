"""A process whose memory nobody reads: no core file when it crashes, no tracing by another of its user (R55).

What is looked up is in a process's memory before it is decided that it may not be kept. A core file would write all of
it to disk. Two locks, each enough by itself: the limit on core files is 0 and cannot be raised again, and the process
is not dumpable (prctl(2), PR_SET_DUMPABLE), which also keeps ptrace(2) and /proc/PID/mem shut to its own user.
"""

from __future__ import annotations

import ctypes
import os
import resource

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4


def close_memory() -> None:
    """Shut both locks for this process and those that it starts (of the second only until they run another program).

    Raises:
        OSError: the kernel refused.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def is_closed() -> bool:
    """Whether both locks are shut."""
    dumpable = ctypes.CDLL(None, use_errno=True).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0)
    return dumpable == 0 and resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
