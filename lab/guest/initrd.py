"""The guest's first file system: a shell, modules, and a script that mounts this machine's files and runs a command.

In: modules and settings. Out: a cpio archive (newc, as the kernel's `Documentation/driver-api/early-userspace` has it).
The guest sees this machine's root read-only (9p), with a layer of memory above it: what it writes is gone with it, but
for one folder that both share. Pure but for the shell's own files.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from lab.guest.kernel import GuestMissingError

_REGULAR, _FOLDER = 0o100755, 0o040755
_RADIO_RULES = ("regulatory.db", "regulatory.db.p7s")
"""Which channels a country allows (package wireless-regdb); asked for before this machine's files are there."""
_SHELL_FILES = re.compile(r"(/\S+)")

INIT = """#!/bin/busybox sh
busybox mount -t devtmpfs dev /dev
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
while read -r module arguments; do
    busybox insmod /modules/$module $arguments || echo "guest: module $module was refused"
done < /modules/order
busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro host /lower || echo "guest: no files"
busybox mount -t tmpfs -o size=60% layer /layer
busybox mkdir /layer/upper /layer/work
busybox mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work,volatile root /whole \
    || busybox mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work root /whole
for place in dev proc sys; do busybox mount --move /$place /whole/$place; done
busybox mkdir -p /whole/dev/pts /whole/dev/shm /whole/run /whole/tmp /whole/guest
busybox mount -t devpts pts /whole/dev/pts
for place in run dev/shm; do busybox mount -t tmpfs $place /whole/$place; done
busybox mount -t cgroup2 cgroup2 /whole/sys/fs/cgroup
busybox mkdir -p /whole/run/netns
busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none share /whole/guest
busybox ip link set lo up
echo "guest: ready"
busybox chroot /whole /bin/sh /guest/command > /whole/guest/output 2>&1 < /whole/dev/null
echo $? > /whole/guest/status
echo "guest: over"
busybox sync
busybox poweroff -f
"""


def build(modules: Iterable[tuple[str, bytes]], arguments: Mapping[str, str]) -> bytes:
    """The archive; `arguments` are those of a module, by its name.

    Raises:
        GuestMissingError: busybox is not installed.
    """
    entries = [(name, _FOLDER, b"") for name in ("bin", "dev", "proc", "sys", "lower", "layer", "whole", "modules")]
    entries.append(("init", _REGULAR, INIT.encode()))
    order = []
    for name, content in modules:
        entries.append((f"modules/{name}", _REGULAR, content))
        order.append(f"{name} {arguments.get(name.removesuffix('.ko'), '')}".strip())
    entries.append(("modules/order", _REGULAR, ("\n".join(order) + "\n").encode()))
    for path, content in [*_shell(), *_radio_rules()]:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if all(name != parent for name, _mode, _content in entries):
                entries.append((parent, _FOLDER, b""))
        entries.append((path, _REGULAR, content))
    return archive(entries)


def archive(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """Name, mode and content of each, as cpio's `newc`."""
    out = bytearray()
    number = 0
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(raw), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + raw
        out += b"\0" * (-len(out) % 4) + content
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def _radio_rules() -> list[tuple[str, bytes]]:
    found = (Path("/lib/firmware") / name for name in _RADIO_RULES)
    return [(f"lib/firmware/{path.name}", path.read_bytes()) for path in found if path.exists()]


def _shell() -> list[tuple[str, bytes]]:
    """The shell (busybox) and what it is linked with, by their paths without the first slash."""
    program = shutil.which("busybox")
    if program is None:
        raise GuestMissingError("busybox is not installed: the guest has no shell to start with")
    done = subprocess.run(["ldd", program], check=False, capture_output=True, text=True, timeout=20)
    files = {"bin/busybox": Path(program).read_bytes()}
    for found in _SHELL_FILES.findall(done.stdout if done.returncode == 0 else ""):
        files[found.lstrip("/")] = Path(found).read_bytes()
    return list(files.items())
