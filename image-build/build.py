"""`python image-build/build.py BOARD`: from Debian packages and these sources to a file for a memory card.

What it makes, in `--out`: `gatehouse-BOARD.img`, the parts an update bundle is made of (`BOARD/boot.img`,
`BOARD/rootfs.img`), `BOARD.manifest.json`, `BOARD.spdx.json`, `BOARD.json` (how to start it in QEMU), and with
`--compress` the block map and the compressed image. Exit codes: 0 made, 1 refused (said in a sentence), 2 wrong use.
"""

# ruff: noqa: INP001 (a program, beside the package that it runs)
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from imaging import pipeline  # noqa: E402 (found by the line before)
from imaging.boards import BOARDS  # noqa: E402 (found by the line before)
from imaging.run import Progress, Refused  # noqa: E402 (found by the line before)

ROOT = HERE.parent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build an image of the box.")
    parser.add_argument("board", choices=sorted(BOARDS))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "image", help="folder for what is made")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "image-cache", help="fetched packages, kept")
    parser.add_argument("--version", help="year.month.number; from the last commit where nothing is said")
    parser.add_argument(
        "--keyring", type=Path, help="PEM: whose update bundles the box takes; without it, it takes none"
    )
    parser.add_argument("--commit", default="HEAD", help="which commit to build")
    parser.add_argument("--working-tree", action="store_true", help="build what lies here, not the last commit")
    parser.add_argument("--fresh", action="store_true", help="ask Debian again, even if its tree of today is here")
    parser.add_argument("--compress", action="store_true", help="also make the block map and the compressed file")
    return parser.parse_args()


def main() -> int:
    """As the module says."""
    given = _arguments()
    progress = Progress()
    if os.geteuid() != 0:
        sys.stderr.write(f"image: building a root file system needs root: sudo make image BOARD={given.board}\n")
        return 1
    try:
        keyring = given.keyring.read_bytes() if given.keyring else None
        work = given.out / f"work-{given.board}"
        shutil.rmtree(work, ignore_errors=True)
        try:
            made = pipeline.build(
                pipeline.Wish(
                    board=BOARDS[given.board],
                    project=ROOT,
                    out=given.out.resolve(),
                    work=work.resolve(),
                    cache=given.cache.resolve(),
                    python=Path(sys.executable),
                    version=given.version,
                    keyring=keyring,
                    commit=given.commit,
                    working_tree=given.working_tree,
                    fresh=given.fresh,
                    compress=given.compress,
                ),
                progress,
            )
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except (Refused, OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"image: {error}\n")
        return 1
    sys.stdout.write(f"image: {progress.elapsed:5.0f} s  made {made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
