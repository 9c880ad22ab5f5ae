"""The Raspberry Pi's common partition: its own loader, device trees, and U-Boot, which chooses the slot.

The Pi's loader has a way of its own to try another partition (`tryboot`), but Debian's kernel cannot ask for it: the
flag is set by a driver that only Raspberry Pi's own kernel has. U-Boot from Debian counts tries by itself and needs
nothing of the kernel, and the same script runs in QEMU.
"""

from __future__ import annotations

import binascii
import struct
from pathlib import Path

from imaging.boards import BOOT_A, BOOT_B
from imaging.run import Refused, tool

MEMORY = "slots.env"
MEMORY_OCTETS = 1024
_LOADER = (
    "bootcode.bin", "fixup.dat", "fixup4.dat", "fixup_cd.dat", "fixup4cd.dat", "start.elf", "start4.elf",
    "start_cd.elf", "start4cd.elf",
)  # fmt: skip
TREES = ("bcm2837-rpi-3-b-plus", "bcm2837-rpi-3-b", "bcm2711-rpi-4-b", "bcm2711-rpi-400", "bcm2711-rpi-cm4-io")
_ROOM = 0x02400000 - 0x00200000
"""Octets between where U-Boot puts the kernel on a Pi and its own script."""


def common_files(root: Path, parts: Path, *, kernel: str, config: str, lines: dict[str, str]) -> dict[str, Path]:
    """Files of the common partition: name inside, and where it lies here.

    Args:
        root: The tree.
        parts: Folder for what is made here.
        kernel: Version of the kernel.
        config: `config.txt` as the firmware has it; here U-Boot is what it starts, and U-Boot reads the initramfs.
        lines: The kernel's command line of each slot.

    Raises:
        Refused: a part is not in the tree, or the kernel is larger than there is room for.
    """
    image = (root / "boot" / f"vmlinuz-{kernel}").read_bytes()[:64]
    # Documentation/arm64/booting.rst: magic at 56, size in memory at 16.
    if image[56:60] != b"ARM\x64" or struct.unpack_from("<Q", image, 16)[0] > _ROOM:
        raise Refused(f"the kernel {kernel} is not one that U-Boot can start where a Pi has room for it")
    script = parts / "boot.cmd"
    script.write_text(boot_script(lines))
    compiled = parts / "boot.scr"
    tool("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-n", "gatehouse", "-d", script, compiled,
         extra={"SOURCE_DATE_EPOCH": "0"})  # fmt: skip
    settings = parts / "config.txt"
    settings.write_text("".join(f"{line}\n" for line in config.splitlines() if not line.startswith("initramfs")))
    memory = parts / MEMORY
    memory.write_bytes(fresh_memory())
    note = parts / "README"
    note.write_text("operator.toml belongs here. It is written at the station (make card); nothing in it is secret.\n")
    loader = {name: root / "boot/firmware" / name for name in _LOADER}
    folder = root / f"usr/lib/linux-image-{kernel}/broadcom"
    trees = {f"{name}.dtb": folder / f"{name}.dtb" for name in TREES}
    files = {
        **loader, **trees, "u-boot.bin": root / "usr/lib/u-boot/rpi_arm64/u-boot.bin", "boot.scr": compiled,
        "config.txt": settings, MEMORY: memory, "gatehouse/README.txt": note,
    }  # fmt: skip
    missing = sorted(name for name, path in files.items() if not path.is_file())
    if missing:
        raise Refused(f"the tree has no {', '.join(missing)}")
    return files


def fresh_memory() -> bytes:
    """What U-Boot remembers on a fresh card: slot A, three tries; slot B is empty."""
    body = b"BOOT_A_LEFT=3\0BOOT_B_LEFT=0\0BOOT_ORDER=A\0\0".ljust(MEMORY_OCTETS - 4, b"\0")
    return binascii.crc32(body).to_bytes(4, "little") + body


def boot_script(lines: dict[str, str]) -> str:
    """U-Boot's script: the first slot of BOOT_ORDER that has a try left; one is taken off before it is started."""
    words = "BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT"
    keep = (
        f"env export -c -s {MEMORY_OCTETS:#x} ${{ramdisk_addr_r}} {words}",
        f"fatwrite ${{devtype}} ${{devnum}}:1 ${{ramdisk_addr_r}} {MEMORY} {MEMORY_OCTETS:#x}",
    )
    out = [
        f"if load ${{devtype}} ${{devnum}}:1 ${{ramdisk_addr_r}} {MEMORY}; then",
        f"  env import -c ${{ramdisk_addr_r}} ${{filesize}} {words}",
        "fi",
        'test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3',
        'test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3',
        'test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"',
        "setenv slot",
        "for candidate in ${BOOT_ORDER}; do",
        '  if test -n "${slot}"; then',
        "    true",
    ]
    for slot in sorted(lines):
        out += [
            f'  elif test "${{candidate}}" = "{slot}" && itest ${{BOOT_{slot}_LEFT}} -gt 0; then',
            f"    setexpr BOOT_{slot}_LEFT ${{BOOT_{slot}_LEFT}} - 1",
            f"    setenv slot {slot}",
        ]
    out += [
        "  fi",
        "done",
        'if test -z "${slot}"; then',
        "  echo no slot has a try left: all begin anew",
        "  setenv BOOT_A_LEFT 3",
        "  setenv BOOT_B_LEFT 3",
        *(f"  {line}" for line in keep),
        "  sleep 2",
        "  reset",
        "fi",
        *keep,
        "echo slot ${slot}",
    ]
    for slot, partition in (("A", BOOT_A), ("B", BOOT_B)):
        out += [
            f'if test "${{slot}}" = "{slot}"; then',
            # In quotes it is one word: U-Boot takes sixteen of a command, and with more it would set nothing.
            f'  setenv bootargs "{lines[slot]}"',
            f"  setenv part {partition}",
            "fi",
        ]
    # Where something cannot be read, start anew: the next try, or the other slot.
    out += [
        (
            "load ${devtype} ${devnum}:${part} ${kernel_addr_r} vmlinuz && "
            "load ${devtype} ${devnum}:${part} ${ramdisk_addr_r} initrd.img && "
            "booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdt_addr}"
        ),
        "sleep 5",
        "reset",
    ]
    return "\n".join(out) + "\n"
