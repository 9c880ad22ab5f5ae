"""`tools/setup` where it cannot do its work: one plain error that names what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("cat", "cut", "dirname", "env", "grep", "id", "mkdir", "rm", "sed", "sh", "sha256sum", "tail", "tee", "uname")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a copy of the set-up with a PATH that holds only what is given."""
    for name in ("tools", "requirements.lock", "pyproject.toml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    programs = tmp_path / "bin"
    programs.mkdir()

    def start(**fakes: str) -> subprocess.CompletedProcess[str]:
        for name in NEEDED:
            found = shutil.which(name)
            assert found
            (programs / name).symlink_to(found)
        for name, body in fakes.items():
            path = programs / name.replace("_", "-")
            path.unlink(missing_ok=True)
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(0o755)
        return subprocess.run(
            ["sh", str(tmp_path / "tools" / "setup")],
            env={"PATH": str(programs), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return start


# `dpkg-query` that knows every package but one; a python3 that is new enough.
ALL_BUT_NFT = 'case "$4" in nftables) exit 1;; *) printf "install ok installed";; esac'
ALL = 'printf "install ok installed"'


def test_not_linux(run: Run) -> None:
    ended = run(uname="echo Darwin")
    assert ended.returncode == 10
    assert "this is Darwin, not Linux" in ended.stderr


def test_not_debian(run: Run) -> None:
    ended = run()
    assert ended.returncode == 11
    assert "apt-get is missing: this is not Debian" in ended.stderr


def test_neither_root_nor_sudo(run: Run) -> None:
    ended = run(apt_get="exit 0", dpkg_query=ALL_BUT_NFT.replace("$4", "$3"), id="echo 1000", python3="exit 0")
    assert ended.returncode == 12
    assert "these Debian packages are missing: nftables" in ended.stderr
    assert "apt-get install --no-install-recommends nftables" in ended.stderr


def test_python_too_old_is_said_before_anything_is_installed(run: Run) -> None:
    old = 'case "$*" in *version_info*) exit 1;; --version) echo Python 3.9.2;; esac'
    ended = run(apt_get="echo must not be run; exit 1", dpkg_query="exit 1", id="echo 0", python3=old)
    assert ended.returncode == 14
    assert "Python 3.9.2 is too old: 3.11 or later is needed" in ended.stderr
    assert "installing" not in ended.stdout


def test_no_network_for_the_python_packages(run: Run) -> None:
    # The environment's own Python: pip says what it says without a network.
    pip = 'echo "ERROR: Failed to establish a new connection: [Errno 101] Network is unreachable"; exit 1'
    python = f"""case "$*" in
*"-m venv"*) mkdir -p .venv/bin; printf '%s\\n' '#!/bin/sh' 'case "$*" in *pip*) {pip};; *) exit 1;; esac' >.venv/bin/python; {shutil.which("chmod")} 755 .venv/bin/python ;;
esac"""
    ended = run(apt_get="exit 0", dpkg_query=ALL, id="echo 1000", python3=python)
    assert ended.returncode == 13, ended.stderr
    assert "the Python packages cannot be fetched" in ended.stderr
    assert "Network is unreachable" in ended.stderr


def test_second_run_ends_at_once(run: Run, tmp_path: Path) -> None:
    python = f"""case "$*" in
*"-m venv"*) mkdir -p .venv/bin; printf '%s\\n' '#!/bin/sh' 'exit 0' >.venv/bin/python; {shutil.which("chmod")} 755 .venv/bin/python ;;
esac"""
    first = run(apt_get="exit 0", dpkg_query=ALL, id="echo 1000", python3=python)
    assert first.returncode == 0, first.stderr
    assert "installing" in first.stdout
    stamp = tmp_path / "appliance" / "keeper" / "devices" / "fingerprint" / "tables" / ".stamp"
    stamp.parent.mkdir(parents=True)
    stamp.touch()  # as the packing of tables leaves it
    again = subprocess.run(
        ["sh", str(tmp_path / "tools" / "setup")],
        env={"PATH": f"{tmp_path}/bin{os.pathsep}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
