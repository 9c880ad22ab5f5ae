"""The file of a release: taken over from who fetched it, checked octet by octet, and shown to the installer.

The courier, which fetched it, talks to the internet: its file is copied into root's own folder while it is hashed, so
that what is checked is what is installed. Bounded by the statement's size; nothing is left of a file that is not the
one, and the courier's copy goes either way.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
from pathlib import Path

from wire.release import Release

BUNDLE = "bundle.raucb"
_CHUNK = 1 << 20
_PATIENCE = 300.0


def fetched_path(state_dir: Path, sha256: str) -> Path:
    """Where the courier puts a fetched file, in the box's state folder."""
    return state_dir / "courier" / "release" / f"{sha256}.raucb"


def take_over(release: Release, source: Path, folder: Path) -> str:
    """Copy the fetched file to `folder`/`BUNDLE`; why not, in words, or nothing.

    One that is in place already, from before a power cut, is checked and kept.
    """
    target = folder / BUNDLE
    if _matches(target, release):
        source.unlink(missing_ok=True)
        return ""
    try:
        problem = _copy(release, source, target)
    except OSError as error:
        problem = f"The release's file cannot be kept: {error.strerror}."
    if problem:
        target.unlink(missing_ok=True)
    source.unlink(missing_ok=True)
    return problem


def _matches(path: Path, release: Release) -> bool:
    try:
        if path.stat().st_size != release.size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == release.sha256
    except OSError:
        return False


def _copy(release: Release, source: Path, target: Path) -> str:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return f"The release's file is not there ({error.strerror})."
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "The release's file is no file."
        digest, taken = hashlib.sha256(), 0
        with target.open("wb") as copy:
            target.chmod(0o600)
            while taken <= release.size and (chunk := file.read(_CHUNK)):
                taken += len(chunk)
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
    if taken != release.size:
        return f"The release's file has not the {release.size:,} octets that its statement says."
    if digest.hexdigest() != release.sha256:
        return "The release's file is not the one of its statement."
    return ""


def inspect(release: Release, folder: Path, *, config: Path | None = None) -> str:
    """Have the installer check the bundle's own signature, and compare what it says of itself; why not, or nothing.

    `config`: RAUC's configuration; None is the system's.
    """
    words = ["rauc", *(("--conf", str(config)) if config else ()), "info", "--output-format=json"]
    try:
        ran = subprocess.run(
            [*words, str(folder / BUNDLE)], capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"The installer cannot look at the release: {error}."
    if ran.returncode != 0:
        return f"The installer refuses the release: {last_line(ran.stderr)}."
    try:
        said = json.loads(ran.stdout)
        version, board = said["version"], said["compatible"]
    except (ValueError, KeyError, TypeError):
        return "The installer's words about the release cannot be read."
    if version != release.version:
        return f"The file holds version {str(version)[:20]}, its statement says {release.version}."
    if board != release.board:
        return f"The file is made for {str(board)[:40]}, its statement says {release.board}."
    return ""


def last_line(text: str) -> str:
    """The last line that says something, without a closing stop."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200].rstrip(".") if lines else "no reason given"
