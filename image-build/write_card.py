"""`python image-build/write_card.py MEDIUM OPERATOR.toml`: the station's last step before a card goes into a box.

MEDIUM is an image file, or the device of a card that the image was written to. Exit codes: 0 written and read back,
1 refused (said in a sentence), 2 wrong use.
"""

# ruff: noqa: INP001 (a program, beside the package that it runs)
from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from imaging import card  # noqa: E402 (found by the line before)
from imaging.run import Refused  # noqa: E402 (found by the line before)


def main(arguments: list[str] | None = None) -> int:
    """As the module says."""
    parser = argparse.ArgumentParser(description="Put the operator's settings on a card.")
    parser.add_argument("medium", type=Path, help="image file, or device of a card")
    parser.add_argument("settings", type=Path, help="operator.toml")
    given = parser.parse_args(arguments)
    try:
        written = card.write(given.medium, given.settings)
    except (Refused, OSError) as error:
        sys.stderr.write(f"card: {error}\n")
        return 1
    sys.stdout.write(f"card: {given.medium} is for {written.operator} ({written.tenant}); read back, and the same.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
