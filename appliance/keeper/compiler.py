"""Compiles lists in a child process, one at a time, so that ten million names never hold the keeper up.

In: a `Job` and a descriptor. Out: its `Result`. A process and not a thread: the keeper's loop keeps its turns
(one interpreter runs one thread of Python at a time), the memory goes back to the system, and the child can run
at the lowest priority. It dies with the keeper (PR_SET_PDEATHSIG), so nobody writes files for one that is gone.
Bounded: `LONGEST` seconds, then the child is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys

import msgspec

from appliance.keeper.lists import jobs
from appliance.keeper.lists.jobs import Job, Result

LONGEST = 3600.0
_NICE = 15
_SET_PDEATHSIG = 1  # prctl(2)
_KILLED = Result(problem="compiling it was cut off; it is tried again")


class Compiler:
    """The child, while there is one."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._job: Job | None = None
        self._until = 0.0

    @property
    def busy(self) -> bool:
        """Whether a job is being done."""
        return self._child is not None

    def start(self, job: Job, descriptor: int, monotonic: float) -> None:
        """Begin a job; call only when not `busy`. The descriptor is ours from now on.

        Raises:
            OSError: no process can be started.
        """
        try:
            child = subprocess.Popen(
                [sys.executable, "-m", "appliance.keeper.compiler", str(os.getpid()), str(descriptor)],
                # What runs already, by no path: on the way to it may lie a folder that only root may enter, and whoever
                # started us was root.
                executable="/proc/self/exe",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(descriptor,),
            )
        finally:
            os.close(descriptor)
        assert child.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(BrokenPipeError), child.stdin as told:  # it may be gone already: `poll` says so
            told.write(msgspec.json.encode(job))  # smaller than a pipe's buffer (pipe(7)): it never waits
        self._child, self._job, self._until = child, job, monotonic + LONGEST

    def poll(self, monotonic: float) -> tuple[Job, Result] | None:
        """The job that is done, if one is."""
        if self._child is None or self._job is None:
            return None
        if self._child.poll() is None:
            if monotonic < self._until:
                return None
            self._child.kill()
        said, job = _last_words(self._child), self._job
        self._child = self._job = None
        try:
            return job, msgspec.json.decode(said, type=Result)
        except msgspec.DecodeError:
            return job, _KILLED

    def close(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.kill()
            _last_words(self._child)
            self._child = self._job = None


def _last_words(child: subprocess.Popen[bytes]) -> bytes:
    """What a child that has ended, or was killed, wrote."""
    assert child.stdout is not None  # noqa: S101 - it was asked for
    with child.stdout as said:
        words = said.read()
    child.wait()
    return words


def main() -> None:
    """The child: a job on standard input, a descriptor by number, the result on standard output."""
    parent, descriptor = int(sys.argv[1]), int(sys.argv[2])
    ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we asked to go with it
        return
    os.nice(_NICE)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(jobs.run(job, descriptor)))


if __name__ == "__main__":
    main()
