"""`python image-build/compare.py BOARD FOLDER FOLDER`: in what two builds of the same sources differ.

Exit codes: 0 in nothing, 1 in what it says, 2 wrong use, or a build is not there.
"""

# ruff: noqa: INP001 (a program, beside the package that it runs)
from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from imaging import compare


def main(arguments: list[str] | None = None) -> int:
    """As the module says."""
    parser = argparse.ArgumentParser(description="Compare two builds of an image.")
    parser.add_argument("board")
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    given = parser.parse_args(arguments)
    try:
        found = compare.builds(given.first, given.second, given.board)
    except OSError as error:
        sys.stderr.write(f"compare: {error.filename}: {error.strerror}\n")
        return 2
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"compare: {len(found)} differ\n" if found else "compare: the two builds are the same\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
