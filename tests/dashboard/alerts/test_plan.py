from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.alerts.plan import (
    ACT_NOW,
    TODAY,
    UNANSWERED,
    Alert,
    House,
    News,
    Person,
    Rules,
    messages,
    plan,
    quiet_until,
)

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 1, 14, 21, 4, tzinfo=LONDON).timestamp()
RULES = Rules(escalate_seconds=600.0, repeat_seconds=3600.0, zone=LONDON)


def news(**values: Any) -> News:
    fields: dict[str, Any] = {"site": "site-1", "key": "tunnel", "rank": ACT_NOW, "upto": NOW - 5}
    return News(**fields | values)


def look(house: House, *items: News, latest: Any = (), open_: Any = (), now: float = NOW) -> Any:
    return plan(items, {(one.site, one.key): one for one in latest}, list(open_), house, RULES, now=now)


def names(made: Any) -> list[str]:
    return [item.account_id for item in made.deliveries]


@pytest.mark.req("R38", "R27")
def test_who_is_in_charge_and_who_is_on_duty_are_told_at_once(make_house: Callable[..., House]) -> None:
    house = make_house("ann", "dan", "sup-1", in_charge={"site-1": ("ann",)}, on_duty=("dan",))
    made = look(house, news())
    assert names(made) == ["ann", "dan"]
    assert all(item.urgent and item.due_at == NOW for item in made.deliveries)
    (alert,) = made.opened
    assert (alert.step, alert.alone, alert.told) == (0, False, {"ann", "dan"})


@pytest.mark.req("R38")
def test_unanswered_goes_to_the_next_of_the_rota_and_then_to_supervisors(make_house: Callable[..., House]) -> None:
    house = make_house("ann", "nik", "sup-1", "sup-2", in_charge={"site-1": ("ann",)}, next_on_duty=("ann", "nik"))
    (alert,) = look(house, news()).opened
    assert look(house, open_=[alert], now=NOW + 599).deliveries == ()
    second = look(house, open_=[alert], now=NOW + 600)
    assert names(second) == ["nik"]
    assert second.deliveries[0].text == UNANSWERED
    third = look(house, open_=second.changed, now=NOW + 1200)
    assert names(third) == ["sup-1", "sup-2"]
    assert look(house, open_=third.changed, now=NOW + 9000).deliveries == ()


@pytest.mark.req("R39")
def test_who_stands_in_is_told_instead_of_who_is_away(make_house: Callable[..., House]) -> None:
    house = make_house("ann", "bob", in_charge={"site-1": ("ann",)}, stand_ins={"ann": ("bob",)})
    assert names(look(house, news())) == ["bob"]
    bare = replace(house, people={**house.people, "bob": Person(account_id="bob", channels=())})
    assert names(look(bare, news())) == ["ann"], "nobody is lost because a deputy has no address"


@pytest.mark.req("R38")
def test_a_hole_in_the_rota_is_passed_over(make_house: Callable[..., House]) -> None:
    assert names(look(make_house("sup-1"), news())) == ["sup-1"]


@pytest.mark.req("R38")
def test_where_nobody_can_be_told_that_is_said_and_tried_again(make_house: Callable[..., House]) -> None:
    (alert,) = look(make_house(), news()).opened
    assert alert.alone
    later = look(make_house("sup-1"), open_=[alert], now=NOW + 5)
    assert names(later) == ["sup-1"]
    assert not later.changed[0].alone


