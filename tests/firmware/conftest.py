"""A made-up household and a network namespace to try its files in."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware import household

GOLDEN = Path(__file__).parent / "golden"

Runner = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def made_up() -> household.Household:
    return household.load(GOLDEN / "household.toml")


@pytest.fixture
def in_namespace(tmp_path: Path) -> Runner:
    """Run a shell script in a fresh network namespace, as root or in a user namespace of our own."""
    for flags in ("-n", "-Urn"):
        if subprocess.run(["unshare", flags, "true"], check=False, capture_output=True).returncode == 0:
            break
    else:
        pytest.skip("neither root nor unprivileged user namespaces: the kernel cannot be asked")

    def run(script: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "script.sh"
        path.write_text("set -e\n" + script)
        return subprocess.run(
            ["unshare", flags, "sh", str(path)], check=False, capture_output=True, text=True, timeout=60
        )

    return run
