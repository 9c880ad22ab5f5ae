from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.signs.baseline import Baseline, baseline
from appliance.keeper.signs.unseen import MAX_OTHERS, Declared, DeclaredDay, Other, takes_turns, unseen_use
from wire.findings import FindingKind, Grade

WEEK = 7 * 24
TODAY = 8 * 7
EVENING = range(16, 23)


def rhythm() -> Baseline:
    found = baseline({hour: 50 for hour in range(6 * WEEK) if hour % 24 in EVENING}, range(6 * WEEK), until=6 * WEEK)
    assert isinstance(found, Baseline)
    return found


def one(day: int, *, joined: int = 24, used: int = 0, use: int = 0, pushes: int = 0, chatter: int = 0) -> DeclaredDay:
    hours = tuple(range(day * 24, day * 24 + 24))
    return DeclaredDay(
        day=day, hours=hours, joined_hours=joined, used_hours=used, use=use, pushes=pushes, chatter=chatter
    )


def declared(*days: DeclaredDay, used: frozenset[int] = frozenset(), known: bool = True) -> Declared:
    return Declared(
        device_id="d-1",
        baseline=rhythm() if known else None,
        days=days,
        used=used,
        seen=frozenset(range(6 * WEEK, TODAY * 24)),
    )


USED = declared(*(one(day, used=6, use=300, pushes=20, chatter=40) for day in range(TODAY - 7, TODAY)))
IDLE = tuple(one(day, use=3, pushes=0, chatter=3) for day in range(TODAY - 7, TODAY))
PUSHED = tuple(one(day, pushes=30, chatter=50) for day in range(TODAY - 7, TODAY))
EVENINGS = frozenset(hour for hour in range(6 * WEEK, TODAY * 24) if hour % 24 in EVENING)
STRANGER = Other(device_id="d-9", active=EVENINGS, by_presence=False)


def test_a_phone_that_is_used_gives_no_sign() -> None:
    assert unseen_use(replace(USED, used=EVENINGS), [STRANGER], today=TODAY) is None


@pytest.mark.req("N6", "S5")
def test_one_signal_is_low_and_says_so() -> None:
    sign = unseen_use(declared(*IDLE), [], today=TODAY)
    assert sign is not None
    assert sign.kind is FindingKind.UNSEEN_USE
    assert (sign.grade, sign.signals) == (Grade.LOW, 1)
    assert sign.reasons[0].startswith("Looks like another device may be used")
    assert sign.reasons[-1] == "This rests on one signal only."


@pytest.mark.req("N6")
def test_two_signals_are_medium_and_three_high_at_most() -> None:
    two = unseen_use(declared(*PUSHED), [], today=TODAY)
    assert two is not None
    assert (two.grade, two.signals) == (Grade.MEDIUM, 2)
    three = unseen_use(declared(*PUSHED), [STRANGER], today=TODAY)
    assert three is not None
    assert (three.grade, three.signals) == (Grade.HIGH, 3)
    assert len(three.alternatives) == 4, "each signal brings what else could explain it"
    assert three.confidence < 0.8


@pytest.mark.req("N6")
def test_push_without_browsing_needs_no_baseline() -> None:
    sign = unseen_use(declared(*PUSHED, known=False), [STRANGER], today=TODAY)
    assert sign is not None
    assert (sign.grade, sign.signals) == (Grade.LOW, 1)
    assert unseen_use(declared(*PUSHED[:4], known=False), [], today=TODAY) is None
    assert unseen_use(declared(*IDLE, known=False), [], today=TODAY) is None


@pytest.mark.req("N6", "N5")
def test_a_phone_that_was_not_at_home_is_not_idle() -> None:
    gone = tuple(replace(day, joined_hours=2) for day in IDLE)
    assert unseen_use(declared(*gone), [], today=TODAY) is None


@pytest.mark.req("N6")
def test_two_people_up_at_the_same_hours_do_not_take_turns() -> None:
    usual = rhythm().rate
    assert not takes_turns(usual, EVENINGS, EVENINGS)
    assert takes_turns(usual, frozenset(), EVENINGS)
    nights = frozenset(hour for hour in range(6 * WEEK, TODAY * 24) if hour % 24 in {1, 2, 3})
    assert not takes_turns(usual, frozenset(), nights), "nobody would expect the declared device then"
    few = frozenset(sorted(EVENINGS)[:14])
    assert not takes_turns(usual, frozenset(), few)


@pytest.mark.req("N6")
def test_where_only_presence_may_be_kept_it_says_there_not_used() -> None:
    sign = unseen_use(declared(*IDLE), [replace(STRANGER, by_presence=True)], today=TODAY)
    assert sign is not None
    assert any("was there mostly when" in reason for reason in sign.reasons)


@pytest.mark.req("N6")
def test_only_the_most_active_others_are_looked_at() -> None:
    crowd = [
        Other(device_id=f"d-{number}", active=frozenset(range(6 * WEEK, TODAY * 24)), by_presence=True)
        for number in range(100, 100 + MAX_OTHERS)
    ]
    sign = unseen_use(declared(*IDLE), [*crowd, STRANGER], today=TODAY)
    assert sign is not None
    assert sign.signals == 1, "a device that is always there takes no turns, and the bound holds"


@given(
    st.lists(
        st.builds(
            one,
            st.integers(TODAY - 10, TODAY + 1),
            joined=st.integers(0, 24),
            used=st.integers(0, 24),
            use=st.integers(0, 500),
            pushes=st.integers(0, 50),
            chatter=st.integers(0, 100),
        ),
        max_size=12,
    ),
    st.sets(st.integers(6 * WEEK, TODAY * 24), max_size=200),
    st.booleans(),
)
def test_every_sign_names_innocent_explanations(days: list[DeclaredDay], active: set[int], known: bool) -> None:
    other = Other(device_id="d-9", active=frozenset(active), by_presence=True)
    sign = unseen_use(declared(*days, known=known), [other], today=TODAY)
    if sign is not None:
        assert len(sign.alternatives) == sign.signals + 1
        assert all(len(line) <= 300 for line in (*sign.reasons, *sign.alternatives))
