from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.household.habits import of_people
from wire.base import Standing
from wire.findings import FindingKind, Grade

LAPTOP, PHONE, STRANGER = (f"00:00:5e:00:53:0{number}" for number in (1, 2, 3))


def evenings(mac: str, **counts: Any) -> Any:
    return lambda hour: {mac: counts} if 16 <= hour % 24 < 22 else {}


@pytest.mark.req("R16")
def test_a_trend_is_raised_once_and_said_again_once_a_day(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    weeks.run(22, evenings(LAPTOP, others=20))
    weeks.run(23, evenings(LAPTOP, others=400))
    (finding,) = weeks.findings(FindingKind.TREND)
    assert (finding.device_id, finding.grade) == ("d-1", Grade.MEDIUM)
    assert "use of the device has changed" in finding.reasons[0]
    assert finding.revision <= 25
    weeks.run(26, evenings(LAPTOP, others=400))
    assert weeks.findings(FindingKind.TREND) == [], "what is usual now is no trend"
    (over,) = weeks.findings(FindingKind.TREND, state="closed")
    assert over.closed_because == "Nothing of it has been seen for 7 days."


@pytest.mark.req("R16")
def test_more_use_at_night_is_told_beside_more_use(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    evening = evenings(LAPTOP, others=60)
    weeks.run(22, evening)
    weeks.run(23, lambda hour: evening(hour) | ({LAPTOP: {"others": 40}} if hour % 24 in {1, 2} else {}))
    subjects = [item.reasons[0] for item in weeks.findings(FindingKind.TREND)]
    assert len(subjects) == 1
    assert "in the hours in which it was used least before" in subjects[0]


@pytest.mark.req("R32")
def test_a_category_is_a_trend_and_no_item_of_its_own(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP)
    weeks.run(22, evenings(LAPTOP))
    for _ in range(22):
        with weeks.store.transaction():
            for _ in range(30):
                weeks.store.categories.count(
                    LAPTOP, "adult", authority_id="a-1", authority_number=1, clause="7", ts=weeks.at
                )
        weeks.run(1, evenings(LAPTOP))
    (finding,) = weeks.findings(FindingKind.TREND)
    assert "sites of the category adult" in finding.reasons[0]
    assert finding.hit is None


@pytest.mark.req("N6")
def test_a_phone_that_lies_at_home_while_another_is_used_is_inferred_not_asserted(weeks: Any) -> None:
    weeks.device("d-phone", PHONE, category="phone")
    weeks.run(21, evenings(PHONE))
    with weeks.store.transaction():
        weeks.stays.joined(PHONE, weeks.at)
    weeks.device("d-new", STRANGER, Standing.UNKNOWN, "phone")

    def idle(hour: int) -> Any:
        with_stranger(weeks, STRANGER, joined=16 <= hour % 24 < 22)
        with_heard(weeks, PHONE)
        return {PHONE: {"flows": 2, "unnamed": 0, "others": 0, "classes": {"push": 4}}}

    weeks.run(9, idle)
    (finding,) = weeks.findings(FindingKind.UNSEEN_USE)
    assert finding.device_id == "d-phone"
    assert finding.grade in {Grade.MEDIUM, Grade.HIGH}
    assert finding.signals is not None
    assert finding.signals >= 2
    assert len(finding.alternatives) == finding.signals + 1
    assert finding.reasons[0].startswith("Looks like another device may be used")


def with_stranger(weeks: Any, mac: str, *, joined: bool) -> None:
    (weeks.stays.joined if joined else weeks.stays.left)(mac, weeks.at)
    weeks.stays._tracker.tick(weeks.at)


def with_heard(weeks: Any, mac: str) -> None:
    weeks.stays.heard(mac, weeks.at)


@pytest.mark.req("N6")
def test_only_what_a_person_carries_is_inferred_about(weeks: Any) -> None:
    weeks.device("d-1", LAPTOP, category="laptop")
    weeks.run(10, lambda _hour: {LAPTOP: {"flows": 2, "unnamed": 0, "others": 0, "classes": {"push": 4}}})
    assert weeks.findings(FindingKind.UNSEEN_USE) == []


def test_things_that_run_by_themselves_are_nobody_s(weeks: Any) -> None:
    assert of_people(weeks.device("d-1", LAPTOP))
    assert not of_people(weeks.device("d-2", PHONE, category="plug"))
    assert not of_people(weeks.device("d-3", STRANGER, Standing.INFRASTRUCTURE))
