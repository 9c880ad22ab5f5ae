"""Partitions into one file, by genimage: no loop device, no mount."""

from __future__ import annotations

from pathlib import Path

from imaging.boards import SIGNATURE, Board
from imaging.run import tool


def squash(root: Path, out: Path, *, epoch: int) -> None:
    """Make the read-only root: sorted, times no later than `epoch`, no trace of this machine."""
    out.unlink(missing_ok=True)
    tool(
        "mksquashfs", root, out, "-noappend", "-comp", "zstd", "-Xcompression-level", "9", "-b", "256K", "-no-exports",
        "-no-progress", "-quiet", "-xattrs",
        extra={"SOURCE_DATE_EPOCH": str(epoch)},
    )  # fmt: skip


def settings(board: Board, *, image: str, loader: tuple[str, str] | None) -> str:
    """What genimage is told about the card."""
    parts = []
    if loader is not None:
        parts += [
            _part("loader", image=loader[0], extra=('in-partition-table = "no"', "offset = 0", "size = 440")),
            _part("core", image=loader[1], extra=('in-partition-table = "no"', "offset = 512", "size = 1023K")),
        ]
    parts += [
        _part(
            "common", type_=0x0C, image="common.vfat", size=board.common_mib, extra=("offset = 1M", "bootable = true")
        ),
        _part("boot-a", type_=0x0C, image="boot.vfat", size=board.boot_mib),
        _part("boot-b", type_=0x0C, size=board.boot_mib),
        _part("root-a", type_=0x83, image="root.squashfs", size=board.root_mib),
        _part("root-b", type_=0x83, size=board.root_mib),
        _part("data", type_=0x83, size=board.data_mib),
    ]
    return (
        f"image {image} {{\n\thdimage {{\n\t\tdisk-signature = {SIGNATURE:#x}\n\t\textended-partition = 4\n"
        "\t\talign = 1M\n\t}\n" + "".join(parts) + "}\n"
    )


def _part(name: str, *, type_: int | None = None, image: str | None = None, size: int | None = None, extra: tuple[str, ...] = ()) -> str:  # fmt: skip
    lines = [
        *((f"partition-type = {type_:#x}",) if type_ is not None else ()),
        *((f'image = "{image}"',) if image is not None else ()),
        *((f"size = {size}M",) if size is not None else ()),
        *extra,
    ]
    return f"\tpartition {name} {{\n" + "".join(f"\t\t{line}\n" for line in lines) + "\t}\n"


def compose(board: Board, *, parts: Path, out: Path, image: str, loader: tuple[str, str] | None) -> Path:
    """Put the files of `parts` together into `out`/`image`."""
    work = parts / "genimage"
    empty = work / "root"
    empty.mkdir(parents=True, exist_ok=True)
    config = work / "genimage.cfg"
    config.write_text(settings(board, image=image, loader=loader))
    tool(
        "genimage", "--config", config, "--rootpath", empty, "--tmppath", work / "tmp", "--inputpath", parts,
        "--outputpath", out,
    )  # fmt: skip
    return out / image
