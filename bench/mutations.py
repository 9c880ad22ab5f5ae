"""Damaged packets through the whole sensor: every packet of the captures, changed in seeded random ways.

Enters: a number and a seed. Leaves: how many went in, how long the slowest took, how much memory one
took at most. Whatever a packet is made into, dissector, observer and the lines of a replay must take
it; an exception ends the run with the packet's octets in its notes, so that it can be made a test.
"""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from appliance.messages import CollectionMask
from appliance.sensor.dissect import Dissector
from appliance.sensor.frame import Frame
from appliance.sensor.lines import line
from appliance.sensor.observe import Observer
from bench.corpus import frames
from bench.statistics import percentile

_TELLING = (0x00, 0x01, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)
"""Octets at the edges of lengths, label types and signs."""
_FRESH = 50_000
"""A new sensor after so many packets: one that is full of half-read flows sees less of the rest."""


class Sensor:
    """What a packet goes through on the box and in a replay; names and signals of every device may leave."""

    def __init__(self, senders: Sequence[str] = ()) -> None:
        self._dissector = Dissector()
        self._observer = Observer()
        macs = tuple(senders[:1024])
        mask = CollectionMask(generation=1, names=macs, signs=macs, network=True, lease=1e9)
        self._observer.set_mask(mask, 0.0)

    def feed(self, frame: Frame) -> int:
        """Read one frame; the number of facts and observations, so that the work is not for nothing."""
        said = 0
        for fact in self._dissector.feed(frame):
            said += 1 + len(self._observer.take(fact, 0.0)) + len(line(fact))
        return said


def mutated(originals: Sequence[Frame], count: int, seed: int) -> Iterator[Frame]:
    """`count` damaged frames, the same for the same seed."""
    chance = Random(seed)  # noqa: S311 - the same mutations every run
    for number in range(count):
        original = originals[number % len(originals)]
        data = bytearray(original.data)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            _change(data, originals, chance)
        yield msgspec.structs.replace(original, data=bytes(data[:65535]))


def _change(data: bytearray, originals: Sequence[Frame], chance: Random) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(8):
        case 0 | 1 if data:
            data[at % len(data)] = chance.randrange(256)
        case 2 | 3 if data:
            data[at % len(data)] = chance.choice(_TELLING)
        case 4 if data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        case 5:
            del data[at:]
        case 6:
            other = chance.choice(originals).data
            data[at:] = other[chance.randrange(len(other) + 1) :]
        case _:
            start = chance.randrange(len(data) + 1)
            data[at:at] = data[start : start + chance.randrange(1, 64)] * chance.randrange(1, 4)


def run(count: int, seed: int = 1) -> dict[str, float]:
    """Feed `count` damaged frames and time each on the thread's own CPU clock.

    Raises:
        AbsentError: there are no captures.
        Exception: whatever the sensor let out; its note holds the packet.
    """
    originals = frames()
    senders = sorted({frame.data[6:12].hex(":") for frame in originals if len(frame.data) >= 12})
    taken: list[int] = []
    said = 0
    sensor = Sensor(senders)
    collected = [0]

    def pause(phase: str, _info: dict[str, int]) -> None:
        # The collector's turn falls on whichever packet is next: it is nobody's cost.
        collected[0] += time.thread_time_ns() * (1 if phase == "stop" else -1)

    gc.callbacks.append(pause)
    try:
        for number, frame in enumerate(mutated(originals, count, seed)):
            if number % _FRESH == 0:
                sensor = Sensor(senders)
            collected[0] = 0
            start = time.thread_time_ns()
            try:
                said += sensor.feed(frame)
            except Exception as error:
                error.add_note(f"packet {number} of seed {seed}: {frame.link} {frame.data.hex()}")
                raise
            taken.append(time.thread_time_ns() - start - collected[0])
    finally:
        gc.callbacks.remove(pause)
    return {
        "packets": count,
        "said": said,
        "median_us": percentile(taken, 0.5) / 1e3,
        "p999_us": percentile(taken, 0.999) / 1e3,
        "slowest_ms": max(taken) / 1e6,
    }


def memory(count: int = 10_000, seed: int = 2) -> dict[str, float]:
    """Peak memory that one damaged frame makes the sensor take, in octets (tracemalloc), over `count` frames."""
    originals = frames()
    peaks: list[int] = []
    sensor = Sensor()
    changed = list(mutated(originals, count, seed))
    json.dumps({})  # what is loaded late is no packet's cost
    tracemalloc.start()
    try:
        for frame in changed:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            sensor.feed(frame)
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return {"packets": count, "median_octets": percentile(peaks, 0.5), "most_octets": max(peaks)}


def measure(*, quick: bool = False) -> dict[str, float]:
    """For `make bench`: times."""
    return run(20_000 if quick else 1_000_000)


def measure_memory(*, quick: bool = False) -> dict[str, float]:
    """For `make bench`: memory."""
    return memory(1_000 if quick else 10_000)
