"""What the page about one's own device says of stays, findings and good conduct."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.devices.presence import Stay
from appliance.keeper.household.guests import Guests
from appliance.keeper.household.notices import Notices
from appliance.keeper.household.own_page import MAX_JOINED, OwnPages
from appliance.keeper.household.record import Ids, Record
from appliance.keeper.now import Now
from appliance.keeper.store.database import Store
from appliance.keeper.store.stays import StoredStay
from appliance.messages import StationChanged
from wire.base import Standing
from wire.models import PresenceState

START = 1_900_000_000.0
DAY = 86_400.0
MINE, OTHER = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"


@pytest.fixture
def record(store: Store) -> Record:
    numbers = itertools.count(1)

    def new(prefix: str) -> Callable[[], str]:
        return lambda: f"{prefix}-{next(numbers)}"

    return Record(
        store,
        Ids(
            device=new("d"),
            finding=new("f"),
            proposal=new("p"),
            session=new("s"),
            record=new("r"),
            arrangement=new("a"),
        ),
    )


def known(record: Record, device_id: str, mac: str) -> Device:
    device = Device(
        device_id=device_id,
        revision=1,
        standing=Standing.UNKNOWN,
        addresses=(Address(mac=mac, first_seen=START, last_seen=START),),
        first_seen=START - 20 * DAY,
        last_seen=START,
        reported_at=START,
        quarantined=device_id == "d-mine",
    )
    with record.store.transaction():
        return record.keep(device)


def stay(record: Record, mac: str, number: int, started: float) -> None:
    made = Stay(
        mac=mac,
        started=started,
        last=started + 600,
        state=PresenceState.LEFT,
        since=started + 600,
        asleep_seconds=0.0,
        ended=started + 600,
        ended_because="It left.",
    )
    with record.store.transaction():
        record.store.stays.put(StoredStay(session_id=f"s-{mac[-2:]}-{number}", revision=1, stay=made))


@pytest.mark.req("R76", "N12")
def test_good_conduct_is_said_as_plainly_as_anything_else(record: Record, scope: Scope) -> None:
    mine, other = known(record, "d-mine", MINE), known(record, "d-other", OTHER)
    for number in range(5):
        stay(record, MINE, number, START - number * DAY)
    for number in range(9):
        stay(record, OTHER, number, START - number * DAY)
    now = Now(scope=scope, ts=START, at=START)
    for device, finding_id in ((mine, "f-mine"), (other, "f-other")):
        finding = findings.unregistered(device, clause="2", via=None, now=now, finding_id=finding_id)
        with record.store.transaction():
            record.raise_finding(finding, at=START)
    pages = OwnPages(record, notices=Notices(record, None), guests=Guests(record))
    said = {section.title: section.lines for section in pages.sections(mine, scope, START + 3600)}
    assert said["When it was here"][0] == "In the last 28 days it was here 5 times."
    assert said["The last 28 days in short"][0] == (
        "It was here on 5 days. On 4 days of these nothing was found about it."
    )
    assert len(said["What was found"]) == 1
    assert "It is kept from the internet until an officer has decided." in said["What it counts as"]
    assert said["What is kept of it"][-1] == "What is written, said, seen or sent is never kept."
    assert not [line for lines in said.values() for line in lines if OTHER in line or MINE in line]
    without = {section.title: section.lines for section in pages.sections(mine, None, START + 3600)}
    assert without["What is kept of it"] == ("No authority is in force: nothing new is kept.",)


def test_stations_are_remembered_up_to_a_bound(record: Record) -> None:
    pages = OwnPages(record, notices=Notices(record, None), guests=Guests(record))
    for number in range(MAX_JOINED + 2):
        mac = f"02:00:5e:01:{number >> 8:02x}:{number & 255:02x}"
        pages.station(StationChanged(ts=START, mac=mac, joined=True, key_id="key-1"))
    assert pages.overflow == 2
    assert len(pages._joined) == MAX_JOINED
