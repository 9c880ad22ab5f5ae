"""Debian's U-Boot for QEMU's arm64 machine, started from a card: what it says, from power-on to the machine's own end.

It is the same loader that a Pi's image has, built for another board, and runs the same script. What it starts may be a
kernel of a hundred octets (`kernel`), so that a loader's whole history of tries takes seconds. Resets are real: U-Boot
begins anew each time. Bounded: a time limit on every run, `MAX_SAID` octets of what is said.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from lab.host import LabError
from lab.machine import disk

PROGRAM = "qemu-system-aarch64"
LOADER = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
MAX_SAID = 4 * 1024 * 1024
_CALLS = {"off": 8, "again": 9}
"""PSCI (Arm DEN 0022): SYSTEM_OFF is 0x84000008, SYSTEM_RESET is 0x84000009."""
_SPACE = 0x10000
_SCRIPT = "/boot.scr"
_HEADER = 72
"""Octets of U-Boot's header before a script: 64, and the lengths of what follows (doc/usage/cmd/source.rst)."""


def why_not() -> str | None:
    """Why it cannot be started here; None where it can."""
    for program in (PROGRAM, "mkimage", "genimage"):
        if shutil.which(program) is None:
            return f"{program} is not installed: `make test-image` installs it"
    return None if LOADER.exists() else "u-boot-qemu is not installed: `make test-image` installs it"


def kernel(says: str, then: Literal["off", "again"]) -> bytes:
    """The smallest thing that U-Boot takes for a kernel (Documentation/arm64/booting.rst): says a line, then ends.

    Args:
        says: Begins the line on the serial line of QEMU's arm64 machine; its command line, as the loader left it, ends it.
        then: Switch the machine off, or reset it, as a kernel that cannot go on does by itself (`panic=`).
    """
    code = (
        0xAA0003E3,  # mov x3, x0: the device tree
        0x100002C1,  # adr x1, the text, behind this code
        0xD2A12000,  # mov x0, 0x09000000: the serial line
        0x38401422,  # ldrb w2, [x1], 1: the text, to its NUL
        0x34000062,  # cbz w2, +12
        0xB9000002,  # str w2, [x0]
        0x17FFFFFD,  # b -12
        0x528DEE45,  # mov w5, "root", at which every command line of ours begins
        0x72AE8DE5,
        0xB8404464,  # ldr w4, [x3], 4: looked for in the device tree, whose values lie at multiples of 4
        0x6B05009F,  # cmp w4, w5
        0x54FFFFC1,  # b.ne -8
        0xD1001063,  # sub x3, x3, 4
        0x38401462,  # ldrb w2, [x3], 1: and said, to its NUL
        0x34000062,  # cbz w2, +12
        0xB9000002,  # str w2, [x0]
        0x17FFFFFD,  # b -12
        0x52800142,  # mov w2, 10
        0xB9000002,  # str w2, [x0]
        0x52B08000,  # mov w0, 0x84000000
        0x72800000 | (_CALLS[then] << 5),  # movk w0, the call
        0xD4000002,  # hvc 0
        0x14000000,  # b here
    )
    # Branch over the header's 64 octets; size in memory, little-endian and 4 KiB pages, magic at 56.
    head = struct.pack("<IIQQQQQQ4sI", 0x14000010, 0, 0, _SPACE, 0xA, 0, 0, 0, b"ARM\x64", 0)
    return head + struct.pack(f"<{len(code)}I", *code) + f"{says} ".encode() + b"\0"


def argv(card: Path, *, memory_mib: int = 512, extra: Sequence[str] = ()) -> list[str]:
    """The command that starts it from a raw card; its serial line is the program's input and output."""
    return [
        PROGRAM, "-M", "virt", "-cpu", "cortex-a72", "-m", str(memory_mib), "-accel", "tcg", "-no-user-config",
        "-nodefaults", "-display", "none", "-serial", "stdio", "-bios", str(LOADER),
        "-drive", f"if=none,id=card,file={card},format=raw", "-device", "virtio-blk-device,drive=card", *extra,
    ]  # fmt: skip


def told(card: Path, words: str) -> None:
    """Give the kernel of each slot further words, by the script on the common partition of a copy of a Pi's image.

    Raises:
        LabError: there is no such script on it, or no command line in it.
    """
    start = disk.partitions(card)[0].start
    script = disk.read_file(card, start, _SCRIPT)[_HEADER:].decode()
    longer, count = re.subn(r'(?m)^( *setenv bootargs "[^"]*)"$', lambda found: f'{found[1]} {words}"', script)
    if not count:
        raise LabError("the loader's script names no command line")
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "boot.cmd", Path(folder) / "boot.scr"
        source.write_text(longer, encoding="ascii")
        subprocess.run(
            ["mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-d", source, made],
            check=True,
            capture_output=True,
        )
        disk.write_file(card, start, _SCRIPT, made.read_bytes())


def run(words: Sequence[str], *, seconds: float, until: str | None = None) -> str:
    """Start a machine and hear it out: until it ends by itself, or has said what `until` matches, and then it is cut.

    Args:
        words: As of `argv`.
        seconds: After these it is cut.
        until: A pattern; None waits for the machine's own end.

    Raises:
        LabError: neither came within `seconds`; with its last words.
    """
    wanted = re.compile(until.encode()) if until is not None else None
    said, ended = bytearray(), False
    # Nothing is ever typed, and its input stays open: an end of it would be one to U-Boot's line as well.
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            output = process.stdout.fileno() if process.stdout is not None else -1
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0 and len(said) < MAX_SAID and not ended:
                if select.select([output], [], [], left)[0]:
                    part = os.read(output, 65536)
                    said += part
                    ended = wanted.search(said) is not None if wanted is not None else not part
                    if not part:
                        break
        finally:
            process.kill()
    text = said.decode(errors="replace")
    if not ended:
        raise LabError(f"it did not come to its end within {seconds:.0f} s; its last words:\n{text[-3000:]}")
    return text
