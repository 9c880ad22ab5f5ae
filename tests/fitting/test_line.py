"""The way to the internet as it was entered, at the box or on the service."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.fitting import line
from firmware import layout
from firmware.household import Household, Wan, load
from wire.enrolment import Uplink

pytestmark = pytest.mark.req("R5")

CABLE, STICK = Uplink(), Uplink(kind="modem")
DIALLED = Uplink(kind="pppoe", user="line-1@provider.example", password="made-up-word")


@pytest.fixture
def house(box: Any) -> Household:
    return load(box.places.at(layout.HOUSEHOLD_FILE))


def test_from_each_way_to_each_other(box: Any, house: Household) -> None:
    for uplink in (DIALLED, STICK, DIALLED, CABLE, STICK, CABLE):
        house = line.put(box.places, house, uplink)
        assert load(box.places.at(layout.HOUSEHOLD_FILE)) == house
        assert house.wan.kind == uplink.kind
        assert {"dhcp": house.wan.interface, "pppoe": house.wan.port, "modem": "eth0"}[uplink.kind] == "eth0"


def test_the_password_is_roots_alone_and_one_line(box: Any, house: Household) -> None:
    line.put(box.places, house, CABLE)
    secret = box.places.at(layout.UPLINK_SECRET_FILE)
    assert not secret.exists()
    line.put(box.places, house, DIALLED)
    assert secret.read_text() == "made-up-word\n"
    assert secret.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("here", "said", "works", "counts"),
    [
        ("dhcp", CABLE, True, True),
        ("dhcp", DIALLED, True, True),
        ("pppoe", CABLE, False, False),
        ("pppoe", CABLE, True, False),
        ("pppoe", DIALLED, False, True),
        ("pppoe", DIALLED, True, False),
    ],
)
def test_what_works_here_counts_and_what_was_entered_here_counts_over_nothing(
    house: Household, here: str, said: Uplink, *, works: bool, counts: bool
) -> None:
    dialled = Wan(interface="ppp0", kind="pppoe", port="eth0", user="line-2@provider.example")
    there = house if here == "dhcp" else house.model_copy(update={"wan": dialled})
    assert line.counts(there, said, works=works) is counts
