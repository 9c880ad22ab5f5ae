from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.fitting.uplink import UPSTREAM_WIFI, WORDS, Desk, judge, near, upstream_wifi
from appliance.fresh import Problem, Seen, Stage

WELL = Seen(port=True, cable=True, address=True, same_network=False, gateway=True, names=True, time=True)


@pytest.mark.req("R9")
@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"port": False}, Problem.NO_PORT),
        ({"cable": False}, Problem.NO_CABLE),
        ({"address": False}, Problem.NO_ADDRESS),
        ({"same_network": True}, Problem.SAME_NETWORK),
        ({"gateway": False}, Problem.NO_GATEWAY),
        ({"names": False}, Problem.NO_NAMES),
        ({"time": False}, Problem.NO_TIME),
        ({}, None),
        ({"cable": False, "address": False, "names": False}, Problem.NO_CABLE),
        ({"gateway": None, "names": False}, Problem.NO_NAMES),
    ],
)
def test_the_nearest_problem_is_told(changed: dict[str, bool | None], problem: Problem | None) -> None:
    seen = WELL.model_copy(update=changed)
    assert judge(seen) is problem
    assert judge(seen, Desk.UNREACHABLE, enrolled=True) is problem


@pytest.mark.parametrize(
    ("desk", "problem"),
    [
        (Desk.UNREACHABLE, Problem.NO_DESK),
        (Desk.UNTRUSTED, Problem.UNTRUSTED),
        (Desk.REFUSED, Problem.NOT_KNOWN),
        (Desk.BUSY, Problem.BUSY),
        (Desk.BAD_ANSWER, Problem.BAD_ANSWER),
        (Desk.WAITING, None),
        (Desk.ANSWERED, None),
    ],
)
def test_what_the_desk_said_is_told(desk: Desk, problem: Problem | None) -> None:
    assert judge(WELL, desk) is problem
    assert judge(WELL, desk, enrolled=True) is None


def test_what_answers_shows_that_all_before_it_works() -> None:
    lame = WELL.model_copy(update={"names": False, "gateway": False})
    assert judge(lame, Desk.WAITING) is None
    assert judge(lame, Desk.REFUSED) is Problem.NOT_KNOWN
    assert judge(lame, Desk.UNREACHABLE) is Problem.NO_GATEWAY
    assert judge(WELL.model_copy(update={"time": False}), Desk.UNTRUSTED) is Problem.NO_TIME


@pytest.mark.req("R9")
def test_every_problem_has_its_words_and_a_fix_that_needs_no_command() -> None:
    assert set(WORDS) == set(Problem)
    for words in (*WORDS.values(), UPSTREAM_WIFI):
        assert words.wrong.endswith(".")
        assert words.fix
        text = " ".join((words.wrong, *words.fix))
        for term in ("DHCP", "DNS", "TLS", "NTP", "ARP", "gateway", "IP ", "certificate", "interface"):
            assert term not in text
    assert "enrolled" in get_args(Stage)


@pytest.mark.req("R8")
@pytest.mark.parametrize(
    ("bssid", "router", "is_near"),
    [
        ("00:00:5e:00:53:10", "00:00:5e:00:53:12", True),
        ("02:00:5e:00:53:10", "00:00:5e:00:53:ff", True),
        ("00:00:5e:11:22:10", "00:00:5e:00:53:12", True),
        ("00:00:5e:11:22:40", "00:00:5e:00:53:12", False),
        ("00:00:5f:00:53:10", "00:00:5e:00:53:12", False),
        ("not an address", "00:00:5e:00:53:12", False),
        ("00:00:5e:00:53:1", "00:00:5e:00:53:12", False),
    ],
)
def test_a_wifi_of_the_router_before_is_told_by_its_address(bssid: str, router: str, *, is_near: bool) -> None:
    assert near(bssid, router) is is_near
    assert upstream_wifi(["00:aa:bb:cc:dd:ee", bssid], router) is is_near
    assert upstream_wifi([bssid], router, own=[bssid.upper()]) is False


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_texts_are_near_or_not(one: str, other: str) -> None:
    assert near(one, other) in {True, False}
