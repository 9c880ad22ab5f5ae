"""The way to the internet as it was entered, at the box or on the service."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.fitting import line
from firmware import layout
from firmware.household import Household, Wan, as_toml, load
from wire.enrolment import Uplink

pytestmark = pytest.mark.req("R5")

CABLE, STICK = Uplink(), Uplink(kind="modem")
DIALLED = Uplink(kind="pppoe", user="line-1@provider.example", password="made-up-word")


@pytest.fixture
def house(box: Any) -> Household:
    return load(box.places.at(layout.HOUSEHOLD_FILE))


def test_from_each_way_to_each_other(box: Any, house: Household) -> None:
    before = box.everything()["config/household.toml"]
    for uplink in (DIALLED, STICK, DIALLED, CABLE, STICK, CABLE):
        assert not line.is_so(box.places, house, uplink)
        house = line.wanted(box.places, house, uplink)
        assert line.is_so(box.places, house, uplink)
        assert line.wanted(box.places, house, uplink) is house
        assert house.wan.kind == uplink.kind
        assert {"dhcp": house.wan.interface, "pppoe": house.wan.port, "modem": "eth0"}[uplink.kind] == "eth0"
    assert box.everything()["config/household.toml"] == before, "who tries it puts it there"


@pytest.mark.req("R69")
def test_the_password_is_roots_alone_and_one_line(box: Any, house: Household) -> None:
    dialled = line.wanted(box.places, house, DIALLED)
    secret = box.places.at(dialled.wan.password_file)
    assert secret.read_text() == "made-up-word\n"
    assert secret.stat().st_mode & 0o777 == 0o600
    other = line.wanted(
        box.places, dialled, DIALLED.model_copy(update={"user": "line-2@provider.example", "password": None})
    )
    assert other.wan.password_file == dialled.wan.password_file, "where none is given, the same is meant"


@pytest.mark.req("R57", "R69")
def test_passwords_of_lines_that_are_no_more_are_destroyed(box: Any, house: Household) -> None:
    one = line.wanted(box.places, house, DIALLED)
    good = line.wanted(box.places, one, DIALLED.model_copy(update={"password": "another-word"}))
    never = line.wanted(box.places, one, DIALLED.model_copy(update={"password": "a-third-word"}))
    config = box.places.at(layout.CONFIG)
    left = config / ".uplink-00000000.secret.mine"
    left.write_text("made-up-word\n")
    by_hand = box.places.at(layout.UPLINK_SECRET_FILE)
    by_hand.write_text("an-engineers-word\n")
    box.places.at(layout.HOUSEHOLD_GOOD_FILE).write_text("no toml")
    line.tidy(box.places)
    assert left.exists(), "what cannot be read may name any"
    box.places.at(layout.HOUSEHOLD_FILE).write_text(as_toml(one))
    box.places.at(layout.HOUSEHOLD_GOOD_FILE).write_text(as_toml(good))
    line.tidy(box.places)
    kept = {by_hand, *(box.places.at(each.wan.password_file) for each in (one, good))}
    assert set(config.glob("*.secret*")) | {left} == kept | {left}
    assert not left.exists()
    assert not box.places.at(never.wan.password_file).exists()


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
