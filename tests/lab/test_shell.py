"""A shell on a device: in one command, from outside the sealed place."""

from __future__ import annotations

import subprocess
import sys


def shell(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab.shell", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_runs_on_the_device(apart: dict[str, str]) -> None:
    done = shell(apart, "games-console", "--", "sh", "-c", "hostname; cat /sys/class/net/eth0/address; exit 5")
    assert done.stdout.splitlines() == ["games-console", "00:00:5e:00:53:50"]
    assert "games-console has 192.0.2." in done.stderr
    assert done.returncode == 5


def test_an_unknown_persona_is_said_plainly(apart: dict[str, str]) -> None:
    done = shell(apart, "nobody")
    assert done.returncode == 1
    assert done.stderr.startswith("lab: there is no persona 'nobody'; known are ")
    assert "Traceback" not in done.stderr
