"""Errands on an air made of a script and a clock that only moves when somebody waits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from appliance.messages import ProbeKind
from appliance.probe import errands
from appliance.probe.answers import Answer
from appliance.probe.errands import LISTEN_SECONDS, MAX_ANSWERS, PER_SECOND
from appliance.probe.own import Own


class Air:
    """Hands out `heard` one after the other, each a tenth of a millisecond later; then silence."""

    def __init__(self, heard: list[bytes]) -> None:
        self.now = 100.0
        self.sent: list[float] = []
        self.heard = heard

    def send(self, frame: bytes) -> None:
        assert frame
        self.sent.append(self.now)

    def receive(self, seconds: float) -> bytes | None:
        assert seconds >= 0
        if self.heard:
            self.now += 0.0001
            return self.heard.pop()
        self.now += seconds + 0.0001
        return None


def reply(number: int) -> bytes:
    """An ARP reply of a device of its own, from an address within 192.0.2.0/28."""
    sender = bytes((0x02, 0, 0x5E, 0x20, number >> 8 & 0xFF, number & 0xFF))
    body = bytes.fromhex("0001080006040002") + sender + bytes((192, 0, 2, 2 + number % 12)) + bytes(10)
    return bytes.fromhex("02005e100001") + sender + b"\x08\x06" + body


@pytest.fixture
def told() -> list[Answer]:
    return []


@pytest.fixture
def go(own: Own, told: list[Answer]) -> Callable[[Air], errands.Result]:
    return lambda air: errands.run(ProbeKind.SWEEP, own, air, monotonic=lambda: air.now, tell=told.append)


@pytest.mark.req("R13")
def test_questions_are_paced_and_it_ends_by_itself(go: Callable[[Air], errands.Result]) -> None:
    air = Air([])
    result = go(air)
    assert result == errands.Result(sent=14)
    gaps = [after - before for before, after in pairwise(air.sent)]
    assert min(gaps) >= 1 / PER_SECOND - 1e-9
    assert air.now - air.sent[-1] == pytest.approx(LISTEN_SECONDS, abs=0.01)


@pytest.mark.req("R13")
def test_each_answer_is_told_once(go: Callable[[Air], errands.Result], told: list[Answer]) -> None:
    result = go(Air([reply(1), reply(1), b"", b"what is this", reply(2)]))
    assert (result.answers, result.overflow) == (2, 0)
    assert sorted(answer.ip for answer in told) == ["192.0.2.3", "192.0.2.4"]


def test_answers_have_a_bound_and_what_goes_over_is_counted(
    go: Callable[[Air], errands.Result], told: list[Answer]
) -> None:
    result = go(Air([reply(number) for number in range(MAX_ANSWERS + 7)]))
    assert (result.answers, result.overflow) == (MAX_ANSWERS, 7)
    assert len(told) == MAX_ANSWERS


def test_a_flood_is_read_up_to_a_bound_and_ends_in_time(
    go: Callable[[Air], errands.Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "MAX_FRAMES", 100)
    air = Air([b"noise"] * 1_000_000)
    result = go(air)
    assert result.sent == 14
    assert result.overflow > 0
    assert air.now < 100 + 14 / PER_SECOND + LISTEN_SECONDS + 1
