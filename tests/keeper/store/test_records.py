from __future__ import annotations

import itertools
from typing import Any

import pytest

from appliance.keeper.devices.model import Address, Device
from appliance.keeper.store.database import Store
from appliance.keeper.store.records import HOUR, Ground, Records
from appliance.messages import SignalSeen
from appliance.signals import Signal
from wire.base import Standing

MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
GROUND = Ground(authority_id="authority-1", authority_number=1, clause="7")


def add(
    records: Records, ts: float, *, mac: str = MAC, ground: Ground = GROUND, stranger: bool = False, **fields: Any
) -> str:
    made: dict[str, Any] = {"signal": Signal.SSH, "value": "", "server": "192.0.2.7", "port": 22, "since": ts}
    heard = SignalSeen(ts=ts, mac=mac, generation=1, **(made | fields))
    numbers = itertools.count(len(records) + 1)
    return records.add(heard, ground, ts=ts, new_id=lambda: f"r-{mac[-2:]}-{ts:.0f}-{next(numbers)}", stranger=stranger)


def own(store: Store, mac: str) -> None:
    """A device of the household with this address."""
    address = Address(mac=mac, first_seen=1.0, last_seen=1.0)
    store.devices.put(
        Device(
            device_id=f"d-{mac[-5:]}",
            revision=1,
            standing=Standing.HOUSEHOLD,
            addresses=(address,),
            first_seen=1.0,
            last_seen=1.0,
            reported_at=1.0,
        )
    )


@pytest.mark.req("R26")
def test_an_hour_is_one_row_with_a_count(store: Store) -> None:
    with store.transaction():
        ids = {add(store.records, 2 * HOUR + second, count=2, octets=5) for second in range(10)}
        add(store.records, 3 * HOUR)
        add(store.records, 2 * HOUR, port=None, server=None, octets=None)
    assert len(ids) == 1
    rows = store.records.of([MAC], since=0, most=10)
    assert [(row.count, row.octets, row.server, row.port) for row in rows] == [
        (1, None, "192.0.2.7", 22),
        (20, 50, "192.0.2.7", 22),
        (1, None, None, None),
    ]
    assert (rows[1].first, rows[1].last, rows[1].signal) == (2 * HOUR, 2 * HOUR + 9, Signal.SSH)


@pytest.mark.parametrize("since", [float("nan"), -1e300, 1e300, 0.0])
def test_a_begin_that_cannot_be_is_none(store: Store, since: float) -> None:
    with store.transaction():
        add(store.records, 1e9, since=since)
    (row,) = store.records.of([MAC], since=0, most=9)
    assert (row.first, row.last) == (1e9, 1e9)


@pytest.mark.req("R29", "N1")
def test_another_clause_or_number_is_another_row(store: Store) -> None:
    with store.transaction():
        add(store.records, 10.0)
        add(store.records, 10.0, ground=Ground(authority_id="authority-1", authority_number=2, clause="7"))
        add(store.records, 10.0, ground=Ground(authority_id="authority-1", authority_number=1, clause="8"))
    assert len(store.records) == 3


def test_questions(store: Store) -> None:
    with store.transaction():
        for number in range(5):
            add(store.records, HOUR * number)
        add(store.records, 9.0, mac=OTHER, signal=Signal.UPSTREAM, value="arp")
    assert [row.first / HOUR for row in store.records.of([MAC, OTHER], since=HOUR, most=3)] == [4, 3, 2]
    assert store.records.of([], since=0, most=3) == ()
    assert store.records.heard_of(since=2 * HOUR) == [MAC]
    assert store.records.upstream(since=0) == [OTHER]


def test_rows_are_bounded_and_what_goes_is_counted(store: Store) -> None:
    records = Records(store._db, erased=lambda: None, limit=20)
    with store.transaction():
        for number in range(50):
            own(store, f"02:00:00:00:01:{number:02x}")
            add(records, HOUR * number, mac=f"02:00:00:00:01:{number:02x}")
        own(store, MAC)
        records.limit_of_address = 4
        for number in range(50, 60):
            add(records, HOUR * number)
    assert len(records) == store._db.table("record").count <= 20
    assert records.overflow == 60 - len(records)
    kept = records.of([MAC], since=0, most=99)
    assert [row.first / HOUR for row in kept] == [59, 58, 57, 56], "the latest stay"


def test_addresses_that_anybody_can_make_up_push_nothing_of_the_household_s_out(store: Store) -> None:
    records = Records(store._db, erased=lambda: None, limit=40)
    with store.transaction():
        own(store, MAC)
        for number in range(40):
            add(records, HOUR * number)
    assert len(records) == 30, "a quarter stays free for them"
    mine = records.of([MAC], since=0, most=99)
    with store.transaction():
        for number in range(500):
            add(records, HOUR * (50 + number), mac=f"02:00:00:07:{number >> 8:02x}:{number & 255:02x}", stranger=True)
    assert records.of([MAC], since=0, most=99) == mine
    assert len(records) == 40
    last = f"02:00:00:07:{499 >> 8:02x}:{499 & 255:02x}"
    assert records.of([last], since=0, most=1), "the latest of them is kept, however long the box runs"


@pytest.mark.req("R65")
def test_what_is_erased_is_gone_from_the_file(store: Store) -> None:
    with store.transaction():
        add(store.records, 9.0, server="203.0.113.99")
        add(store.records, 9.0, mac=OTHER)
    with store.transaction():
        store.records.erase([MAC])
    path = store._db.execute("pragma database_list").fetchone()[2]
    assert len(store.records) == 1
    with open(path, "rb") as file:  # noqa: PTH123 - sqlite gives the path as text
        assert b"203.0.113.99" not in file.read()


def test_a_turn_that_fails_counts_nothing(store: Store) -> None:
    def turn() -> None:
        with store.transaction():
            add(store.records, 9.0)
            raise RuntimeError("power")

    with pytest.raises(RuntimeError, match="power"):
        turn()
    assert len(store.records) == 0
