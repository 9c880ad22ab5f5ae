"""Says in what two builds differ: two folders with manifest and parts in, lines out; none where they are the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imaging.manifest import digest

MOST = 200
"""Lines that are said."""


def builds(first: Path, second: Path, board: str) -> list[str]:
    """What differs between two builds of a board.

    Args:
        first: What `build.py --out` was given.
        second: As `first`, of the other build.
        board: Which board.
    """
    one, other = (json.loads((folder / f"{board}.manifest.json").read_text()) for folder in (first, second))
    lines = [
        line for part in ("image", "packages", "parts", "files") for line in _differing(part, one[part], other[part])
    ]
    if one["kernel"] != other["kernel"]:
        lines.append(f"kernel: {one['kernel']} | {other['kernel']}")
    bills = [(folder / f"{board}.spdx.json").read_bytes() for folder in (first, second)]
    if bills[0] != bills[1]:
        lines.append("bill of materials")
    lines.extend(_ready_to_write(first, second, board))
    return lines[:MOST]


def _ready_to_write(first: Path, second: Path, board: str) -> list[str]:
    """Block map and compressed file, where both builds have them."""
    lines = []
    for name in (f"gatehouse-{board}.img.bmap", f"gatehouse-{board}.img.zst"):
        pair = [folder / name for folder in (first, second)]
        if all(path.exists() for path in pair) and digest(pair[0]) != digest(pair[1]):
            lines.append(name)
    return lines


def _differing(part: str, one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [
        f"{part}: {name}: {one.get(name, 'not there')} | {other.get(name, 'not there')}"
        for name in sorted(set(one) | set(other))
        if one.get(name) != other.get(name)
    ]
