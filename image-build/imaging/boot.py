"""What is started before Linux: FAT partitions, GRUB for the machine for tests, the Pi's own loader and U-Boot.

Kernel and initramfs belong to the slot, so that an update brings its own; the loader and what it remembers are on the
common partition, which no update touches.
"""

from __future__ import annotations

import os
from pathlib import Path

from imaging.boards import BOOT_A, BOOT_B, COMMON, SIGNATURE
from imaging.run import Refused, tool

_GRUB = Path("/usr/lib/grub/i386-pc")
_GRUB_MODULES = (
    "biosdisk", "part_msdos", "fat", "linux", "loadenv", "test", "echo", "reboot", "sleep", "normal", "configfile",
    "serial", "terminal",
)  # fmt: skip
GRUB_GAP = 1024 * 1024
"""Octets before the first partition; GRUB's core lies there."""
_CODE = 440
"""Octets of the first sector before the disk signature and the partition table."""
_TRIES = ("3", "2", "1")


def fat(path: Path, files: dict[str, Path], *, mib: int, label: str, serial: int, epoch: int) -> None:
    """Make a FAT32 file system with `files` (name inside: file here), the same octets for the same files.

    Raises:
        Refused: they do not fit, or a tool failed.
    """
    path.unlink(missing_ok=True)
    room = mib * 1024 * 1024
    used = sum(source.stat().st_size for source in files.values())
    if used > room * 95 // 100:
        raise Refused(f"{label}: {used} octets do not fit into {mib} MiB")
    extra = {"SOURCE_DATE_EPOCH": str(epoch), "MTOOLS_SKIP_CHECK": "1"}
    tool("mkfs.vfat", "-C", "--invariant", "-F", "32", "-s", "1", "-i", f"{serial:08x}", "-n", label, path, str(room // 1024), extra=extra)  # fmt: skip
    folders = sorted({str(parent) for name in files for parent in Path(name).parents if str(parent) != "."})
    for folder in folders:
        tool("mmd", "-i", path, f"::{folder}", extra=extra)
    for name, source in sorted(files.items()):
        os.utime(source, (epoch, epoch))
        tool("mcopy", "-m", "-i", path, source, f"::{name}", extra=extra)


def serial_of(number: int) -> int:
    """The volume number of a FAT partition: fixed, it is no identity."""
    return SIGNATURE + number


def grub_settings(lines_of: dict[str, str]) -> str:
    """GRUB's script: the first slot of BOOT_ORDER that has a try left; one is taken off before it is started.

    GRUB cannot count: three tries are told apart by name. When no slot has one left, all of the order get theirs back;
    a slot that RAUC called bad is not in the order.

    Args:
        lines_of: The kernel's command line of each slot.
    """
    lines = [
        "set timeout=0",
        "serial --unit=0 --speed=115200",
        "terminal_output serial console",
        'set BOOT_ORDER="A B"',
        "set BOOT_A_LEFT=3",
        "set BOOT_B_LEFT=3",
        "load_env -f $prefix/grubenv BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT",
        'set slot=""',
        "for candidate in $BOOT_ORDER; do",
        '  if [ "$slot" = "" ]; then',
    ]
    for slot in ("A", "B"):
        for left in _TRIES:
            fewer = int(left) - 1
            lines.append(
                f'    if [ "$slot" = "" -a "$candidate" = "{slot}" -a "$BOOT_{slot}_LEFT" = "{left}" ]; then'
                f" set slot={slot}; set BOOT_{slot}_LEFT={fewer}; fi"
            )
    lines += [
        "  fi",
        "done",
        'if [ "$slot" = "" ]; then',
        "  echo 'no slot has a try left: all begin anew'",
        "  set BOOT_A_LEFT=3",
        "  set BOOT_B_LEFT=3",
        '  if [ "$BOOT_ORDER" = "" ]; then set BOOT_ORDER="A B"; fi',
        "  save_env -f $prefix/grubenv BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT",
        "  sleep 2",
        "  reboot",
        "fi",
        "save_env -f $prefix/grubenv BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT",
        'echo "slot $slot"',
    ]
    for slot, partition in (("A", BOOT_A), ("B", BOOT_B)):
        lines += [
            f'if [ "$slot" = "{slot}" ]; then',
            f"  linux (hd0,msdos{partition})/vmlinuz {lines_of[slot]}",
            f"  initrd (hd0,msdos{partition})/initrd.img",
            "fi",
        ]
    # Where the kernel could not be read, start anew: the next try, or the other slot.
    return "\n".join([*lines, "boot", "sleep 5", "reboot"]) + "\n"


def grub_memory() -> bytes:
    """What GRUB remembers on a fresh card: slot A, three tries; slot B is empty."""
    head = b"# GRUB Environment Block\nBOOT_A_LEFT=3\nBOOT_B_LEFT=0\nBOOT_ORDER=A\n"
    return head.ljust(1024, b"#")


def grub(work: Path) -> tuple[Path, Path]:
    """GRUB's first sector and its core for a BIOS, as files.

    Raises:
        Refused: GRUB is not here, or the core is too large for its gap.
    """
    if not (_GRUB / "boot.img").exists():
        raise Refused("grub-pc-bin is missing: install the packages of tools/apt-image.txt.")
    core = work / "core.img"
    tool("grub-mkimage", "-O", "i386-pc", "-d", _GRUB, "-p", f"(hd0,msdos{COMMON})/grub", "-o", core, *_GRUB_MODULES)
    if core.stat().st_size > GRUB_GAP - 512:
        raise Refused("GRUB's core does not fit before the first partition")
    first = work / "boot.img"
    first.write_bytes((_GRUB / "boot.img").read_bytes()[:_CODE])
    return first, core
