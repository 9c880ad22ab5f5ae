"""Counts of the kernel's sets: what is new since the last reading, put beside the device whose it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import MAX_TALKS, Talk, TalksCounted
from appliance.warden.talks import Talks

LAPTOP, PHONE = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
FAR = "203.0.113.9"


def element(octets: int, *parts: object) -> dict[str, Any]:
    """As nft 1.0.6 lists it."""
    return {"elem": {"val": {"concat": list(parts)}, "expires": 170, "counter": {"packets": 1, "bytes": octets}}}


def up(octets: int, mac: str = LAPTOP, own: str = "192.0.2.10", port: int = 443) -> dict[str, Any]:
    return element(octets, mac, own, FAR, "tcp", port)


def down(octets: int, own: str = "192.0.2.10", port: int = 443) -> dict[str, Any]:
    return element(octets, own, FAR, "tcp", port)


def told(counted: list[TalksCounted]) -> set[Talk]:
    return {talk for message in counted for talk in message.talks}


@pytest.mark.req("R11", "N10")
def test_what_was_exchanged_since_the_last_reading_is_told_both_ways() -> None:
    talks = Talks()
    assert talks.count({"talks_up4": [up(1000)], "talks_down4": [down(9000)]}, 1.0, 1.0) == []
    counted = talks.count({"talks_up4": [up(1500)], "talks_down4": [down(9900)]}, 61.0, 61.5)
    assert counted == [TalksCounted(ts=61.0, seconds=60.5, talks=(Talk(LAPTOP, FAR, 6, 443, 500, 900),))]
    assert talks.count({"talks_up4": [up(1500)], "talks_down4": [down(9900)]}, 121.0, 121.5) == []


def test_an_element_that_went_and_came_back_counts_from_nothing() -> None:
    talks = Talks()
    talks.count({"talks_up4": [up(1000)]}, 1.0, 1.0)
    assert told(talks.count({"talks_up4": [up(70)]}, 61.0, 61.0)) == {Talk(LAPTOP, FAR, 6, 443, 70, 0)}


def test_addresses_of_one_device_are_told_together_and_devices_apart() -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    sets = {
        "talks_up4": [up(1), up(2, own="192.0.2.77"), up(4, PHONE, "192.0.2.11")],
        "talks_up6": [element(8, LAPTOP, "2001:db8:1::a", "2001:db8::9", 17, 443)],
        "talks_down6": [element(16, "2001:db8:1::a", "2001:db8::9", "udp", 443)],
    }
    assert told(talks.count(sets, 61.0, 61.0)) == {
        Talk(LAPTOP, FAR, 6, 443, 3, 0),
        Talk(PHONE, FAR, 6, 443, 4, 0),
        Talk(LAPTOP, "2001:db8::9", 17, 443, 8, 16),
    }


def test_a_way_back_is_known_by_the_address_or_counted_as_nobodys() -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    sets = {"talks_up4": [up(1)], "talks_down4": [down(5, port=8443), down(7, own="192.0.2.99")]}
    assert told(talks.count(sets, 61.0, 61.0)) == {Talk(LAPTOP, FAR, 6, 443, 1, 0), Talk(LAPTOP, FAR, 6, 8443, 0, 5)}
    assert talks.unmatched == 1


def test_many_are_told_in_several_messages() -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    counted = talks.count({"talks_up4": [up(1, port=port) for port in range(1, MAX_TALKS + 2)]}, 61.0, 61.0)
    assert [len(message.talks) for message in counted] == [MAX_TALKS, 1]


def test_forgotten_readings_are_told_to_nobody() -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    talks.forget()
    assert talks.count({"talks_up4": [up(1000)]}, 61.0, 61.0) == []


_json = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["elem", "val", "concat"]), inner),
    max_leaves=8,
)


@given(st.lists(_json, max_size=5), st.lists(st.lists(_json, max_size=6), max_size=4))
def test_what_is_not_of_the_form_is_passed_over(odd: list[Any], parts: list[list[Any]]) -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    elements = [*odd, *(element(1, *part) for part in parts)]
    talks.count({"talks_up4": [*elements, up(3)], "talks_down4": elements}, 61.0, 61.0)
    assert Talk(LAPTOP, FAR, 6, 443, 3, 0) in told(talks.count({"talks_up4": [up(6)]}, 121.0, 121.0))
