"""What is the same in every home: memory, journal, watchdog, clock chip, and how the board starts.

A board in, texts by path out; pure. These files are part of the image and never change on a box; those that
`household.toml` decides are `firmware.render`'s. The image build adds which partition is the root.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from firmware import layout, names
from firmware.templating import fill

Board = Literal["pi4", "qemu"]
"""`pi4`: Raspberry Pi 3B+, 4, 400 and Compute Module 4, one image; `qemu`: a virtual machine (amd64)."""
BOARDS: tuple[Board, ...] = get_args(Board)

CONFIG = f"{layout.BOOT}/config.txt"
CMDLINE = f"{layout.BOOT}/cmdline.txt"

_CONSOLES: dict[Board, tuple[str, ...]] = {"pi4": ("ttyS1,115200", "tty0"), "qemu": ("tty0", "ttyS0,115200")}
_WATCHDOG_SECONDS: dict[Board, int] = {"pi4": 14, "qemu": 30}
"""A Pi's hardware counts to 15 and no further (bcm2835_wdt)."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_=:./-]{0,200}")


class BoardError(ValueError):
    """What was asked for cannot stand in a boot file; the text says which."""


def render(board: Board) -> dict[str, str]:
    """Text of every file that is the same in all homes, by path."""
    files = {
        "/etc/systemd/zram-generator.conf": fill("zram.conf"),
        "/etc/systemd/journald.conf.d/20-gatehouse.conf": fill("journald.conf"),
        "/etc/systemd/system.conf.d/20-gatehouse.conf": fill("system.conf", seconds=_WATCHDOG_SECONDS[board]),
        "/etc/systemd/networkd.conf.d/20-gatehouse.conf": fill("networkd.conf"),
        "/etc/systemd/network/10-gatehouse-modem.link": fill("modem.link"),
        "/etc/sysctl.d/91-gatehouse-machine.conf": fill("sysctl-machine.conf", connections=names.ALL_CONNECTIONS),
        "/etc/apparmor.d/local/usr.sbin.chronyd": fill("apparmor-chronyd"),
        "/etc/issue": fill("issue"),
        "/etc/udev/rules.d/60-gatehouse-radios.rules": fill("radios.rules"),
    }
    if board == "pi4":
        files["/etc/udev/rules.d/60-gatehouse-clock.rules"] = fill("clock.rules")
        files["/etc/modules-load.d/91-gatehouse-board.conf"] = fill("modules-pi.conf")
        files["/etc/modprobe.d/20-gatehouse-board.conf"] = fill("modprobe-pi.conf")
    return files


def boot(board: Board, *, root: str, kernel: str = "vmlinuz", initrd: str = "initrd.img") -> dict[str, str]:
    """`cmdline.txt`, and `config.txt` where the board reads one.

    Args:
        board: which.
        root: the slot's root partition as the kernel takes it, such as `PARTUUID=5ca1ab1e-02`.
        kernel: file beside `config.txt`.
        initrd: file beside `config.txt`.

    Raises:
        BoardError: one of them has a sign that would begin another word.
    """
    for word in (root, kernel, initrd):
        if not _WORD.fullmatch(word):
            raise BoardError(f"{word[:80]!r} cannot stand in a boot file")
    files = {CMDLINE: fill("cmdline.txt", root=root, consoles=_CONSOLES[board])}
    if board == "pi4":
        files[CONFIG] = fill("config.txt", kernel=kernel, initrd=initrd)
    return files