@pytest.mark.req("R26", "R27")
def test_repeats_join_the_alert_and_what_became_worse_does_not(make_house: Callable[..., House]) -> None:
    house = make_house("ann", in_charge={"site-1": ("ann",)})
    (alert,) = look(house, news()).opened
    again = look(house, news(upto=NOW + 30), latest=[alert], open_=[alert], now=NOW + 31)
    assert again.deliveries == ()
    assert again.changed[0].upto == NOW + 30
    answered = replace(alert, acknowledged_at=NOW + 60)
    assert look(house, news(upto=NOW + 90), latest=[answered], now=NOW + 91).deliveries == ()
    assert names(look(house, news(upto=NOW + 90000), latest=[answered], now=NOW + 90001)) == ["ann"]
    milder = replace(alert, rank=TODAY)
    assert names(look(house, news(upto=NOW + 30), latest=[milder], now=NOW + 31)) == ["ann"]
    over = replace(answered, closed_at=NOW + 70)
    assert names(look(house, news(upto=NOW + 90), latest=[over], now=NOW + 91)) == ["ann"]


@pytest.mark.req("R27")
def test_what_can_wait_tells_only_who_asked_for_it_and_after_quiet_hours(make_house: Callable[..., House]) -> None:
    house = make_house("ann", "bob", in_charge={"site-1": ("ann", "bob")}, on_duty=("bob",))
    eager = replace(house.people["ann"], also_today=True, quiet_from=20 * 60, quiet_to=7 * 60)
    made = look(replace(house, people={**house.people, "ann": eager}), news(rank=TODAY))
    assert names(made) == ["ann"]
    assert not made.deliveries[0].urgent
    assert made.deliveries[0].due_at == datetime(2026, 1, 15, 7, tzinfo=LONDON).timestamp()


@pytest.mark.req("R27")
def test_of_one_cause_what_can_wait_is_not_told_again_within_the_hour(make_house: Callable[..., House]) -> None:
    house = make_house("ann", in_charge={"site-1": ("ann",)})
    house = replace(house, people={"ann": replace(house.people["ann"], also_today=True)})
    (alert,) = look(house, news(rank=TODAY)).opened
    over = replace(alert, closed_at=NOW + 60)
    assert look(house, news(rank=TODAY, upto=NOW + 90), latest=[over], now=NOW + 91).deliveries == ()
    assert names(look(house, news(rank=TODAY, upto=NOW + 3600), latest=[over], now=NOW + 3601)) == ["ann"]


def test_quiet_hours_end_by_the_wall_clock() -> None:
    person = Person(account_id="a", channels=(), quiet_from=22 * 60, quiet_to=7 * 60)
    before = datetime(2026, 3, 28, 23, tzinfo=LONDON).timestamp()
    assert quiet_until(person, before, LONDON) == datetime(2026, 3, 29, 7, tzinfo=LONDON).timestamp()
    assert quiet_until(person, before + 15 * 3600, LONDON) == before + 15 * 3600
    assert quiet_until(replace(person, quiet_to=22 * 60), before, LONDON) == before, "from ten to ten is no time"


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-29T00:30:00+00:00", "2026-03-29T06:00:00+00:00"),  # seven by the clock, an hour sooner
        ("2026-03-29T06:00:00+00:00", None),
        ("2026-10-24T23:30:00+00:00", "2026-10-25T07:00:00+00:00"),  # an hour later
        ("2026-10-25T06:59:00+00:00", "2026-10-25T07:00:00+00:00"),
        ("2026-07-01T21:30:00+00:00", "2026-07-02T06:00:00+00:00"),  # half past ten in summer
        ("2026-07-01T20:30:00+00:00", None),
        ("2026-12-01T21:30:00+00:00", None),  # half past nine in winter
    ],
)
@pytest.mark.req("R27")
def test_quiet_hours_keep_to_the_clock_on_the_wall_when_summer_time_begins_and_ends(at: str, until: str | None) -> None:
    person = Person(account_id="a", channels=(), quiet_from=22 * 60, quiet_to=7 * 60)
    now = datetime.fromisoformat(at).timestamp()
    assert quiet_until(person, now, LONDON) == (now if until is None else datetime.fromisoformat(until).timestamp())


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-10-25T00:10:00+00:00", "2026-10-25T00:30:00+00:00"),  # the first ten past one
        ("2026-10-25T00:40:00+00:00", None),
        ("2026-10-25T01:10:00+00:00", "2026-10-25T01:30:00+00:00"),  # the second
        ("2026-10-25T01:40:00+00:00", None),
        ("2026-03-29T00:10:00+00:00", "2026-03-29T01:30:00+00:00"),  # half past one is not on that day's clock
    ],
)
def test_quiet_hours_that_end_in_the_hour_that_is_there_twice_or_not_at_all_do_end(at: str, until: str | None) -> None:
    person = Person(account_id="a", channels=(), quiet_from=22 * 60, quiet_to=90)
    now = datetime.fromisoformat(at).timestamp()
    assert quiet_until(person, now, LONDON) == (now if until is None else datetime.fromisoformat(until).timestamp())


