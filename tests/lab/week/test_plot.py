"""The week is the story that was asked for, and one seed tells one week."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest

from appliance.messages import StationChanged
from lab.personas import made_up
from lab.week import cast
from lab.week.plot import DAY, Stay, Week
from lab.week.speech import ROUTER_MAC, Spoken


@pytest.fixture(scope="module")
def week() -> Week:
    return Week(cast.load())


def stays(week: Week, name: str) -> list[Stay]:
    return [stay for stay in week.stays if stay.member.name == name]


@pytest.mark.req("R17")
def test_one_phone_takes_a_new_address_every_night(week: Week) -> None:
    own = stays(week, "main-phone")
    assert len({stay.mac for stay in own}) == week.cast.days + 1
    nights = [(one, two) for one, two in itertools.pairwise(own) if one.mac != two.mac]
    assert len(nights) == week.cast.days
    for one, two in nights:
        assert 0 < two.began - one.ended < 10
        assert 3 <= (two.began - week.starts) % DAY / 3600 < 3.5


@pytest.mark.req("R47")
def test_the_look_alikes_are_alike_and_take_turns_until_the_day_both_are_there(week: Week) -> None:
    one, two = stays(week, "twin-a"), stays(week, "twin-b")
    mine, theirs = one[0].member.spoken_by(), two[0].member.spoken_by()
    assert mine == theirs
    assert len({stay.mac for stay in one}) == 1
    assert len({stay.mac for stay in two}) == 3
    assert not {stay.mac for stay in one} & {stay.mac for stay in two}
    together = {
        int((max(a.began, b.began) - week.starts) // DAY)
        for a in one
        for b in two
        if max(a.began, b.began) < min(a.ended, b.ended)
    }
    assert together == {4}
    gaps = [min(abs(b.began - a.ended) for a in one) for b in two]
    assert max(gaps) < 180, "it comes as the other goes"


def test_a_visitor_comes_back_after_its_passphrase_has_ended(week: Week) -> None:
    visits = stays(week, "guest-pixel")
    ends = week.starts + (visits[0].member.key_until_day or 0) * DAY
    assert [stay.began < ends for stay in visits] == [True, True, False]
    assert len({stay.mac for stay in visits}) == 1


def test_addresses_are_nobodys_and_each_is_one_devices(week: Week) -> None:
    owners = defaultdict(set)
    for stay in week.stays:
        assert made_up(stay.mac)
        owners[stay.mac].add(stay.member.name)
    assert all(len(names) == 1 for names in owners.values())
    assert len({stay.ip4 for stay in week.stays}) == len(owners)
    assert ROUTER_MAC not in owners
    assert len(set(week.truth.values())) >= 12


def test_everything_is_in_order_and_no_frame_is_of_an_absent_device(week: Week) -> None:
    happenings = list(week.happenings())
    moments = [happening.ts for happening in happenings]
    assert moments == sorted(moments)
    assert week.starts <= moments[0]
    assert moments[-1] < week.ends
    frames = [happening for happening in happenings if isinstance(happening, Spoken)]
    assert len(frames) > 5000
    spans = defaultdict(list)
    for stay in week.stays:
        spans[stay.mac].append((stay.began, stay.ended))
    for frame in frames:
        mac = frame.data[6:12].hex(":")
        if mac != ROUTER_MAC:
            assert any(began <= frame.ts <= ended for began, ended in spans[mac])


def test_one_seed_tells_one_week_and_another_another() -> None:
    told = [list(Week(cast.load(), seed=seed).happenings()) for seed in (1, 1, 2)]
    assert told[0] == told[1]
    assert told[0] != told[2]


@pytest.mark.req("N9")
@pytest.mark.parametrize("known", [True, False])
def test_passphrases_are_told_or_not(known: bool) -> None:
    week = Week(cast.load(), passphrases=known)
    joined = [event for event in week.happenings() if isinstance(event, StationChanged) and event.joined]
    assert {event.key_id is not None for event in joined} == {known}
    wired = {stay.mac for stay in week.stays if stay.member.wired}
    assert wired
    assert not wired & {event.mac for event in joined}
