"""Who may come to the holder's door, and what it believes of them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.fitting import card as cards
from appliance.fitting import holder as module
from appliance.fitting.channel import Brought, Channel, ChannelError, Reported, Show
from appliance.fitting.holder import ACCEPT_EVERY, Doors, Process, run
from appliance.fitting.holding import Hands, Holder, Own
from appliance.fitting.looks import Way
from appliance.fitting.uplink import Desk
from appliance.fresh import Seen
from firmware import layout
from wire.enrolment import Uplink


@pytest.fixture
def door(tmp_path: Path) -> Path:
    return tmp_path / "run" / "fitting.sock"


@pytest.fixture
def holder(box: Any) -> Holder:
    sticker = cards.load_sticker(box.places)
    assert sticker is not None
    own = Own(keys=box.keys, operator=box.operator, card=box.card, sticker=sticker, csr=box.csr)
    hands = Hands(look=lambda *_: (Seen(), Way()), scan=lambda *_: None, attempt=lambda _home: None)
    return Holder(box.places, own, hands, monotonic=0.0)


@pytest.fixture
def process(box: Any, holder: Holder, door: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    doors = Doors(door, uids=frozenset({os.geteuid()}))
    listen = doors.listen
    monkeypatch.setattr(
        doors, "listen", lambda _address, _port: listen("127.0.0.1", 0) if not doors.address[1] else False
    )
    made = Process(box.places, holder, doors)
    yield made
    made.close()


def knock(door: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(5)
    sock.connect(str(door))
    return sock


def welcome(process: Process, door: Path, now: float, monotonic: float) -> tuple[socket.socket, Channel, Show]:
    sock = knock(door)
    process.turn(now, monotonic, wait=0)
    _, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
    assert len(descriptors) == 1
    with socket.socket(fileno=descriptors[0]) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    channel = Channel(sock)
    shown = channel.receive()
    assert len(shown) == 1
    assert isinstance(shown[0], Show)
    return sock, channel, shown[0]


def test_a_front_gets_the_listener_and_what_to_show(process: Process, door: Path, box: Any, now: float) -> None:
    sock, channel, shown = welcome(process, door, now, 0.0)
    assert shown.site == box.site
    channel.send(Reported(desk=Desk.WAITING))
    process.turn(now, 1.0, wait=1)
    process.turn(now, 2.0, wait=0)
    assert process.holder.fresh(now, 2.0).stage == "unclaimed"
    assert [message.stage for message in channel.receive() if isinstance(message, Show)] == ["unclaimed"]
    sock.close()


@pytest.mark.req("R69")
def test_a_stranger_gets_nothing(door: Path) -> None:
    doors = Doors(door, uids=frozenset({os.geteuid() + 1}))
    assert doors.listen("127.0.0.1", 0)
    with knock(door) as sock:
        assert doors.admit() is None
        assert sock.recv(1) == b""
    assert doors.admit() is None, "nobody came"
    doors.close()


def test_a_front_that_says_what_it_may_not_is_let_go(process: Process, door: Path, now: float) -> None:
    sock, channel, _ = welcome(process, door, now, 0.0)
    channel.send(Show(site="box-other00000"))
    process.turn(now, 1.0, wait=1)
    assert process.gone()
    with pytest.raises(ChannelError):
        channel.receive()
    sock.close()
    again, _, _ = welcome(process, door, now, 1.0 + ACCEPT_EVERY)
    again.close()


def test_a_second_front_waits_for_the_first(process: Process, door: Path, now: float) -> None:
    first, _, _ = welcome(process, door, now, 0.0)
    with knock(door) as second:
        second.setblocking(False)
        process.turn(now, 5.0, wait=0)
        with pytest.raises(BlockingIOError):
            second.recv(1)
        first.close()
        process.turn(now, 6.0, wait=1)
        process.turn(now, 7.0, wait=0)
        assert second.recv(1) == b"!"


@pytest.mark.req("R2")
def test_an_answer_makes_an_enrolled_box_and_the_page_says_so(
    process: Process, door: Path, box: Any, service: Any, now: float
) -> None:
    sock, channel, shown = welcome(process, door, now, 0.0)
    assert shown.label
    answer = service.answer(box, network=service.network(box, uplink=Uplink()))
    channel.send(Brought(answer=answer.decode()))
    for second in range(1, 5):
        process.turn(now, float(second), wait=0.5)
    assert box.places.enrolled
    last = [message for message in channel.receive() if isinstance(message, Show)][-1]
    assert (last.stage, last.label, last.request) == ("enrolled", "", "")
    sock.close()


def test_programs_are_run_to_their_end_and_a_failure_is_no_end_of_all(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert not run([["false"], ["no-such-program-anywhere"], ["touch", str(mark)]])
    assert mark.exists()
    assert run([["true"]])


def test_an_address_that_cannot_be_had_is_no_end_of_all(door: Path) -> None:
    doors = Doors(door, uids=frozenset())
    assert not doors.listen("192.0.2.999", 80)
    assert doors.address == ("", 0)
    doors.close()


@pytest.mark.req("R57")
def test_a_trial_that_the_holder_before_did_not_end_is_taken_back_first(
    box: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    monkeypatch.setattr(module, "run", done.append)
    module.serve(box.places, lambda: True)
    assert done == []
    box.places.at(layout.HOUSEHOLD_TRIAL_FILE).write_text("digest")
    module.serve(box.places, lambda: True)
    assert done == [module.APPLY]
