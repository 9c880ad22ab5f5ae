"""Frames of the captures that lie beside the project; they are read where they are and never copied."""

from __future__ import annotations

from pathlib import Path

from appliance.sensor.frame import Frame
from appliance.sensor.taps.capture import Capture

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


class AbsentError(Exception):
    """The captures are not on this machine; the text says where they were looked for."""


def captures() -> list[Path]:
    """All capture files, sorted.

    Raises:
        AbsentError: there is none.
    """
    found = sorted(path for path in SHARED.glob("**/*.pcap*") if path.suffix in {".pcap", ".pcapng"})
    if not found:
        raise AbsentError(f"no captures under {SHARED}")
    return found


def frames() -> list[Frame]:
    """The frames of all captures, in the order of the files' names."""
    taken: list[Frame] = []
    for path in captures():
        with Capture(path) as capture:
            taken.extend(capture)
    return taken
