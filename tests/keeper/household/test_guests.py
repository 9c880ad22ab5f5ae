"""A visit that somebody said: beside the finding, never in its place."""

from __future__ import annotations

import pytest

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.household.guests import Guests
from appliance.keeper.household.record import Record
from appliance.keeper.now import Now
from appliance.keeper.store.household_side import MAX_CLAIMS
from appliance.messages import Visitor
from wire.base import Standing
from wire.findings import Finding, FindingKind

START = 1_900_000_000.0
PHONE = "02:00:5e:00:53:0b"
DAY = 86_400.0


def known(
    record: Record, device_id: str = "d-phone", mac: str = PHONE, standing: Standing = Standing.UNKNOWN
) -> Device:
    device = Device(
        device_id=device_id,
        revision=1,
        standing=standing,
        addresses=(Address(mac=mac, first_seen=START, last_seen=START),),
        first_seen=START,
        last_seen=START,
        reported_at=START,
    )
    with record.store.transaction():
        return record.keep(device)


def unregistered(record: Record, device: Device, scope: Scope) -> None:
    now = Now(scope=scope, ts=START, at=START)
    finding = findings.unregistered(device, clause="2", via=None, now=now, finding_id="f-unregistered")
    with record.store.transaction():
        record.raise_finding(finding, at=START)


def reasons(record: Record) -> tuple[str, ...]:
    stored = record.open_finding("d-phone", FindingKind.UNREGISTERED_DEVICE)
    assert stored is not None
    return stored.finding.reasons


@pytest.mark.req("N12", "R23")
@pytest.mark.parametrize("first", [True, False], ids=["finding-first", "claim-first"])
def test_what_was_said_stands_among_the_reasons_until_it_is_over(record: Record, scope: Scope, *, first: bool) -> None:
    guests = Guests(record)
    device = known(record)
    if first:
        unregistered(record, device, scope)
    with record.store.transaction():
        assert guests.say(device, Visitor.PHONE, START + DAY, START)
        guests.tick(START)
    if not first:
        unregistered(record, device, scope)
        with record.store.transaction():
            guests.tick(START + 6)
    assert reasons(record)[-1] == (
        "Somebody in the home says: a visitor's phone, until 18 March 2030 at 17:46 (UTC). This was not checked."
    )
    plain = reasons(record)[:-1]
    stored = record.open_finding("d-phone", FindingKind.UNREGISTERED_DEVICE)
    assert stored is not None
    assert stored.finding.state == "open", "a claim closes nothing"
    assert record.registry.by_id("d-phone") is device, "and gives no standing"
    with record.store.transaction():
        guests.tick(START + DAY)
    assert reasons(record) == plain
    assert record.store.household_side.claims() == []
    told = [row for row in record.store.outbox.waiting(without=(), most=100) if row.type == "gatehouse.finding.v1"]
    assert [Finding.model_validate_json(row.body).revision for row in told] == [1, 2, 3]


@pytest.mark.req("N12")
def test_one_a_device_the_last_counts_also_after_a_restart(record: Record, scope: Scope) -> None:
    device = known(record)
    unregistered(record, device, scope)
    guests = Guests(record)
    with record.store.transaction():
        guests.say(device, Visitor.PHONE, START + DAY, START)
        guests.tick(START)
        guests.say(device, Visitor.LAPTOP, START + 2 * DAY, START + 60)
    guests = Guests(record)
    with record.store.transaction():
        guests.tick(START + 61)
    said = [reason for reason in reasons(record) if reason.startswith("Somebody")]
    assert len(said) == 1
    assert "a visitor's laptop" in said[0]


@pytest.mark.req("N12")
def test_once_an_officer_has_decided_the_claim_is_over(record: Record) -> None:
    device = known(record)
    guests = Guests(record)
    with record.store.transaction():
        guests.say(device, Visitor.PHONE, START + DAY, START)
    device = known(record, standing=Standing.HOUSEHOLD)
    with record.store.transaction():
        guests.tick(START + 6)
        assert guests.of("d-phone") is None
        assert guests.say(device, Visitor.PHONE, START + DAY, START)
    assert guests.of("d-phone") is None


def test_beyond_the_bound_there_is_no_room(record: Record) -> None:
    guests = Guests(record)
    devices = [known(record, f"d-{number}", f"02:00:5e:00:55:{number:02x}") for number in range(MAX_CLAIMS + 1)]
    with record.store.transaction():
        answers = [guests.say(device, Visitor.OTHER, START + DAY, START) for device in devices]
    assert answers == [True] * MAX_CLAIMS + [False]
