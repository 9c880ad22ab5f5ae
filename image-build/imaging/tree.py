"""From a Debian tree to a box's tree: overlays, units, users, the program; and away with what must not be in an image.

What enters is an unpacked Debian and the project's sources; what leaves is the same folder, ready to be made into a
root file system. Everything that would differ from build to build, or that is an identity, goes.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from imaging.boards import COMMON, DATA, SLOTS, Board, partuuid
from imaging.run import Refused, in_tree, tool

EMPTIED = (
    "boot", "dev", "proc", "run", "sys", "tmp", "var/cache", "var/log", "var/tmp", "var/lib/apt/lists", "root",
    "var/lib/dhcp", "var/lib/dbus", "var/lib/systemd", "var/backups", "usr/share/man", "usr/share/locale",
)  # fmt: skip
"""Folders that are empty in the image."""
REMOVED = (
    "etc/machine-id", "etc/hostname", "etc/resolv.conf", "etc/apt/apt.conf.d/99mmdebstrap", "etc/ssh/ssh_host_*",
    "etc/.pwd.lock", "etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-", "etc/subuid-", "etc/subgid-",
    "etc/chrony/chrony.keys", "etc/cron.*", "etc/init.d", "etc/rc?.d", "var/lib/dpkg/*-old", "initrd.img*",
    "vmlinuz*", "usr/lib/ssl/private",
)  # fmt: skip
"""Patterns of what goes: identities, copies of itself, and what nothing of a box starts by."""
MASKED = (
    "systemd-binfmt.service", "systemd-firstboot.service", "systemd-machine-id-commit.service",
    "systemd-random-seed.service", "getty@tty1.service", "serial-getty@.service", "e2scrub_reap.service",
    "proc-sys-fs-binfmt_misc.automount", "rauc-mark-good.service",
)  # fmt: skip
"""Units that no box starts: no shell waits on a socket of the board, and nothing writes what lies in memory only."""


def describe(board: Board, *, version: str, commit: str, epoch: int) -> dict[str, Any]:
    """What `image.json` on the box says about the image; read by `data`, `slot` and the updater."""
    return {
        "version": version,
        "board": board.name,
        "compatible": board.compatible,
        "loader": "u-boot" if board.architecture == "arm64" else "grub",
        "cipher": board.cipher,
        "data_partuuid": partuuid(DATA),
        "commit": commit,
        "epoch": epoch,
    }


def lay(
    root: Path,
    board: Board,
    *,
    texts: dict[str, str],
    source: Path,
    about: dict[str, Any],
    keyring: bytes | None,
) -> None:
    """Put overlays, units and settings into the tree.

    Args:
        root: Tree of Debian.
        board: Kind of image.
        texts: Files of the firmware that are the same in every home, by path.
        source: The project's sources, which have the overlays and the units.
        about: As of `describe`.
        keyring: PEM of the authorities whose update bundles the box takes; None: it takes none.
    """
    for overlay in (source / "image-build/overlay" / name for name in ("common", board.name)):
        if overlay.is_dir():
            tool("cp", "-r", "--preserve=mode", f"{overlay}/.", root)
    program = root / "usr/lib/gatehouse"
    program.mkdir(parents=True, exist_ok=True)
    (program / "image.json").write_text(json.dumps(about, indent=1, sort_keys=True) + "\n")
    (program / "VERSION").write_text(about["version"] + "\n")
    for name, text in texts.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "etc/fstab").write_text(fstab())
    (root / "etc/hostname").write_text("gatehouse\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost gatehouse\n::1 localhost gatehouse\n")
    with (root / "usr/lib/os-release").open("a") as file:
        file.write(f"IMAGE_ID={board.compatible}\nIMAGE_VERSION={about['version']}\n")
    (root / "etc/rauc").mkdir(exist_ok=True)
    (root / "etc/rauc/system.conf").write_text(rauc_settings(board))
    if keyring is not None:
        (root / "etc/rauc/keyring.pem").write_bytes(keyring)
    conf = root / "etc/initramfs-tools"
    (conf / "initramfs.conf").write_text("MODULES=list\nBUSYBOX=auto\nCOMPRESS=zstd\nKEYMAP=n\nRUNSIZE=10%\nFSTYPE=\n")
    (conf / "modules").write_text("".join(f"{name}\n" for name in board.modules))
    (root / "var/lib/gatehouse").mkdir(parents=True, exist_ok=True)
    units(root, source / "systemd")


def fstab() -> str:
    """Mounts of every board; the root itself is the initramfs's business, the data partition `data`'s.

    A common partition that does not mount stops no start: systemd would wait in its emergency mode for somebody at a
    keyboard, and the home would have no internet (R57).
    """
    return (
        f"PARTUUID={partuuid(COMMON)} /boot/firmware vfat ro,nofail,umask=0077,nodev,nosuid,noexec 0 0\n"
        "tmpfs /tmp tmpfs nodev,nosuid,size=25%,mode=1777 0 0\n"
    )


def rauc_settings(board: Board) -> str:
    """RAUC's `system.conf`: two slots, each a root and the partition that it is started from."""
    slots = "".join(
        f"\n[slot.rootfs.{index}]\ndevice=/dev/disk/by-partuuid/{partuuid(root)}\ntype=raw\nbootname={slot}\n"
        f"\n[slot.boot.{index}]\ndevice=/dev/disk/by-partuuid/{partuuid(boot)}\ntype=raw\nparent=rootfs.{index}\n"
        for index, (slot, (boot, root)) in enumerate(sorted(SLOTS.items()))
    )
    return (
        f"[system]\ncompatible={board.compatible}\nbootloader=custom\nmountprefix=/run/rauc\n"
        "statusfile=/var/lib/gatehouse/rauc.status\nbundle-formats=verity\n"
        "\n[keyring]\npath=/etc/rauc/keyring.pem\n"
        "\n[handlers]\nbootloader-custom-backend=/usr/libexec/gatehouse/slot\n" + slots
    )


