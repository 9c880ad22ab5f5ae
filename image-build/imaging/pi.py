"""The Raspberry Pi's common partition: its own loader, device trees, and U-Boot, which chooses the slot."""

from __future__ import annotations

from pathlib import Path

from imaging.boards import Board


def common_files(root: Path, parts: Path, board: Board, kernel: str) -> dict[str, Path]:
    """Name inside, and where it lies here."""
    del root, parts, board, kernel
    return {}
