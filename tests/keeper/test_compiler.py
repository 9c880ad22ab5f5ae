"""The child that compiles: its result, its end with the keeper, and its being cut off."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from appliance import clock
from appliance.keeper.compiler import LONGEST, Compiler
from appliance.keeper.lists.jobs import Job, Result, table_path

DEADLINE = 30.0


@pytest.fixture
def compiler() -> Iterator[Compiler]:
    made = Compiler()
    yield made
    made.close()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(
        list_id="gambling", folder=str(tmp_path / "gambling"), stem="one", key=b"k" * 32, format="domains", reach=None,
        confidential=False, most=1000, sha256=None, octets=None,
    )  # fmt: skip


def pipe(content: bytes | None) -> int:
    """A descriptor that gives this content, or None: that gives nothing for ever."""
    read, write = os.pipe()
    if content is not None:
        os.write(write, content)
        os.close(write)
    return read


def result(compiler: Compiler, monotonic: float = 0.0) -> Result:
    until = clock.monotonic() + DEADLINE
    assert compiler._child is not None
    descriptor = os.pidfd_open(compiler._child.pid)
    try:
        select.select([descriptor], [], [], until - clock.monotonic())
    finally:
        os.close(descriptor)
    done = compiler.poll(monotonic)
    assert done is not None
    return done[1]


def test_a_list_is_compiled_and_the_descriptor_is_closed(compiler: Compiler, job: Job) -> None:
    descriptor = pipe(b"bets.example\n")
    compiler.start(job, descriptor, 0.0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert compiler._child is not None
    assert result(compiler).entries == 1
    assert compiler._child is None
    assert table_path(Path(job.folder), job.stem).exists()
    assert compiler.poll(0.0) is None


def test_a_child_that_is_killed_is_said(compiler: Compiler, job: Job) -> None:
    compiler.start(job, pipe(b"bets.example\n"), 0.0)
    assert compiler._child is not None
    compiler._child.send_signal(signal.SIGKILL)
    assert "cut off" in result(compiler).problem


def test_a_child_that_takes_for_ever_is_cut_off(compiler: Compiler, job: Job) -> None:
    compiler.start(job, pipe(None), 100.0)
    assert compiler.poll(100.0 + LONGEST - 1) is None
    done = compiler.poll(100.0 + LONGEST)
    assert done is not None
    assert "cut off" in done[1].problem


def test_the_child_goes_with_its_parent(job: Job) -> None:
    """A parent that starts a child which waits for ever, says its pid, and is killed."""
    program = f"""
import os, sys, time, msgspec
from appliance.keeper.compiler import Compiler
from appliance.keeper.lists.jobs import Job
compiler = Compiler()
compiler.start(msgspec.json.decode({msgspec.json.encode(job)!r}, type=Job), os.pipe()[0], 0.0)
print(compiler._child.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        descriptor = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        ended, _, _ = select.select([descriptor], [], [], DEADLINE)
    finally:
        os.close(descriptor)
    assert ended
