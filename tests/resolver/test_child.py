"""A filtering dnsmasq as a child: checked before it is used, started again, gone with its room."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.resolver.child import Child

pytestmark = pytest.mark.skipif(shutil.which("dnsmasq") is None, reason="dnsmasq is not installed")
CONFIG = "port=15341\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\n"


def until(ready: Callable[[], object], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    made = Child(1, tmp_path)
    yield made
    made.remove()


def pid(child: Child) -> int | None:
    return None if child._process is None else child._process.pid


def test_a_configuration_is_checked_before_it_is_used(child: Child, tmp_path: Path) -> None:
    assert child.use(CONFIG, 0.0) == ""
    first = pid(child)
    assert first is not None
    assert child.use(CONFIG, 1.0) == ""
    assert pid(child) == first, "nothing new: it goes on"
    assert "does not take its configuration" in child.use(CONFIG + "no-such-option\n", 2.0)
    assert pid(child) == first, "what ran goes on"
    assert (tmp_path / "filter-1.conf").read_text() == CONFIG
    assert child.use(CONFIG + "cache-size=10\n", 3.0) == ""
    assert pid(child) not in (None, first)
    child.remove()
    assert not (tmp_path / "filter-1.conf").exists()


def test_one_that_ends_is_started_again_with_patience(child: Child) -> None:
    child.use(CONFIG, 0.0)
    first = pid(child)
    assert first is not None
    child.restart()
    assert until(lambda: child._process is not None and child._process.poll() is not None)
    child.tend(100.0)
    assert pid(child) is None
    child.tend(100.1)
    assert pid(child) is None, "not at once"
    child.tend(101.0)
    assert pid(child) not in (None, first)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    assert "cannot be written" in Child(1, tmp_path / "missing").use(CONFIG, 0.0)


@pytest.mark.req("R57")
def test_it_dies_with_its_room(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom appliance.resolver.child import Child\n"
        "child = Child(1, Path(sys.argv[1]))\nassert child.use(sys.argv[2], 0.0) == ''\n"
        "print(child._process.pid, flush=True)\ntime.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), CONFIG.replace("15341", "15342")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as room:
        assert room.stdout is not None
        number = int(room.stdout.readline())
        # setpriv has become dnsmasq once its name says so; only then is the death signal set.
        comm = Path(f"/proc/{number}/comm")
        assert until(lambda: comm.read_text().strip() == "dnsmasq")
        os.kill(room.pid, signal.SIGKILL)
    assert until(lambda: _is_dead(number))


def _is_dead(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True
