"""Where things lie, below a folder that stands for `/`: the box's own root, or one of a test. Pure but for `owned`.

In: a root. Out: paths of `firmware.layout` below it.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from firmware import layout
from wire.files import replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Paths of one box."""

    root: Path = Path("/")

    def at(self, path: str) -> Path:
        """A path of `firmware.layout`, below the root."""
        return self.root / path.lstrip("/")

    @property
    def enrolled(self) -> bool:
        """Whether this box has all that it needs."""
        return self.at(layout.BOX_FILE).exists()


def folder(path: Path, *, owner: str | None = None, mode: int = 0o755) -> None:
    """Make a folder and those above it; it belongs to a process of `layout.UIDS`, or to root."""
    path.mkdir(parents=True, exist_ok=True, mode=0o755)
    give(path, owner)
    path.chmod(mode)


def keep(path: Path, content: bytes, *, owner: str | None = None, mode: int = 0o600) -> None:
    """Put a file in place whole, for a process of `layout.UIDS` or for root: never readable for others in between."""
    folder_ = path.parent
    if not folder_.exists():
        folder(folder_)
    # Made under a name that nobody looks at, given away, and only then named: a cut leaves the old one or none.
    temporary = path.with_name(f".{path.name}.mine")
    replace(temporary, content, mode=0o600)
    give(temporary, owner)
    temporary.chmod(mode)
    temporary.replace(path)
    sync(folder_)


def sync(path: Path) -> None:
    """What was renamed in a folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give(path: Path, owner: str | None) -> None:
    """Give a file or folder to a process of `layout.UIDS`, or to root (None)."""
    if os.geteuid() != 0:
        return  # a test's: every file is this user's
    uid = 0 if owner is None else layout.UIDS[owner]
    try:
        os.chown(path, uid, uid)
    except OSError as error:
        if error.errno != errno.EINVAL:  # user_namespaces(7): no such user is mapped here, as in a lab without root
            raise
