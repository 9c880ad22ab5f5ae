from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.signs.agent import MAX_HOURS, Reported, compare, disagreements
from appliance.keeper.signs.spans import HOUR
from wire.findings import Grade

DAY0 = 20_000 * 24
SEEN = range(DAY0, DAY0 + 72)


def reported(*hours: float, skew: float = 0.0, first: float = DAY0, last: float = DAY0 + 72) -> Reported:
    spans = tuple((hour * HOUR + 600 + skew, hour * HOUR + 3000 + skew) for hour in hours)
    return Reported(device_id="d-1", source="Guard", covers_from=first * HOUR, covers_to=last * HOUR, spans=spans)


def used(*hours: int) -> dict[int, int]:
    return dict.fromkeys(hours, 50)


EVENINGS = [DAY0 + 24 * day + hour for day in range(3) for hour in (17, 18, 19, 21)]


@pytest.mark.req("N7")
def test_what_agrees_gives_no_sign() -> None:
    report = reported(*EVENINGS)
    found = compare(report, used(*EVENINGS), SEEN, floor=5, before=DAY0 + 80)
    assert found.both == tuple(EVENINGS)
    assert (found.network_only, found.agent_only, found.compared, found.shift) == ((), (), 72, 0)
    assert disagreements(report, found) == ()


@pytest.mark.req("N7", "S5")
def test_use_of_the_network_that_the_software_does_not_know_is_medium() -> None:
    report = reported(*EVENINGS[4:])
    found = compare(report, used(*EVENINGS), SEEN, floor=5, before=DAY0 + 80)
    (sign,) = disagreements(report, found)
    assert sign.grade is Grade.MEDIUM
    assert sign.subject == "network without Guard"
    assert "in 4 hours of 12" in sign.reasons[0]
    assert sign.count == 4
    assert any("power" in text for text in sign.alternatives)
    one = compare(reported(*EVENINGS[:3], *EVENINGS[4:]), used(*EVENINGS), SEEN, floor=5, before=DAY0 + 80)
    assert [sign.grade for sign in disagreements(report, one)] == [Grade.LOW]


@pytest.mark.req("N7", "D7")
def test_use_that_the_box_did_not_see_is_information() -> None:
    report = reported(*EVENINGS)
    found = compare(report, used(*EVENINGS[:8]), SEEN, floor=5, before=DAY0 + 80)
    (sign,) = disagreements(report, found)
    assert sign.grade is Grade.LOW
    assert sign.subject == "Guard without network"
    assert any("mobile data" in text for text in sign.alternatives)


@pytest.mark.req("N7")
def test_a_clock_that_is_off_by_minutes_is_tolerated() -> None:
    for skew in (-800.0, 800.0):
        found = compare(reported(*EVENINGS, skew=skew), used(*EVENINGS), SEEN, floor=5, before=DAY0 + 80)
        assert (found.network_only, found.agent_only) == ((), ())


@pytest.mark.req("N7")
def test_a_wrong_time_zone_is_found_and_said() -> None:
    report = reported(*EVENINGS[:-1], skew=-5 * HOUR)
    found = compare(report, used(*EVENINGS), SEEN, floor=5, before=DAY0 + 80)
    assert found.shift == 5
    (sign,) = disagreements(report, found)
    assert "Its times fit only when moved by 5 hours, so its clock looks wrong." in sign.reasons


@pytest.mark.req("N7", "N4")
def test_only_what_both_cover_is_compared() -> None:
    report = reported(*EVENINGS, first=DAY0 + 24.5, last=DAY0 + 47.5)
    found = compare(report, used(*EVENINGS), SEEN, floor=5, before=DAY0 + 80)
    assert found.compared == 22, "whole hours only"
    blind = compare(reported(), used(*EVENINGS), [], floor=5, before=DAY0 + 80)
    assert blind.compared == 0
    assert disagreements(reported(), blind) == ()
    early = compare(reported(), used(*EVENINGS), SEEN, floor=5, before=DAY0 + 18)
    assert early.network_only == (DAY0 + 17,), "the hour that is not over is not compared"


def test_what_programs_do_by_themselves_is_no_use() -> None:
    found = compare(reported(), dict.fromkeys(SEEN, 4), SEEN, floor=1, before=DAY0 + 80)
    assert found.network_only == ()
    above = compare(reported(), dict.fromkeys(SEEN, 20), SEEN, floor=30, before=DAY0 + 80)
    assert above.network_only == ()


@given(
    st.lists(st.tuples(st.floats(0, 7.2e9), st.floats(0, 7.2e9)), max_size=8),
    st.floats(0, 7.2e9),
    st.floats(0, 7.2e9),
    st.dictionaries(st.integers(DAY0, DAY0 + 80), st.integers(0, 2**53), max_size=80),
)
def test_any_report_is_compared_within_the_bound(
    spans: list[tuple[float, float]], start: float, end: float, use: dict[int, int]
) -> None:
    report = Reported(device_id="d-1", source="x" * 80, covers_from=start, covers_to=end, spans=tuple(spans))
    found = compare(report, use, SEEN, floor=1, before=DAY0 + 80)
    assert found.compared <= MAX_HOURS
    for sign in disagreements(report, found):
        assert sign.alternatives
        assert len(sign.subject) <= 300
        assert all(len(line) <= 300 for line in (*sign.reasons, *sign.alternatives))
