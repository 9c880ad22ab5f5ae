"""What the box runs on, read once at a start: the one edge of `household.tamper`.

In: files of the kernel and of the settings. Out: `Ground`, in digests: what a machine or a file system is called
stays here. What cannot be read is None, which says nothing: a confined process may not see all of it.
Bounded: `MAX_FILE` bytes of a file are read; a larger one is told by its size.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path

from appliance.keeper.household.tamper import Ground
from appliance.keeper.signs.tamper import Place
from appliance.settings import BoxSettings

MAX_FILE = 1024 * 1024
_SHOWN = 16
"""Characters of a digest: enough to tell two apart, not to find out what it is of."""

_STEADY = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs"})
"""File systems whose id (statvfs) is made of their UUID; those of others change with the device's number."""


_FLEETING = frozenset({"overlay", "ramfs", "tmpfs"})
"""File systems of a root whose changes go with the power."""


def read(settings: BoxSettings, *, root: Path = Path("/")) -> Ground:
    """What the box stands on; `root` is where `etc` and `proc` are."""
    authority = f"{settings.authority.path} {sorted(settings.authority.issuers)}"
    digests = {
        "the settings of the box": _digest(settings.model_dump_json(exclude={"authority"}).encode()),
        "which authority counts": _digest(authority.encode()),
        "the settings of the home network": _digest(_content(settings.household)),
    }
    return Ground(
        place=Place(
            boot=_digest(_content(root / "proc/sys/kernel/random/boot_id")),
            machine=_digest(_machine(root)),
            filesystem=_filesystem(settings.state_dir, root / "proc/self/mountinfo"),
            settings=tuple((name, digest) for name, digest in digests.items() if digest is not None),
        ),
        wan=_wan(settings.household),
    )


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
            return content if len(content) <= MAX_FILE else str(os.fstat(file.fileno()).st_size).encode()
    except OSError:
        return None


def _machine(root: Path) -> bytes | None:
    """What tells this machine from others: the board's own number, else the id that its system made for itself once.

    Where the root is in memory, that id is made anew with every start, and tells nothing.
    """
    serial = (_content(root / "proc/device-tree/serial-number") or b"").strip(b"\0 \n")
    if serial:
        return serial
    for line in (_content(root / "proc/self/mountinfo") or b"").decode(errors="replace").splitlines():
        fields, _, described = line.partition(" - ")
        parts = fields.split()
        if len(parts) > 4 and parts[4] == "/" and described.split(" ", maxsplit=1)[0] in _FLEETING:
            return None
    return _content(root / "etc/machine-id")


def _digest(content: bytes | None) -> str | None:
    return hashlib.sha256(content.strip()).hexdigest()[:_SHOWN] if content else None


def _wan(household: Path) -> str | None:
    try:
        wan = tomllib.loads((_content(household) or b"").decode()).get("wan", {})
    except ValueError:  # not TOML, or not UTF-8
        return None
    interface = wan.get("interface") if isinstance(wan, dict) else None
    return interface if isinstance(interface, str) else None


def _filesystem(state_dir: Path, mountinfo: Path) -> str | None:
    """What tells the file system of the memory from others: made of its UUID, where it has a steady one."""
    try:
        device = state_dir.stat().st_dev
        number = os.statvfs(state_dir).f_fsid
    except OSError:
        return None
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in (_content(mountinfo) or b"").decode(errors="replace").splitlines():
        fields, _, described = line.partition(" - ")
        parts = fields.split()
        if len(parts) > 2 and parts[2] == wanted:  # proc_pid_mountinfo(5): the third field is major:minor
            kind = described.split(" ", maxsplit=1)[0]
            return _digest(f"{kind} {number}".encode()) if kind in _STEADY and number else None
    return None
