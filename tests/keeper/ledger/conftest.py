"""A store whose ledger is written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wire.ledger import ClockState, Stamp

START_MS = 1_900_000_800_000
"""A full hour, milliseconds since 1970."""


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """Where the fixture `store` has its database; in a test without it, where one may be made."""
    return tmp_path / "keeper" / "keeper.db"


@pytest.fixture
def make_stamp() -> Callable[..., Stamp]:
    """A stamp so many seconds after the start, in run `a` of the machine."""

    def make(seconds: float = 0.0, **changes: Any) -> Stamp:
        fields: dict[str, Any] = {
            "wall_ms": START_MS + round(seconds * 1000),
            "mono_ms": round(seconds * 1000),
            "boot": "a",
            "clock": ClockState.AUTHENTICATED,
            "error_ms": 40,
        }
        return Stamp(**(fields | changes))

    return make
