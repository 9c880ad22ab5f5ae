from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def test_a_certificate_that_is_not_there_is_one_plain_line(box_toml: Callable[..., Path], root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "appliance.courier", "--config", str(box_toml())],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("courier: ")
    assert "ca.pem: cannot be read" in done.stderr
    assert len(done.stderr.splitlines()) == 1
