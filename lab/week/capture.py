"""The week as files: frames as a pcap, hostapd's and the kernel's events as JSON lines of the same clock."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lab.week.plot import Week
from lab.week.speech import Spoken

CAPTURE, EVENTS, TRUTH = "week.pcap", "warden.jsonl", "truth.json"
_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)  # draft-ietf-opsawg-pcap; Ethernet


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is in the files."""

    frames: int
    octets: int
    events: int
    addresses: int


def write(week: Week, folder: Path) -> Written:
    """Write `CAPTURE`, `EVENTS` and `TRUTH` (which device each address was) into `folder`."""
    frames = octets = events = 0
    with (folder / CAPTURE).open("wb") as capture, (folder / EVENTS).open("wb") as lines:
        capture.write(_HEADER)
        for happening in week.happenings():
            if isinstance(happening, Spoken):
                size = len(happening.data)
                whole = int(happening.ts)
                micro = int((happening.ts - whole) * 1e6)
                capture.write(struct.pack("<IIII", whole, micro, size, size) + happening.data)
                frames, octets = frames + 1, octets + size
            else:
                lines.write(msgspec.json.encode(happening) + b"\n")
                events += 1
    truth = week.truth
    (folder / TRUTH).write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n", encoding="ascii")
    return Written(frames=frames, octets=octets, events=events, addresses=len(truth))
