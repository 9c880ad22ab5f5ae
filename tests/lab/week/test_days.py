"""The weeks of a household: one order of time, one household in both stories, octets that add up."""

from __future__ import annotations

import pytest

from appliance.messages import LinkChanged, TalksCounted
from lab.week import cast, household
from lab.week.days import Days, Power
from lab.week.household import Household
from lab.week.plot import DAY, HOUR, Week
from lab.week.speech import Spoken


def short(told: Household, *, days: int, before: int = 0) -> Days:
    return Days(told.model_copy(update={"days": days, "before": before}))


def test_a_seed_tells_the_same_days_again() -> None:
    one, two = (list(short(household.compliant(), days=2).story()) for _ in range(2))
    assert one == two
    moments = [happening.ts for happening in one]
    assert moments == sorted(moments)
    assert sum(isinstance(happening, Spoken) for happening in one) > 2000
    assert sum(isinstance(happening, TalksCounted) for happening in one) > 100


def test_the_second_household_is_the_first_and_more() -> None:
    first, second = household.compliant(), household.non_compliant()
    assert second.member[: len(first.member)] == first.member
    assert second.life[: len(first.life)] == first.life
    assert first.around == ()
    assert {one.member for one in second.around} <= {member.name for member in second.member}
    assert min(day for one in second.around for day in one.days) >= first.before


def test_what_happens_to_the_house_is_told() -> None:
    told = household.compliant()
    days = Days(told)
    house = list(days.house())
    assert sum(isinstance(one, Power) for one in house) == 2 * len(told.no_power)
    assert sum(isinstance(one, LinkChanged) for one in house) == 2 * len(told.no_internet)


def test_who_is_out_is_not_at_home() -> None:
    told = household.compliant()
    days = Days(told)
    carried = {life.member for life in told.life if life.carried}
    for outside in told.outside:
        gone, back = (days.starts + outside.day * DAY + hour * HOUR for hour in outside.hours)
        for stay in days.stays:
            if stay.member.name in carried:
                assert stay.ended <= gone or stay.began >= back


def test_another_cast_is_no_household() -> None:
    with pytest.raises(TypeError, match="household"):
        Days(cast.load())
    assert Week(cast.load()).stays
