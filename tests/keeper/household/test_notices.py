"""Who is led to the notice: other addresses of one device, and a process that starts anew within the minute."""

from __future__ import annotations

import pytest

from appliance import messages as m
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.household.notices import Notices
from appliance.keeper.household.record import Record
from appliance.settings import NoticeSettings
from wire.base import Standing

START = 1_900_000_000.0
ONE, TWO = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
SETTINGS = NoticeSettings(operator="the Example Service", contact="01632 960000", complaints="Write to example.org.")


@pytest.fixture
def known(record: Record) -> Record:
    device = Device(
        device_id="d-phone",
        revision=1,
        standing=Standing.HOUSEHOLD,
        addresses=tuple(Address(mac=mac, first_seen=START, last_seen=START) for mac in (ONE, TWO)),
        first_seen=START,
        last_seen=START,
        reported_at=START,
    )
    with record.store.transaction():
        record.keep(device)
    return record


def led(notices: Notices, at: float) -> dict[str, float]:
    return {each.mac: each.seconds for each in notices.due(at).devices}


@pytest.mark.req("R57", "R59")
def test_a_second_address_of_a_device_has_what_is_left_of_its_minute(known: Record, scope: Scope) -> None:
    notices = Notices(known, SETTINGS)
    with known.store.transaction():
        notices.settle(scope, START)
        notices.seen(ONE, scope, START)
        notices.seen(TWO, scope, START + 50)
    assert led(notices, START + 50) == {ONE: 10.0, TWO: 10.0}
    notices = Notices(known, SETTINGS)
    with known.store.transaction():
        notices.settle(scope, START + 55)
        notices.seen(ONE, scope, START + 55)
    assert led(notices, START + 55) == {ONE: 5.0}
    with known.store.transaction():
        assert notices.read(known.registry.by_id("d-phone") or pytest.fail("gone"), START + 56)
    assert led(notices, START + 56) == {}
    row = notices.row("d-phone")
    assert row is not None
    assert (row.shown, row.read) == (START, START + 56)


@pytest.mark.req("R53")
def test_when_the_authority_ends_nobody_is_led_any_more(known: Record, scope: Scope) -> None:
    notices = Notices(known, SETTINGS)
    with known.store.transaction():
        notices.settle(scope, START)
        notices.seen(ONE, scope, START)
        notices.news = False
        notices.settle(None, START + 1)
    assert led(notices, START + 1) == {}
    assert notices.news
    assert notices.digest is None
    assert notices.due(START) == m.NoticeDue(devices=())
