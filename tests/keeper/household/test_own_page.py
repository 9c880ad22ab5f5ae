"""What the page about one's own device says of stays, findings and good conduct."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.devices.passphrases import Purpose
from appliance.keeper.devices.presence import Stay
from appliance.keeper.household.guests import Guests
from appliance.keeper.household.notices import Notices
from appliance.keeper.household.own_page import MAX_JOINED, MAX_WRONG, OwnPages
from appliance.keeper.household.record import Record
from appliance.keeper.now import Now
from appliance.keeper.store.stays import StoredStay
from appliance.messages import StationChanged
from wire.base import Standing
from wire.models import PresenceState

START = 1_900_000_000.0
DAY = 86_400.0
MINE, OTHER = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
LAPTOP, PHONE, CLONE = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b", "02:00:5e:00:53:0c"
HERE = "192.0.2.17"
CODE = "K7QM-2XPA"


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


@pytest.mark.req("R76")
def test_a_device_that_is_here_for_weeks_was_here_on_each_of_those_days(record: Record, scope: Scope) -> None:
    mine = known(record, "d-mine", MINE)
    made = Stay(
        mac=MINE,
        started=START - 40 * DAY,
        last=START,
        state=PresenceState.HERE,
        since=START - 40 * DAY,
        asleep_seconds=0.0,
        ended=None,
        ended_because="",
    )
    with record.store.transaction():
        record.store.stays.put(StoredStay(session_id="s-long", revision=1, stay=made))
    pages = OwnPages(record, notices=Notices(record, None), guests=Guests(record))
    said = {section.title: section.lines for section in pages.sections(mine, scope, START)}
    assert said["The last 28 days in short"][0] == (
        "It was here on 28 days. On 28 days of these nothing was found about it."
    )


def test_stations_are_remembered_up_to_a_bound(record: Record) -> None:
    pages = OwnPages(record, notices=Notices(record, None), guests=Guests(record))
    for number in range(MAX_JOINED + 2):
        mac = f"02:00:5e:01:{number >> 8:02x}:{number & 255:02x}"
        pages.station(StationChanged(ts=START, mac=mac, joined=True, key_id="key-1"))
    assert pages.overflow == 2
    assert len(pages._joined) == MAX_JOINED


# --- one's own device -----------------------------------------------------------------------------


@pytest.mark.req("N12", "R76")
def test_its_own_passphrase_shows_a_device_its_page_and_no_other(hall: Any) -> None:
    hall.device("d-phone", PHONE, standing=Standing.HOUSEHOLD, label="Sam's phone")
    hall.device("d-laptop", LAPTOP, standing=Standing.REGISTERED, label="Alex's laptop")
    hall.neighbours[HERE] = (PHONE, True)
    hall.bind("key-phone", "d-phone")
    hall.joined(PHONE, "key-phone")
    said = "\n".join(line for section in hall.page() for line in (section.title, *section.lines))
    assert "It counts among the devices of other people in the household." in said
    assert "when they are connected (clause 1), for 180 days." in said
    assert "Nothing about this device waits for an officer." in said
    assert "laptop" not in said
    assert PHONE not in said


@pytest.mark.req("N12")
def test_a_copied_address_is_told_what_everybody_is_told(hall: Any) -> None:
    hall.device("d-phone", PHONE, standing=Standing.REGISTERED)
    hall.bind("key-phone", "d-phone")
    hall.bind("household", None, Purpose.HOUSEHOLD)
    strangers = [hall.page()]  # nobody is known to have that address
    hall.neighbours[HERE] = (PHONE, True)
    strangers.append(hall.page())  # it has not joined as far as the box knows
    hall.joined(PHONE, "household")
    strangers.append(hall.page())  # with everybody's passphrase
    hall.joined(PHONE, "key-phone")
    hall.neighbours[HERE] = (PHONE, False)
    strangers.append(hall.page())  # at a cable, while the device is at the access point
    hall.neighbours[HERE] = (CLONE, True)
    hall.joined(CLONE, "key-phone")
    strangers.append(hall.page())  # another address with the same passphrase
    hall.neighbours[HERE] = (PHONE, True)
    strangers.append(hall.page())  # two use it at once
    hall.joined(CLONE, None, joined=False)
    hall.joined(PHONE, None, joined=False)
    strangers.append(hall.page())
    assert strangers == [()] * 7
    hall.joined(PHONE, "key-phone")
    assert hall.page() != ()
    hall.doorway.own.stations_lost()
    assert hall.page() == ()


@pytest.mark.req("N12")
def test_an_officers_code_works_once_on_the_device_it_is_for(hall: Any) -> None:
    hall.device("d-phone", PHONE)
    hall.device("d-laptop", LAPTOP)
    assert hall.issue("d-phone") is None
    hall.neighbours["192.0.2.18"] = (LAPTOP, False)
    assert hall.page("192.0.2.18", CODE) == (), "another device"
    hall.neighbours[HERE] = (PHONE, False)
    assert hall.page(HERE, CODE) != ()
    assert hall.page(HERE, CODE) == ()


@pytest.mark.req("N12")
@pytest.mark.parametrize("typed", ["k7qm-2xpa", "K7QM 2XPA"])
def test_a_code_may_be_typed_as_people_type(hall: Any, typed: str) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, False)
    assert hall.issue("d-phone", "K7QM2XPA") is None
    assert hall.page(HERE, typed) != ()


@pytest.mark.req("N12")
def test_five_wrong_codes_close_it(hall: Any) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, False)
    hall.issue("d-phone")
    hall.page()  # without a code nothing was tried
    for number in range(MAX_WRONG):
        assert hall.page(HERE, f"WRONG-{number}") == ()
        hall.start()  # also over restarts
    assert hall.page(HERE, CODE) == ()


@pytest.mark.req("N12")
def test_a_code_ends_when_its_officer_said(hall: Any) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, False)
    hall.issue("d-phone", seconds=60)
    hall.tick(61)
    assert hall.page(HERE, CODE) == ()


@pytest.mark.parametrize(
    ("device_id", "seconds", "why"),
    [
        ("d-other", 60.0, "does not know this device"),
        ("d-phone", -1.0, "within seven days"),
        ("d-phone", 8 * 86400.0, "within seven days"),
    ],
)
def test_a_code_that_cannot_be_is_refused(hall: Any, device_id: str, seconds: float, why: str) -> None:
    hall.device("d-phone", PHONE)
    assert why in (hall.issue(device_id, seconds=seconds) or "")


def test_there_are_so_many_codes_and_no_more(hall: Any) -> None:
    for number in range(33):
        hall.device(f"d-{number}", f"02:00:5e:00:54:{number:02x}")
    answers = [hall.issue(f"d-{number}") for number in range(33)]
    assert answers[:32] == [None] * 32
    assert "Too many codes" in (answers[32] or "")
    hall.scope = None
    assert "No authority" in (hall.issue("d-0") or "")
