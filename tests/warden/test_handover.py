"""Fresh taps for every sensor that connects, tried for as long as a dead holder may linger."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from appliance import link
from appliance.messages import MAX_TALKS, Talk, TalksCounted, TapsHanded
from appliance.warden.handover import BUSY_SECONDS, MAX_WAITING, Handover
from appliance.warden.taps import TapBusyError
from firmware.names import TAPS, TapGroup


class Opener:
    def __init__(self) -> None:
        self.busy = 0
        self.opened: list[socket.socket] = []

    def __call__(self, taps: Sequence[TapGroup]) -> list[socket.socket]:
        if self.busy:
            self.busy -= 1
            raise TapBusyError(errno.EBUSY, "busy")
        made = []
        for _ in taps:
            near, far = socket.socketpair()
            far.close()
            made.append(near)
        self.opened += made
        return made


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
def handover(short_path: Path, opener: Opener) -> Iterator[Handover]:
    made = Handover(link.listen(short_path / "sensor.sock"), {os.getuid()}, opener=opener)
    yield made
    made.drop()
    made.listener.close()


def connect(short_path: Path) -> link.Link:
    return link.connect(short_path / "sensor.sock")


def taken(sensor: link.Link) -> int:
    received, descriptors = sensor.receive_descriptors()
    assert received == [TapsHanded(taps=tuple(tap.name for tap in TAPS))]
    for descriptor in descriptors:
        os.close(descriptor)
    return len(descriptors)


def test_a_sensor_gets_its_taps_and_no_copy_stays(handover: Handover, opener: Opener, short_path: Path) -> None:
    assert not handover.accept(0.0)
    sensor = connect(short_path)
    assert handover.accept(0.0)
    handover.try_now(0.0)
    assert taken(sensor) == len(TAPS)
    assert all(sock.fileno() == -1 for sock in opener.opened)
    assert not handover.waiting
    handover.try_now(0.1)
    assert handover.handed == 1
    assert handover.hear()
    sensor.close()
    assert not handover.hear()
    assert handover.sensor is None
    assert not handover.hear()


def test_busy_groups_are_tried_again(handover: Handover, opener: Opener, short_path: Path) -> None:
    opener.busy = 2
    sensor = connect(short_path)
    handover.accept(0.0)
    handover.try_now(0.0)
    handover.try_now(0.1)
    assert handover.waiting
    handover.try_now(0.2)
    assert taken(sensor) == len(TAPS)
    sensor.close()


def test_groups_that_stay_busy_are_given_up(handover: Handover, opener: Opener, short_path: Path) -> None:
    opener.busy = 100
    sensor = connect(short_path)
    handover.accept(0.0)
    handover.try_now(0.0)
    handover.try_now(BUSY_SECONDS)
    assert not handover.waiting
    with pytest.raises(link.LinkClosedError):
        sensor.receive()
    sensor.close()


def test_a_new_sensor_replaces_the_old(handover: Handover, short_path: Path) -> None:
    first = connect(short_path)
    handover.accept(0.0)
    handover.try_now(0.0)
    second = connect(short_path)
    handover.accept(1.0)
    handover.try_now(1.0)
    assert taken(first) == len(TAPS)
    with pytest.raises(link.LinkClosedError):
        first.receive()
    assert taken(second) == len(TAPS)
    for sensor in (first, second):
        sensor.close()


def test_a_sensor_that_left_meanwhile_leaves_nothing_open(handover: Handover, opener: Opener, short_path: Path) -> None:
    sensor = connect(short_path)
    handover.accept(0.0)
    sensor.close()
    handover.try_now(0.0)
    assert handover.sensor is None
    assert all(sock.fileno() == -1 for sock in opener.opened)


def test_a_stranger_is_not_admitted(short_path: Path, opener: Opener) -> None:
    strict = Handover(link.listen(short_path / "sensor.sock"), {os.getuid() + 1}, opener=opener)
    stranger = connect(short_path)
    assert not strict.accept(0.0)
    with pytest.raises(link.LinkClosedError):
        stranger.receive()
    stranger.close()
    strict.listener.close()


def counted(number: int) -> TalksCounted:
    talk = Talk("02:00:5e:00:53:0a", "203.0.113.9", 17, 9, number, 0)
    return TalksCounted(ts=1.0, seconds=60.0, talks=(talk,) * MAX_TALKS)


@pytest.mark.req("R11")
def test_counts_wait_for_a_sensor_that_is_late_up_to_a_bound(
    handover: Handover, opener: Opener, short_path: Path
) -> None:
    assert opener.busy == 0
    sensor = connect(short_path)
    assert handover.accept(0.0)
    handover.try_now(0.0)
    taken(sensor)
    handover.tell([counted(number) for number in range(200)])
    assert 0 < handover.untold < 200 - MAX_WAITING
    heard: list[int] = []
    while len(heard) < 200 - handover.untold:
        heard += [message.talks[0].up for message in sensor.receive() if isinstance(message, TalksCounted)]
        handover.flush()
    assert heard == list(range(len(heard)))
    sensor.close()


def test_counts_for_a_sensor_that_is_gone_are_dropped_with_it(
    handover: Handover, opener: Opener, short_path: Path
) -> None:
    assert opener.busy == 0
    sensor = connect(short_path)
    assert handover.accept(0.0)
    sensor.close()
    handover.tell([counted(1)])
    assert handover.sensor is None
    handover.tell([counted(2)])
    assert handover.sensor is None
