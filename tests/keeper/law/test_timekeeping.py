from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.law.timekeeping import LATEST, MOST_AHEAD, WIDEST_SECONDS, Kept, Timekeeper, kept
from wire.ledger import ClockState

START = 1_900_000_000.0
YEARS = 10 * 365 * 86400.0


def vouched(*, boot: str = "ab12", monotonic: float = 100.0, took: float = 0.2) -> Timekeeper:
    clock = Timekeeper(boot=boot, monotonic=monotonic)
    assert clock.authenticate(START, asked=monotonic, monotonic=monotonic + took)
    return clock


@pytest.mark.req("R54", "N1")
@given(jumps=st.lists(st.tuples(st.floats(0, 30), st.floats(-2e9, 2e9)), min_size=1, max_size=40))
def test_a_moment_that_is_vouched_for_does_not_follow_the_wall(jumps: list[tuple[float, float]]) -> None:
    clock = vouched()
    monotonic, last = 100.2, 0.0
    for passed, jump in jumps:
        monotonic += passed
        moment = clock.read(wall=START + jump, monotonic=monotonic)
        assert moment == pytest.approx(START + 0.1 + (monotonic - 100.2), abs=1e-3)
        assert moment >= last
        last = moment
    assert clock.stamp().clock is ClockState.AUTHENTICATED
    assert not clock.anew


@pytest.mark.req("R54", "N1")
@given(
    steps=st.lists(
        st.tuples(st.floats(0, 3600), st.floats(-YEARS, YEARS), st.sampled_from(["", "restart", "boot", "answer"])),
        min_size=1,
        max_size=25,
    )
)
def test_no_jump_restart_or_boot_brings_a_moment_before_the_last_signed_one(
    steps: list[tuple[float, float, str]],
) -> None:
    """Real time runs on; the wall clock jumps as it likes. An authority that ended at a signed time stays ended."""
    true, monotonic, boot = START, 50.0, 0
    clock = Timekeeper(boot=f"b{boot}", monotonic=monotonic)
    signed = 0.0
    for passed, jump, what in steps:
        true, monotonic = true + passed, monotonic + passed
        if what == "boot":
            boot, monotonic = boot + 1, 1.0
        if what in {"restart", "boot"} or clock.anew:
            clock = Timekeeper(boot=f"b{boot}", monotonic=monotonic, stored=kept(clock.keep().text()))
        if what == "answer":
            assert clock.authenticate(true, asked=monotonic, monotonic=monotonic)
            signed = true
        moment = clock.read(wall=true + jump, monotonic=monotonic)
        assert moment >= signed - 1e-3
        if clock.authenticated:
            assert abs(moment - true) <= (clock.error(monotonic) or 0.0) + 1e-3
        assert clock.keep().floor <= true + 1e-3, "an unsigned wall clock never raises the floor"


@pytest.mark.req("R54")
def test_a_restart_in_the_same_run_stays_vouched_for_and_a_boot_does_not() -> None:
    clock = vouched()
    clock.read(wall=0.0, monotonic=200.2)
    text = clock.keep().text()
    again = Timekeeper(boot="ab12", monotonic=260.2, stored=kept(text))
    assert again.authenticated
    assert again.read(wall=0.0, monotonic=260.2) == pytest.approx(START + 0.1 + 160)
    later = Timekeeper(boot="cd34", monotonic=3.0, stored=kept(text))
    assert not later.authenticated
    assert later.read(wall=0.0, monotonic=4.0) == pytest.approx(START + 0.1 + 100 + 1)
    assert (later.stamp().clock, later.stamp().error_ms) == (ClockState.FREE, None)


@pytest.mark.req("R54")
def test_an_unsigned_wall_clock_counts_only_as_far_as_it_may_be_right() -> None:
    stored = Kept(floor=START, boot="ab12", monotonic=5.0)
    for ahead, believed in ((3600.0, True), (MOST_AHEAD + 60, False), (float("inf"), False), (float("nan"), False)):
        clock = Timekeeper(boot="cd34", monotonic=1.0, stored=stored)
        assert clock.read(wall=START + ahead, monotonic=1.0) == (START + ahead if believed else START)
        assert clock.keep().floor == START


