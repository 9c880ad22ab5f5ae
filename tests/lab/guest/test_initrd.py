"""The guest's first file system, as cpio itself reads it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lab.guest import initrd


def listed(raw: bytes, folder: Path) -> dict[str, bytes]:
    """What busybox's cpio takes out of it."""
    subprocess.run(["busybox", "cpio", "-idm"], cwd=folder, input=raw, check=True, capture_output=True, timeout=20)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.skipif(shutil.which("busybox") is None, reason="busybox is not installed")
def test_what_is_put_in_comes_out(tmp_path: Path) -> None:
    entries = [
        ("a", 0o040755, b""),
        ("a/empty", 0o100755, b""),
        ("a/odd", 0o100755, b"12345"),
        ("b", 0o100755, b"x" * 9),
    ]
    assert listed(initrd.archive(entries), tmp_path) == {"a/empty": b"", "a/odd": b"12345", "b": b"x" * 9}


@pytest.mark.skipif(shutil.which("busybox") is None, reason="busybox is not installed")
def test_modules_are_loaded_in_their_order_with_their_arguments(tmp_path: Path) -> None:
    raw = initrd.build([("one.ko", b"1"), ("mac80211_hwsim.ko", b"2")], {"mac80211_hwsim": "radios=4"})
    found = listed(raw, tmp_path)
    assert found["modules/order"] == b"one.ko\nmac80211_hwsim.ko radios=4\n"
    assert found["modules/mac80211_hwsim.ko"] == b"2"
    assert found["init"].startswith(b"#!/bin/busybox sh\n")
    assert found["bin/busybox"][:4] == b"\x7fELF"


def test_the_script_is_one_that_a_shell_reads() -> None:
    done = subprocess.run(["sh", "-n"], input=initrd.INIT, text=True, check=False, capture_output=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
