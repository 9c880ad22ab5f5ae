"""Damaged packets through dissector, observer, detectors and replay lines: nothing comes out of them but facts.

`make bench` does the same with a million, and measures how long each takes.
"""

from __future__ import annotations

import pytest

from bench import corpus, mutations

COUNT = 300_000
MOST_OCTETS = 1 << 20
"""What one packet may make the sensor take."""


@pytest.fixture(autouse=True)
def _present() -> None:
    try:
        corpus.captures()
    except corpus.AbsentError as error:
        pytest.skip(str(error))


@pytest.mark.timeout(900)
def test_damaged_packets_raise_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    done = mutations.run(COUNT)
    assert done["packets"] == COUNT
    assert done["said"] > COUNT / 10, "most of the packets must get somewhere, or the test tests little"
    with capsys.disabled():
        print(f"\n{COUNT} damaged packets, {done['said']} facts and observations")  # noqa: T201 (part of the proof)


@pytest.mark.timeout(600)
def test_one_damaged_packet_takes_little_memory() -> None:
    taken = mutations.memory()
    assert taken["packets"] == 10_000
    assert 0 < taken["most_octets"] <= MOST_OCTETS
