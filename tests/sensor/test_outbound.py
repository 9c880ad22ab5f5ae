"""The queue towards the keeper: ordered, bounded, and no place for names that may not leave."""

from __future__ import annotations

from typing import Any

import pytest

from appliance import link, messages
from appliance.messages import ActivitySeen, How, NameLookedUp, Observation, Sighting, SignalSeen, TraitSeen, Via
from appliance.sensor.outbound import BATCH, MAX_QUEUED, Outbound
from appliance.signals import Signal
from appliance.traits import Trait

LAPTOP, PHONE = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"


def sightings(count: int) -> list[Observation]:
    return [Sighting(ts=float(number), mac=LAPTOP, via=Via.ARP) for number in range(count)]


def looked_up(mac: str) -> NameLookedUp:
    return NameLookedUp(ts=1.0, mac=mac, name="a.example", how=How.DNS, generation=1)


def signal(mac: str, kind: Signal) -> SignalSeen:
    return SignalSeen(ts=1.0, since=1.0, mac=mac, signal=kind, value="hello", generation=1)


def activity(mac: str) -> ActivitySeen:
    return ActivitySeen(
        ts=2.0,
        since=1.0,
        mac=mac,
        generation=1,
        flows=1,
        unnamed=0,
        octets=0,
        unnamed_octets=0,
        classes={},
        others=0,
    )


class Wire:
    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.datagrams = 0

    def send(self, *batch: Any) -> None:
        messages.encode(batch)
        self.datagrams += 1
        self.sent += batch


def test_all_is_sent_in_order_and_in_batches() -> None:
    queue, wire = Outbound(), Wire()
    waiting = sightings(2 * BATCH + 1)
    queue.put(waiting)
    assert queue.flush(wire.send)
    assert wire.sent == waiting
    assert wire.datagrams == 3
    assert len(queue) == 0


def test_the_oldest_goes_when_full_and_is_counted() -> None:
    queue, wire = Outbound(), Wire()
    waiting = sightings(MAX_QUEUED + 7)
    queue.put(waiting)
    assert (len(queue), queue.overflow) == (MAX_QUEUED, 7)
    queue.flush(wire.send)
    assert wire.sent == waiting[7:]


@pytest.mark.parametrize("error", [link.LinkFullError("full"), link.LinkClosedError("gone")])
def test_what_was_not_sent_waits(error: Exception) -> None:
    queue, wire = Outbound(), Wire()
    waiting = sightings(BATCH + 5)
    queue.put(waiting)

    def once(*batch: Any) -> None:
        if wire.datagrams:
            raise error
        wire.send(*batch)

    if isinstance(error, link.LinkFullError):
        assert not queue.flush(once)
    else:
        with pytest.raises(link.LinkClosedError):
            queue.flush(once)
    assert queue.flush(wire.send)
    assert wire.sent == waiting


def test_long_ones_travel_in_smaller_datagrams_and_an_impossible_one_is_counted() -> None:
    queue, wire = Outbound(), Wire()
    long, impossible = (
        TraitSeen(ts=1.0, mac=LAPTOP, trait=Trait.HTTP_USER_AGENT, value="x" * length)
        for length in (5000, messages.MAX_DATAGRAM)
    )
    queue.put([long] * BATCH)
    queue.put([impossible, long])
    assert queue.flush(wire.send)
    assert wire.sent == [long] * (BATCH + 1)
    assert queue.overflow == 1


@pytest.mark.req("R55", "N2")
def test_names_do_not_wait_for_a_device_that_lost_its_leave() -> None:
    queue, wire = Outbound(), Wire()
    queue.put([looked_up(LAPTOP), looked_up(PHONE), *sightings(1)])
    queue.keep(names={LAPTOP}, signs=(), network=False)
    queue.flush(wire.send)
    assert wire.sent == [looked_up(LAPTOP), *sightings(1)]
    queue.put([looked_up(LAPTOP), *sightings(1)])
    queue.keep(names=(), signs=(), network=False)
    wire.sent.clear()
    queue.flush(wire.send)
    assert wire.sent == sightings(1)


def test_signals_and_activity_do_not_wait_either() -> None:
    queue, wire = Outbound(), Wire()
    waiting = [
        *(signal(mac, kind) for mac in (LAPTOP, PHONE) for kind in (Signal.DOT, Signal.DHCP_SERVER)),
        *(activity(mac) for mac in (LAPTOP, PHONE)),
    ]
    queue.put(waiting)
    queue.keep(names=(), signs={LAPTOP}, network=True)
    queue.keep(names=(), signs={LAPTOP}, network=True)
    queue.flush(wire.send)
    assert wire.sent == [
        signal(LAPTOP, Signal.DOT),
        signal(LAPTOP, Signal.DHCP_SERVER),
        signal(PHONE, Signal.DHCP_SERVER),
        activity(LAPTOP),
    ]
    queue.put(waiting)
    queue.keep(names={LAPTOP}, signs=(), network=False)
    assert len(queue) == 0
