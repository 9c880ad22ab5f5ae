"""The built image, made ready to be started for a test: the operator's card put on it, and the way to a shell.

The root file system and the kernel are those that were built, octet for octet. Of the common FAT partition a copy
gets two files that a station would not write there: a line of the loader's settings, and what the line starts
(see `lab.machine.shell`). Bounded: one copy a run, as sparse as the image.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from lab.host import LabError
from lab.machine import disk
from lab.machine.shell import SCRIPT, WORDS

VARIABLE = "GATEHOUSE_IMAGE"
"""Names the JSON file that was written beside an image; by default the one that `make image BOARD=qemu` writes."""
PI_VARIABLE = "GATEHOUSE_IMAGE_PI4"
"""The same for a Pi's image."""
DEFAULT = Path("build/image")
_FOLDER = "/gatehouse"
_CARD, _SCRIPT, _LOADER = f"{_FOLDER}/operator.toml", f"{_FOLDER}/lab.sh", "/grub/grub.cfg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image, as its build describes it."""

    path: Path
    memory_mib: int
    version: str
    board: str
    bundle: Path
    """Folder of what an update bundle is made of: `boot.img` and `rootfs.img`."""
    signer: Path | None = None
    """`signer.pem` beside the image, with `signer.key`: whose bundles this image takes; None where it takes nobody's."""


def find(root: Path, board: str = "qemu") -> Image | str:
    """The image to test, or why there is none; `root` is the top of the source tree."""
    variable = PI_VARIABLE if board == "pi4" else VARIABLE
    path = Path(os.environ.get(variable) or root / DEFAULT / f"{board}.json")
    if not path.exists():
        return f"there is no image at {path}: run `make image BOARD={board}`, or name one with {variable}"
    told = json.loads(path.read_text(encoding="utf-8"))
    about, image = told.get("about", {}), Path(told["image"])
    if not image.exists():
        return f"{path} speaks of {image}, which is not there: run `make image BOARD={board}`"
    return Image(
        path=image,
        memory_mib=int(told.get("memory_mib", 768)),
        version=str(about.get("version", "")),
        board=str(about.get("compatible", about.get("board", ""))),
        bundle=Path(told["kernel"]).parent,
        signer=signer if (signer := path.parent / "signer.pem").exists() else None,
    )


def prepare(image: Image, target: Path, card: str) -> Path:
    """A copy of the image at `target` with the operator's card (TOML) on it and a shell for the test.

    Raises:
        LabError: its first partition is no FAT with the loader's settings.
    """
    disk.copy(image.path, target)
    start = disk.partitions(target)[0].start
    settings = disk.read_file(target, start, _LOADER).decode()
    lines = [f"{line} {WORDS}" if line.strip().startswith("linux ") else line for line in settings.splitlines()]
    if lines == settings.splitlines():
        raise LabError("the loader's settings name no kernel")
    disk.write_file(target, start, _LOADER, ("\n".join(lines) + "\n").encode())
    disk.write_file(target, start, _CARD, card.encode())
    disk.write_file(target, start, _SCRIPT, SCRIPT.encode())
    return target