def test_a_summary_is_for_those_with_a_text(make_house: Callable[..., House]) -> None:
    house = make_house("ann", "bob")
    made = messages(list(house.people.values()), {"ann": "3 items"}, about="d", purpose="digest", rules=RULES, now=NOW)
    assert [(item.account_id, item.text, item.urgent) for item in made] == [("ann", "3 items", False)]


person_names = st.sampled_from(["a", "b", "c", "sup-1", "sup-2"])


@st.composite
def houses(draw: st.DrawFn) -> House:
    people = {}
    for name in draw(st.sets(person_names)):
        channels = tuple((f"{name}-{number}", "ntfys") for number in range(draw(st.integers(0, 2))))
        quiet = draw(st.none() | st.tuples(st.integers(0, 1439), st.integers(0, 1439)))
        people[name] = Person(
            account_id=name,
            channels=channels,
            supervises=name.startswith("sup-"),
            quiet_from=quiet[0] if quiet else None,
            quiet_to=quiet[1] if quiet else None,
            also_today=draw(st.booleans()),
        )
    some = st.lists(person_names, max_size=3).map(tuple)
    return House(
        people=people,
        in_charge={"site-1": draw(some), "site-2": draw(some)},
        stand_ins=draw(st.dictionaries(person_names, some, max_size=2)),
        on_duty=draw(some),
        next_on_duty=draw(some),
    )


@pytest.mark.req("R27", "R38")
@settings(max_examples=60, deadline=None)
@given(
    houses(),
    st.lists(
        st.tuples(st.sampled_from(["site-1", "site-2"]), st.sampled_from("xy"), st.sampled_from([ACT_NOW, TODAY])),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.floats(1, 900), min_size=12, max_size=12),
)
def test_act_now_is_never_muted_nobody_is_told_twice_and_somebody_always_is(
    house: House, events: list[tuple[str, str, int]], steps: list[float]
) -> None:
    latest: dict[tuple[str, str], Alert] = {}
    every: dict[str, Alert] = {}
    rows: set[str] = set()
    now = NOW
    for (site, key, rank), step in zip(events, steps, strict=False):
        now += step
        waiting = [one for one in every.values() if one.rank == ACT_NOW and one.acknowledged_at is None]
        made = plan([news(site=site, key=key, rank=rank, upto=now)], latest, waiting, house, RULES, now=now)
        for item in made.deliveries:
            assert item.delivery_id not in rows
            rows.add(item.delivery_id)
            if item.urgent:
                assert item.due_at == now
        for one in (*made.opened, *made.changed):
            every[one.alert_id] = one
            before = latest.get((one.site, one.key))
            if before is None or one.opened_at >= before.opened_at:
                latest[one.site, one.key] = one
        # Whatever of Act now is news is in an alert, and that has told somebody unless nobody can be told.
        if rank == ACT_NOW:
            mine = [one for one in every.values() if (one.site, one.key, one.rank) == (site, key, ACT_NOW)]
            assert max(one.upto for one in mine) == now
            reachable = {
                name
                for name, person in house.people.items()
                if person.channels
                and (person.supervises or name in (*house.on_duty, *house.next_on_duty, *house.in_charge[site]))
            }
            assert all(one.told or (one.alone and not reachable) for one in mine)
