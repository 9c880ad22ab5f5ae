from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from appliance.keeper.devices.model import Address, Device
from appliance.keeper.ledger.hourly import HOUR, IN_ONE, PORTION, Hours
from appliance.keeper.store.database import Store
from appliance.keeper.store.records import Ground
from appliance.messages import SignalSeen
from appliance.signals import Signal
from wire.base import Standing
from wire.ledger import RecordKind, Stamp

MAC = "02:00:00:00:00:01"
START = 1_900_000_800.0
GROUND = Ground(authority_id="authority-1", authority_number=1, clause="7")


class Household:
    """One device, its signals and names, and the hours that close over it."""

    def __init__(self, store: Store, make_stamp: Callable[..., Stamp]) -> None:
        self.store = store
        self._make_stamp = make_stamp
        self._number = 0
        self.hours = Hours(store.ledger, closed=int(START))
        self.device = Device(
            device_id="device-1",
            revision=1,
            standing=Standing.REGISTERED,
            addresses=(Address(mac=MAC, first_seen=START, last_seen=START),),
            first_seen=START,
            last_seen=START,
            reported_at=START,
        )
        with store.transaction():
            store.devices.put(self.device)

    def signal(self, seconds: float, *, count: int = 1, port: int = 22) -> None:
        self._number += 1
        ts = START + seconds
        heard = SignalSeen(
            ts=ts,
            mac=MAC,
            generation=1,
            signal=Signal.SSH,
            value="",
            server="192.0.2.7",
            port=port,
            since=ts,
            count=count,
        )
        with self.store.transaction():
            self.store.records.add(heard, GROUND, ts=ts, new_id=lambda: f"r-{self._number}")

    def name(self, seconds: float, name: str) -> None:
        with self.store.transaction():
            self.store.evidence.add_name(
                MAC, name, authority_id="authority-1", authority_number=1, clause="3", ts=START + seconds
            )

    def tick(self, seconds: float, *, devices: Iterable[Device] = (), ending: bool = False) -> None:
        with self.store.transaction():
            self.store.ledger.begin(self._make_stamp(seconds))
            self.hours.tick(START + seconds, devices, ending=ending)

    def bodies(self, kind: RecordKind) -> list[dict[str, Any]]:
        ledger = self.store.ledger
        rows = [row for row in ledger.log.rows(0, ledger.size - 1) if row.kind is kind]
        return [json.loads(found[1]) for row in rows if (found := ledger.body(row)) is not None]

    def counted(self, kind: RecordKind, what: str, by: str) -> Counter[object]:
        total: Counter[object] = Counter()
        for body in self.bodies(kind):
            for item in body[what]:
                total[item[by]] += item["count"]
        return total


@pytest.fixture
def home(store: Store, make_stamp: Callable[..., Stamp]) -> Household:
    return Household(store, make_stamp)


@pytest.mark.req("R68")
def test_an_hour_is_filed_once_when_it_is_over_and_what_comes_late_in_a_later_record(home: Household) -> None:
    home.signal(10)
    home.signal(20, count=4)
    home.tick(HOUR - 1)
    assert home.bodies(RecordKind.SIGNALS) == []
    home.tick(HOUR + 1)
    home.tick(HOUR + 2)
    (body,) = home.bodies(RecordKind.SIGNALS)
    assert (body["mac"], body["clause"], body["from_ms"]) == (MAC, "7", START * 1000)
    assert body["signals"] == [
        {
            "record_id": "r-1",
            "signal": "ssh",
            "value": "",
            "server": "192.0.2.7",
            "port": 22,
            "first_ms": (START + 10) * 1000,
            "last_ms": (START + 20) * 1000,
            "count": 5,
        }
    ]
    home.signal(30, count=2)  # it waited in a queue
    home.tick(2 * HOUR + 1)
    assert home.counted(RecordKind.SIGNALS, "signals", "record_id") == {"r-1": 7}


@pytest.mark.req("R68")
def test_a_failure_in_between_neither_loses_nor_doubles(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    for port in range(IN_ONE + 5):
        home.signal(10 + port, port=1000 + port)
    filed = home.store.ledger.log.filed_signals

    class StopError(Exception):
        pass

    def stop(record_ids: Iterable[str]) -> None:
        filed(record_ids)
        raise StopError

    monkeypatch.setattr(home.store.ledger.log, "filed_signals", stop)
    with pytest.raises(StopError):
        home.tick(HOUR + 1)
    monkeypatch.undo()
    assert home.store.ledger.size == 0
    home.hours = Hours(home.store.ledger, closed=int(START))  # the keeper starts again
    home.tick(HOUR + 2)
    total = home.counted(RecordKind.SIGNALS, "signals", "port")
    assert total == dict.fromkeys(range(1000, 1000 + IN_ONE + 5), 1)
    assert [len(body["signals"]) for body in home.bodies(RecordKind.SIGNALS)] == [IN_ONE, 5]


@pytest.mark.req("R68")
def test_names_are_filed_with_their_hour_and_their_clause(home: Household) -> None:
    for second in (1, 2, 3):
        home.name(second, "shop.example")
    home.name(4, "news.example")
    home.tick(HOUR)
    home.name(HOUR + 5, "shop.example")
    home.tick(2 * HOUR)
    home.tick(3 * HOUR)
    assert home.counted(RecordKind.NAMES, "names", "name") == {"shop.example": 4, "news.example": 1}
    bodies = home.bodies(RecordKind.NAMES)
    assert [len(body["names"]) for body in bodies] == [2, 1]
    assert {body["clause"] for body in bodies} == {"3"}


@pytest.mark.req("R68")
def test_more_than_a_portion_is_filed_in_the_turns_that_follow(home: Household) -> None:
    for number in range(PORTION + 20):
        home.name(1, f"n{number}.example")
    home.tick(HOUR)
    assert len(home.counted(RecordKind.NAMES, "names", "name")) == PORTION
    home.tick(HOUR + 1)
    assert len(home.counted(RecordKind.NAMES, "names", "name")) == PORTION + 20


@pytest.mark.req("R68")
def test_when_recording_ends_what_there_is_is_filed_at_once(home: Household) -> None:
    home.signal(10)
    home.name(11, "shop.example")
    home.tick(60, ending=True, devices=(home.device,))
    assert home.counted(RecordKind.SIGNALS, "signals", "record_id") == {"r-1": 1}
    assert home.counted(RecordKind.NAMES, "names", "name") == {"shop.example": 1}
    (presence,) = home.bodies(RecordKind.DEVICE)
    assert (presence["device_id"], presence["seen"], presence["until_ms"]) == ("device-1", [MAC], (START + 60) * 1000)


@pytest.mark.req("R54")
@pytest.mark.req("R68")
def test_after_recording_has_ended_nothing_more_is_said_of_a_device(home: Household) -> None:
    home.tick(60.5, ending=True, devices=(home.device,))
    home.tick(HOUR, devices=(home.device,))
    home.tick(2 * HOUR, devices=(home.device,))
    assert len(home.bodies(RecordKind.DEVICE)) == 1


def test_a_device_that_was_not_there_is_not_said_to_have_been(home: Household) -> None:
    home.tick(HOUR, devices=(home.device,))
    home.tick(2 * HOUR, devices=(home.device,))
    assert len(home.bodies(RecordKind.DEVICE)) == 1
