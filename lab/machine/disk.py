"""Disks of machines: overlays over an image that is never written to, and files in its boot partition.

Nothing is mounted: `qemu-img` makes the overlays, `mtools` reads and writes FAT. Bounded: files of
`MAX_FILE` octets; every program has a time limit.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.host import LabError

MAX_FILE = 64 * 1024 * 1024
_SECONDS = 120.0
_SECTOR = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One partition of an image."""

    number: int
    start: int
    """Octets from the start."""
    size: int
    """Octets."""
    kind: str
    """As `sfdisk` says it: a hexadecimal octet (MBR) or a GUID (GPT)."""
    name: str


def overlay(base: Path, target: Path, *, size: str | None = None) -> Path:
    """Make `target`, a disk that begins as `base` and takes the writes; `size` (as `8G`) makes it larger than that.

    Raises:
        LabError: `qemu-img` refused.
    """
    kind = "qcow2" if base.suffix == ".qcow2" else "raw"
    words = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", kind, "-b", str(base.resolve()), str(target)]
    _run([*words, *([size] if size else [])])
    return target


def copy(base: Path, target: Path) -> Path:
    """A copy of an image whose holes stay holes.

    Raises:
        LabError: `cp` refused.
    """
    _run(["cp", "--sparse=always", "--reflink=auto", str(base), str(target)])
    return target


def raw(image: Path, target: Path) -> Path:
    """What an overlay and all below it say, as a raw image.

    Raises:
        LabError: `qemu-img` refused.
    """
    _run(["qemu-img", "convert", "-O", "raw", str(image), str(target)])
    return target


def partitions(image: Path) -> list[Partition]:
    """The partitions of a raw image.

    Raises:
        LabError: there is no table that `sfdisk` can read.
    """
    table = json.loads(_run(["sfdisk", "--json", str(image)]))["partitiontable"]
    return [
        Partition(
            number=int(item["node"].removeprefix(str(image)).lstrip("p")),
            start=item["start"] * _SECTOR,
            size=item["size"] * _SECTOR,
            kind=item["type"],
            name=item.get("name", ""),
        )
        for item in table["partitions"]
    ]


def read_file(image: Path, start: int, path: str) -> bytes:
    """A file of the FAT that begins at octet `start` of a raw image.

    Raises:
        LabError: there is none.
    """
    data = _run_raw(["mtype", "-i", f"{image}@@{start}", f"::{path}"])
    if len(data) > MAX_FILE:
        raise LabError(f"{path}: larger than {MAX_FILE} octets")
    return data


def write_file(image: Path, start: int, path: str, data: bytes) -> None:
    """Write a file into the FAT that begins at octet `start` of a raw image; its folder is there.

    Raises:
        LabError: mtools refused.
    """
    _run_raw(["mcopy", "-o", "-i", f"{image}@@{start}", "-", f"::{path}"], data)


def _run(words: list[str]) -> str:
    return _run_raw(words).decode()


def _run_raw(words: list[str], data: bytes | None = None) -> bytes:
    try:
        done = subprocess.run(words, input=data, capture_output=True, check=False, timeout=_SECONDS)
    except FileNotFoundError as error:
        raise LabError(f"{words[0]} is not installed: `make test-image` installs what it needs") from error
    if done.returncode:
        raise LabError(f"{' '.join(words[:6])}: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout
