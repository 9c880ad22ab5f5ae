from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices.presence import (
    ASLEEP_SECONDS,
    BLIND_SECONDS,
    FLAPPING_JOINS,
    FLAPPING_SECONDS,
    LEASE_SECONDS,
    LEFT_SECONDS,
    MAX_SPANS,
    REJOIN_SECONDS,
    Change,
    Stay,
    Tracker,
    What,
)
from wire.models import PresenceState

PHONE, PLUG = "02:00:5e:10:01:01", "00:00:5e:00:53:07"
T0 = 1_000_000.0


def until(tracker: Tracker, start: float, end: float) -> list[Change]:
    """Ticks every half minute, as the keeper does more often; all changes on the way."""
    changes: list[Change] = []
    moment = start
    while moment <= end:
        changes += tracker.tick(moment)
        moment += 30.0
    return changes


def told(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.what.value, change.stay.state.value) for change in changes]


@pytest.mark.req("R13")
def test_a_stay_from_joining_to_leaving() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    assert told(tracker.joined(PHONE, T0)) == [("opened", "here")]
    assert tracker.heard(PHONE, T0 + 50) == []
    assert tracker.here(PHONE)
    assert tracker.left(PHONE, T0 + 60) == []
    assert not tracker.here(PHONE), "whoever compares addresses knows at once"
    (change,) = until(tracker, T0 + 60, T0 + 200)
    assert change.what is What.CLOSED
    assert change.stay.ended == T0 + 60
    assert change.stay.ended_because == "It left the Wi-Fi."
    assert tracker.stay(PHONE) is None
    assert tracker.spans(PHONE) == ((T0, T0 + 50),)
    assert tracker.left_at(PHONE) == T0 + 60
    tracker.joined(PHONE, T0 + 300)
    assert tracker.left_at(PHONE) is None


@pytest.mark.req("R13")
def test_changing_radio_is_no_leaving() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.joined(PHONE, T0)
    tracker.left(PHONE, T0 + 60)
    tracker.joined(PHONE, T0 + 60 + REJOIN_SECONDS / 2)
    assert until(tracker, T0 + 90, T0 + 300) == []
    stay = tracker.stay(PHONE)
    assert stay is not None
    assert stay.started == T0


@pytest.mark.req("R13")
def test_a_phone_that_dozes_all_night_with_its_association_up_is_asleep_and_has_not_left() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.joined(PHONE, T0)
    night = until(tracker, T0, T0 + 10 * 3600)
    assert told(night) == [("changed", "asleep")]
    assert night[0].stay.since == T0, "asleep since it was last heard"
    assert tracker.here(PHONE)
    (woke,) = tracker.heard(PHONE, T0 + 10 * 3600)
    assert woke.stay.state is PresenceState.HERE
    assert woke.stay.asleep_seconds == 10 * 3600


@pytest.mark.req("R13")
def test_the_kernel_asking_in_vain_does_not_end_a_phone_that_dozes() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.joined(PHONE, T0)
    tracker.unreachable(PHONE, T0 + 30)
    assert told(until(tracker, T0, T0 + 5 * 3600)) == [("changed", "asleep")]


@pytest.mark.req("R13")
def test_without_word_from_hostapd_a_quiet_device_sleeps_first_and_is_gone_after_hours() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.heard(PHONE, T0)
    changes = until(tracker, T0, T0 + LEFT_SECONDS + 60)
    assert told(changes) == [("changed", "asleep"), ("closed", "left")]
    gone = changes[-1].stay
    assert gone.ended == T0, "the last sign of life, not the moment it was noticed"
    assert gone.asleep_seconds == 0.0


@pytest.mark.req("R13")
def test_one_that_does_not_answer_is_gone_when_its_lease_would_have_been_renewed() -> None:
    tracker = Tracker(lease_seconds=LEASE_SECONDS)
    tracker.tick(T0)
    tracker.heard(PHONE, T0)
    tracker.unreachable(PHONE, T0 + 60)
    changes = until(tracker, T0, T0 + LEASE_SECONDS - 30)
    assert told(changes) == [("changed", "asleep")]
    assert told(until(tracker, T0 + LEASE_SECONDS, T0 + LEASE_SECONDS + 30)) == [("closed", "left")]


@pytest.mark.req("R13")
def test_a_late_word_of_being_unreachable_is_older_than_the_last_frame() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.heard(PHONE, T0)
    tracker.unreachable(PHONE, T0 - 5)
    assert told(until(tracker, T0, T0 + LEASE_SECONDS + 60)) == [("changed", "asleep")]


@pytest.mark.req("R13")
def test_what_never_sleeps_is_here_until_it_does_not_answer() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.heard(PLUG, T0)
    tracker.set_category(PLUG, "plug")
    assert until(tracker, T0, T0 + 3600) == []
    tracker.unreachable(PLUG, T0 + 3600)
    assert told(until(tracker, T0 + 3600, T0 + 3660)) == [("closed", "left")]


@pytest.mark.req("R13")
def test_one_that_comes_and_goes_flaps_and_calms_down() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    changes: list[Change] = []
    for number in range(FLAPPING_JOINS + 3):
        changes += tracker.joined(PHONE, T0 + 40 * number)
        changes += tracker.left(PHONE, T0 + 40 * number + 2)
        changes += tracker.tick(T0 + 40 * number + 35)
    assert "flapping" in [state for _, state in told(changes)]
    assert told(changes).count(("changed", "flapping")) == 1
    last = T0 + 40 * (FLAPPING_JOINS + 2)
    after = until(tracker, last + 30, last + FLAPPING_SECONDS + 60)
    assert told(after) == [("changed", "here"), ("closed", "left")]
    assert told(tracker.joined(PHONE, last + 2 * FLAPPING_SECONDS)) == [("opened", "here")]


@pytest.mark.req("R13")
def test_a_counter_that_rises_wakes_a_sleeper_as_of_the_reading_before() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.joined(PHONE, T0)
    until(tracker, T0, T0 + 900)
    assert tracker.moved(PHONE, T0 + 900, 500) == [], "the first reading compares with nothing"
    assert tracker.moved(PHONE, T0 + 1200, 500) == []
    (woke,) = tracker.moved(PHONE, T0 + 1500, 900)
    assert (woke.stay.state, woke.stay.last) == (PresenceState.HERE, T0 + 1200)
    assert until(tracker, T0 + 1500, T0 + 1500 + ASLEEP_SECONDS - 60) == []
    assert tracker.moved(PHONE, T0 + 1800, 3) == [], "the rules were loaded anew"


@pytest.mark.req("R17")
def test_a_counter_read_after_a_change_of_address_does_not_put_both_there_at_once() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.heard(PHONE, T0 + 10)
    tracker.moved(PHONE, T0 + 60, 100)
    tracker.heard(PHONE, T0 + 70)
    tracker.moved(PHONE, T0 + 360, 900)
    assert tracker.spans(PHONE) == ((T0 + 10, T0 + 70),)


@pytest.mark.req("R13")
def test_a_counter_of_an_unknown_address_opens_nothing() -> None:
    tracker = Tracker()
    assert tracker.moved(PHONE, T0, 1) == []
    assert tracker.left(PHONE, T0) == []
    assert tracker.unreachable(PHONE, T0) == []
    assert len(tracker) == 0
    assert tracker.spans(PHONE) == ()


@pytest.mark.req("R13")
@pytest.mark.parametrize("step", [86400.0, -86400.0, 2 * BLIND_SECONDS])
def test_a_step_of_the_clock_ends_nothing(step: float) -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.heard(PLUG, T0)
    tracker.set_category(PLUG, "plug")
    tracker.unreachable(PLUG, T0 + 1)
    assert tracker.tick(T0 + step) == []
    assert until(tracker, T0 + step, T0 + step + ASLEEP_SECONDS - 60) == []
    assert told(until(tracker, T0 + step + ASLEEP_SECONDS - 30, T0 + step + ASLEEP_SECONDS + 60)) == [
        ("closed", "left")
    ]


@pytest.mark.req("R13")
def test_stays_go_on_after_a_restart() -> None:
    before = Stay(mac=PHONE, started=T0, last=T0 + 100, state=PresenceState.ASLEEP, since=T0 + 100)
    ended = Stay(mac=PLUG, started=T0, last=T0, since=T0, state=PresenceState.LEFT, ended=T0)
    tracker = Tracker([before, ended])
    assert tracker.here(PHONE)
    assert not tracker.here(PLUG)
    later = T0 + 8 * 3600
    assert tracker.tick(later) == [], "nobody knows what happened meanwhile"
    (woke,) = tracker.heard(PHONE, later + 5)
    assert woke.what is What.CHANGED
    assert woke.stay.started == T0


@pytest.mark.req("R13")
def test_when_hostapd_is_gone_its_word_is_too() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    tracker.joined(PHONE, T0)
    tracker.associations_lost()
    assert told(until(tracker, T0, T0 + LEFT_SECONDS + 30))[-1] == ("closed", "left")


@pytest.mark.req("R13")
def test_a_full_table_makes_room_of_those_that_are_gone_and_else_counts() -> None:
    tracker = Tracker(limit=2)
    tracker.tick(T0)
    tracker.joined("a", T0)
    tracker.joined("b", T0)
    assert tracker.joined("c", T0) == []
    assert tracker.heard("c", T0) == []
    assert tracker.overflow == 2
    tracker.left("a", T0)
    until(tracker, T0, T0 + 60)
    assert told(tracker.joined("c", T0 + 60)) == [("opened", "here")]
    assert len(tracker) == 2
    assert tracker.spans("a") == ()
    tracker.forget("b")
    assert len(tracker) == 1


@pytest.mark.req("R13")
def test_only_the_latest_stays_are_remembered() -> None:
    tracker = Tracker()
    tracker.tick(T0)
    for number in range(MAX_SPANS + 5):
        start = T0 + 300 * number
        tracker.joined(PHONE, start)
        tracker.left(PHONE, start + 1)
        until(tracker, start, start + 299)
    assert len(tracker.spans(PHONE)) == MAX_SPANS


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["joined", "left", "heard", "unreachable", "moved", "tick"]),
        st.sampled_from("abcd"),
        st.floats(-900, 20000),
    ),
    max_size=60,
)


@pytest.mark.req("R13")
@given(EVENTS)
def test_any_order_of_events_keeps_the_book_straight(events: list[tuple[str, str, float]]) -> None:
    tracker = Tracker(limit=3)
    open_stays: dict[str, Stay] = {}
    now = T0
    for number, (event, mac, forward) in enumerate(events):
        now += forward
        if event == "tick":
            changes = tracker.tick(now)
        elif event == "moved":
            changes = tracker.moved(mac, now, number)
        else:
            changes = getattr(tracker, event)(mac, now)
        for change in changes:
            stay = change.stay
            assert (change.what is What.OPENED) == (stay.mac not in open_stays)
            assert stay.asleep_seconds >= 0
            if change.what is What.CLOSED:
                assert stay.ended is not None
                del open_stays[stay.mac]
            else:
                open_stays[stay.mac] = stay
        assert len(tracker) <= 3
    for mac in "abcd":
        assert (tracker.stay(mac) is not None) == (mac in open_stays)
