"""What exactly an image is: every file of it with its hash, every package with its version, every part with its size."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

_BLOCK = 1024 * 1024


def of(
    root: Path, *, about: dict[str, Any], packages: list[tuple[str, str, str, str]], kernel: str, parts: list[Path]
) -> dict[str, Any]:
    """The manifest of a tree and of the files made from it."""
    return {
        "image": about,
        "kernel": kernel,
        "packages": {name: version for name, version, _, _ in packages},
        "parts": {path.name: {"sha256": digest(path), "octets": path.stat().st_size} for path in parts},
        "files": {path.relative_to(root).as_posix(): entry(path) for path in sorted(root.rglob("*"))},
    }


def entry(path: Path) -> str:
    """One file in a line: kind and mode, owner, then its hash or where it leads."""
    about = path.lstat()
    head = f"{stat.filemode(about.st_mode)} {about.st_uid}:{about.st_gid}"
    if stat.S_ISLNK(about.st_mode):
        return f"{head} -> {path.readlink()}"
    return f"{head} {digest(path)}" if stat.S_ISREG(about.st_mode) else head


def digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def as_json(manifest: dict[str, Any]) -> str:
    """As it lies in a file."""
    return json.dumps(manifest, indent=1, sort_keys=True) + "\n"
