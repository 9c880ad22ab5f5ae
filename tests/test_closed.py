"""A process that closed its memory leaves no core file, and its own user cannot read it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance import closed

ASLEEP = "import sys, time; {first}; print('ready', flush=True); time.sleep(30)"
CLOSED = ASLEEP.format(first="from appliance.closed import close_memory; close_memory()")
OPEN = ASLEEP.format(first="pass")


@contextmanager
def started(code: str, folder: Path, *, core: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    def limits() -> None:
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        if core:
            resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    root = str(Path(__file__).resolve().parent.parent)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        preexec_fn=limits,  # noqa: PLW1509 - one thread
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.req("R55", "N2")
def test_no_core_file_is_written(tmp_path: Path) -> None:
    with started(CLOSED, tmp_path, core=True) as process:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file")] == [["0", "0"]]
        process.send_signal(signal.SIGSEGV)
        assert process.wait(10) == -signal.SIGSEGV
    assert list(tmp_path.iterdir()) == []


@pytest.mark.req("R55")
def test_its_memory_is_not_its_user_s(tmp_path: Path) -> None:
    """`/proc/PID` of a process that is not dumpable belongs to root: its own user may not open its memory."""
    with started(CLOSED, tmp_path) as shut, started(OPEN, tmp_path) as other:
        assert Path(f"/proc/{shut.pid}/mem").stat().st_uid == 0
        assert Path(f"/proc/{other.pid}/mem").stat().st_uid == os.getuid()
        if os.getuid() == 0:  # a user of the same id without root's rights
            read = "import os, sys; os.setuid(int(sys.argv[2])); open(f'/proc/{sys.argv[1]}/mem', 'rb')"
            done = subprocess.run(
                [sys.executable, "-c", read, str(shut.pid), "65534"], capture_output=True, check=False, timeout=30
            )
            assert b"PermissionError" in done.stderr


def test_this_one_is_open() -> None:
    assert not closed.is_closed()


def test_a_kernel_that_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def prctl(self, *_: int) -> int:
            return -1

    monkeypatch.setattr(closed.ctypes, "CDLL", lambda *_, **__: Refusing())
    monkeypatch.setattr(closed.resource, "setrlimit", lambda *_: None)
    with pytest.raises(OSError):  # noqa: PT011 - its number is whatever the kernel last gave this thread
        closed.close_memory()