def units(root: Path, systemd: Path) -> None:
    """Install the units by their own script, make the users, switch off what no box starts.

    Raises:
        Refused: the script failed.
    """
    folder = root / "etc/systemd/system"
    shutil.rmtree(folder, ignore_errors=True)  # what Debian's packages switched on; presets decide anew
    folder.mkdir(parents=True)
    tool("sh", systemd / "install", root)
    for name in MASKED:
        path = folder / name
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
    tool("systemd-sysusers", f"--root={root}")
    in_tree(root, "usermod", "-p", "*", "root")


def make_initramfs(root: Path, kernel: str, epoch: int) -> bytes:
    """The little system that mounts the root, made inside the tree."""
    in_tree(root, "mkinitramfs", "-o", "/boot/initrd.img", kernel, extra={"SOURCE_DATE_EPOCH": str(epoch)})
    return (root / "boot/initrd.img").read_bytes()


def clean(root: Path) -> None:
    """Empty and remove what has no place in an image, and leave the places where things are mounted.

    Raises:
        Refused: something outside the tree would have been touched.
    """
    for pattern in REMOVED:
        for path in sorted(root.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in EMPTIED:
        folder = root / name
        if folder.is_symlink():
            raise Refused(f"{folder} is a link; it is not emptied")
        if folder.is_dir():
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    # An empty one: systemd makes up an id in memory at each boot and takes no boot for the first.
    (root / "etc/machine-id").touch()
    (root / "etc/hostname").write_text("gatehouse\n")
    # The household's own resolver answers the box as well.
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    (root / "etc/mtab").unlink(missing_ok=True)  # a link that leads nowhere here; no pattern finds it
    (root / "etc/mtab").symlink_to("../proc/self/mounts")
    for name in (
        "boot/firmware",
        "var/log/journal",
        "var/lib/gatehouse",
        "var/cache/apt",
        "var/lib/systemd",
        "var/lib/chrony",
    ):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "var/log/journal").rmdir()  # the journal is in memory