@pytest.mark.req("R54")
def test_ten_years_ahead_at_a_first_start_are_over_with_the_first_answer() -> None:
    clock = Timekeeper(boot="ab12", monotonic=1.0)
    assert clock.read(wall=START + YEARS, monotonic=1.0) == START + YEARS
    assert clock.authenticate(START, asked=2.0, monotonic=2.5)
    assert clock.read(wall=START + YEARS, monotonic=3.0) == pytest.approx(START + 0.75)
    assert clock.anew, "due times of before must not be kept"
    again = Timekeeper(boot="ab12", monotonic=4.0, stored=kept(clock.keep().text()))
    assert again.read(wall=START + YEARS, monotonic=4.0) == pytest.approx(START + 1.75)
    assert not again.anew


@pytest.mark.req("R54")
def test_a_signed_time_that_may_be_old_only_lifts_the_floor() -> None:
    clock = Timekeeper(boot="ab12", monotonic=0.0)
    clock.learn(START + 500, monotonic=1.0)
    assert clock.read(wall=0.0, monotonic=2.0) == START + 501
    clock.learn(START, monotonic=3.0)
    assert clock.read(wall=0.0, monotonic=3.0) == START + 502
    assert not clock.authenticated


@pytest.mark.req("R54")
def test_an_answer_bounds_its_error_by_half_of_the_time_it_took() -> None:
    clock = vouched(took=4.0)
    assert clock.error(104.0) == pytest.approx(2.0)
    assert clock.error(104.0 + 10_000) == pytest.approx(3.0), "and a quartz drifts by 100 ppm"
    assert clock.authenticate(START + 20_000, asked=20_100.0, monotonic=20_104.0)
    assert clock.error(20_104.0) == pytest.approx(2.0)
    slow = Timekeeper(boot="ab12", monotonic=0.0)
    assert not slow.authenticate(START, asked=0.0, monotonic=WIDEST_SECONDS + 1)
    assert not slow.authenticate(START, asked=5.0, monotonic=4.0)
    assert not slow.authenticated


@pytest.mark.req("R54", "N1")
def test_a_month_without_an_answer_widens_what_the_time_may_be() -> None:
    clock = vouched(took=0.2)
    month = 30 * 86400.0
    moment = clock.read(wall=0.0, monotonic=100.2 + month)
    earliest, latest = clock.span()
    assert moment - earliest == pytest.approx(259.3, abs=0.1)
    assert latest - moment == pytest.approx(259.3, abs=0.1)
    free = Timekeeper(boot="cd34", monotonic=1.0)
    moment = free.read(wall=START, monotonic=1.0)
    assert moment == START
    assert free.span() == (moment, moment)


@pytest.mark.req("R54")
def test_an_answer_before_the_floor_does_not_bring_time_back() -> None:
    clock = Timekeeper(boot="ab12", monotonic=0.0)
    clock.learn(START + 100, monotonic=0.0)
    assert clock.authenticate(START, asked=0.0, monotonic=0.0)
    assert clock.read(wall=0.0, monotonic=1.0) == START + 101
    assert clock.error(1.0) == pytest.approx(100, abs=1.0), "and the error says so"


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"floor": -1, "boot": "a", "monotonic": 0}', '{"floor": "x"}'])
def test_what_was_not_stored_by_us_says_nothing(text: str | None) -> None:
    assert kept(text) is None


@given(steps=st.lists(st.tuples(st.floats(0, 5), st.floats(-1e8, 1e8)), min_size=1, max_size=30))
def test_a_scripts_clock_never_runs_backwards_and_never_stands(steps: list[tuple[float, float]]) -> None:
    clock = Timekeeper(boot=None, monotonic=7.0, floor=START)
    monotonic, last = 7.0, START
    for passed, jump in steps:
        monotonic += passed
        moment = clock.read(wall=START + jump, monotonic=monotonic)
        assert moment >= START + jump
        assert moment >= last + passed - 1e-6
        last = moment
    assert clock.read(wall=1e12, monotonic=monotonic) == LATEST
