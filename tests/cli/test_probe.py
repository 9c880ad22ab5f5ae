from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli import main
from appliance.cli.probe import prefix


def test_what_the_process_says_is_passed_on(box_toml: Callable[..., Path]) -> None:
    config = box_toml()
    done = CliRunner().invoke(main, ["probe", "--config", str(config)])
    assert done.exit_code in {2, 4}, "there is no such bridge here, or no right to send"
    assert CliRunner().invoke(main, ["probe", "--config", str(config), "--kind", "all"]).exit_code == 2


def test_one_right_is_left() -> None:
    words = prefix()
    if not words:
        pytest.skip("no program of this machine can drop rights, or this user may not: see appliance.confinement.probe")
    status = subprocess.run([*words, "cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
    bounding = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd"))
    assert int(bounding, 16) in {0, 1 << 13}  # CAP_NET_RAW, or nothing where the place has none
    assert "NoNewPrivs:\t1" in status
