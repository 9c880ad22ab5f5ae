from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.keeper.signs.spans import DAY, HOUR
from appliance.keeper.signs.tamper import (
    Loss,
    Place,
    Start,
    cable_moved,
    clock_changed,
    internet_lost,
    provider_changed,
    raised,
    started,
)
from wire.findings import FindingKind, Grade

AT = 1_900_000_000.0
HERE = Place(boot="b1", machine="m1", filesystem="f1", settings=(("the settings of the box", "s1"),))
AGAIN = Start(
    before=HERE, now=replace(HERE, boot="b2"), ordered=False, ran_until=AT - 3 * HOUR, at=AT, cuts=(), starts=7
)


def kinds(start: Start) -> list[tuple[FindingKind, Grade]]:
    return [(sign.kind, sign.grade) for sign in started(start)]


@pytest.mark.req("N15", "R19")
def test_causes_are_told_apart() -> None:
    assert kinds(AGAIN) == [(FindingKind.POWER_LOST, Grade.LOW)]
    assert kinds(replace(AGAIN, now=HERE)) == [], "the machine ran on"
    assert kinds(replace(AGAIN, ordered=True, ran_until=AT - 60)) == [], "a restart in order"
    assert kinds(replace(AGAIN, ordered=True)) == [(FindingKind.POWER_LOST, Grade.LOW)]
    assert kinds(replace(AGAIN, before=None, ran_until=0.0)) == [(FindingKind.BOX_RESET, Grade.LOW)]
    card = replace(AGAIN, now=replace(HERE, filesystem="f2"))
    assert kinds(card) == [(FindingKind.STORAGE_CHANGED, Grade.MEDIUM)]
    both = replace(AGAIN, now=replace(HERE, filesystem="f2", machine="m2"))
    assert kinds(both) == [(FindingKind.STORAGE_CHANGED, Grade.HIGH)]
    settings = replace(AGAIN, now=replace(HERE, settings=(("the settings of the box", "s2"),)))
    assert kinds(settings) == [(FindingKind.SETTINGS_CHANGED, Grade.LOW)]
    back = replace(AGAIN, now=HERE, at=AT - 4 * HOUR)
    assert kinds(back) == [(FindingKind.CLOCK_CHANGED, Grade.LOW)]


@pytest.mark.req("N15")
def test_power_says_how_long_and_how_often() -> None:
    (sign,) = started(AGAIN)
    assert sign.device_id is None
    assert sign.reasons[0] == "Looks like the box lost power for 3 hours: it stopped without being told to."
    (third,) = started(replace(AGAIN, cuts=(AT - DAY, AT - 2 * DAY)))
    assert third.grade is Grade.MEDIUM
    assert "3 times in a week" in third.reasons[-2]
    (old,) = started(replace(AGAIN, cuts=(AT - 9 * DAY, AT - 8 * DAY)))
    assert old.grade is Grade.LOW


@pytest.mark.req("N15")
def test_several_at_one_start_are_worth_more() -> None:
    found = kinds(replace(AGAIN, now=replace(HERE, boot="b2", settings=(("the settings of the box", "s2"),))))
    assert found == [(FindingKind.SETTINGS_CHANGED, Grade.MEDIUM), (FindingKind.POWER_LOST, Grade.MEDIUM)]


@pytest.mark.req("N15")
def test_what_could_not_be_read_says_nothing() -> None:
    blind = Place()
    assert kinds(replace(AGAIN, now=blind)) == []
    assert kinds(replace(AGAIN, before=blind)) == []
    assert kinds(replace(AGAIN, before=None)) == [], "a memory from before such things were kept"


@pytest.mark.req("R19", "N15")
def test_internet_loss_is_raised_within_ten_minutes_and_grows() -> None:
    assert internet_lost(Loss.LINK, since=AT, at=AT + 299, earlier=()) is None
    early = internet_lost(Loss.LINK, since=AT, at=AT + 300, earlier=())
    assert early is not None
    assert early.grade is Grade.LOW
    assert "cable to the provider has been out" in early.reasons[0]
    late = internet_lost(Loss.PROVIDER, since=AT, at=AT + HOUR, earlier=())
    assert late is not None
    assert late.grade is Grade.MEDIUM
    assert "the cable is in" in late.reasons[0]
    often = internet_lost(Loss.LINK, since=AT, at=AT + 300, earlier=(AT - 100, AT - 5000))
    assert often is not None
    assert often.grade is Grade.MEDIUM


@pytest.mark.req("R19")
def test_a_clock_set_after_a_start_is_low_and_later_medium() -> None:
    assert clock_changed(7200.0, at=AT, since_start=30.0).grade is Grade.LOW
    later = clock_changed(-7200.0, at=AT, since_start=3 * HOUR)
    assert later.grade is Grade.MEDIUM
    assert "moved back by 2 hours" in later.reasons[0]


@pytest.mark.req("N15", "R63")
def test_every_sign_is_worded_neutrally_with_an_innocent_cause() -> None:
    signs = [
        *started(AGAIN),
        *started(replace(AGAIN, ordered=True)),
        *started(replace(AGAIN, ran_until=0.0)),
        *started(replace(AGAIN, now=Place(boot="b2", machine="m2", filesystem="f2", settings=HERE.settings))),
        cable_moved("lan1", "lan2", since=AT, at=AT + 5),
        provider_changed(since=AT, at=AT + 700),
        clock_changed(-500.0, at=AT, since_start=0.0),
    ]
    assert len({(sign.kind, sign.subject) for sign in signs}) == 7
    for sign in signs:
        assert sign.device_id is None
        assert sign.reasons[0].startswith("Looks like")
        assert sign.alternatives
        assert all(len(line) <= 300 for line in (*sign.reasons, *sign.alternatives))
        text = " ".join((*sign.reasons, *sign.alternatives)).lower()
        assert ("rests on one signal only" in text) == (sign.signals == 1)
        assert not [word for word in ("breach", "tamper", "offender", "manipul") if word in text]


def test_a_grade_is_raised_and_never_lowered() -> None:
    (sign,) = started(AGAIN)
    assert raised(sign, Grade.MEDIUM).grade is Grade.MEDIUM
    assert raised(raised(sign, Grade.HIGH), Grade.LOW).grade is Grade.HIGH
