from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.keeper.authority import Scope
from appliance.keeper.household import past as past_module
from wire.base import Standing
from wire.findings import FindingKind, Grade
from wire.orders import EndAway, SetAway

LAPTOP, PHONE, TV, PLUG = (f"00:00:5e:00:53:0{number}" for number in (1, 2, 3, 4))
HOME = (LAPTOP, PHONE, TV)


def evenings(*macs: str) -> Any:
    """These addresses are used each evening from 16 to 22."""
    return lambda hour: {mac: {} for mac in macs} if 16 <= hour % 24 < 22 else {}


def household(weeks: Any) -> None:
    weeks.device("d-laptop", LAPTOP)
    weeks.device("d-phone", PHONE, Standing.HOUSEHOLD, "phone")
    weeks.device("d-tv", TV, Standing.HOUSEHOLD, "tv")


def away(weeks: Any, start: float, days: float, device_id: str | None = None) -> str | None:
    order = SetAway(
        starts=datetime.fromtimestamp(start, UTC),
        ends=datetime.fromtimestamp(start + days * 86400, UTC),
        device_id=device_id,
        reason="On holiday.",
    )
    with weeks.store.transaction():
        return weeks.away.set(order, by="officer-1", at=weeks.at)


@pytest.mark.req("R14", "N5")
def test_one_device_quiet_while_others_live_grows_and_ends_with_use(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    assert weeks.findings() == []
    weeks.run(1.5, evenings(PHONE, TV))
    (low,) = weeks.findings()
    assert (low.device_id, low.grade, low.rule.clause) == ("d-laptop", Grade.LOW, "7")
    assert "while others at home were" in low.reasons[0]
    weeks.run(1.5, evenings(PHONE, TV))
    assert [item.grade for item in weeks.findings()] == [Grade.MEDIUM]
    weeks.run(3, evenings(PHONE, TV))
    (high,) = weeks.findings()
    assert (high.finding_id, high.grade) == (low.finding_id, Grade.HIGH), "one finding that grows"
    weeks.run(1, evenings(*HOME))
    (over,) = weeks.findings(state="closed")
    assert over.closed_because == "The device is in use again."
    assert weeks.findings() == []


@pytest.mark.req("R14", "R28")
def test_a_home_that_leaves_together_is_one_item_of_information(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    weeks.run(3, lambda _hour: {})
    (finding,) = weeks.findings()
    assert finding.device_id is None
    assert (finding.severity, finding.grade) == ("information", Grade.LOW)
    assert "All 3 devices" in finding.reasons[1]
    assert weeks.findings(state="closed") == [], "nothing was said of single devices on the way"
    weeks.run(1, evenings(*HOME))
    assert weeks.findings() == []


@pytest.mark.req("R14", "N4")
def test_a_box_that_did_not_watch_says_nothing_of_that_time(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    weeks.run(4, evenings(PHONE, TV), watching=False)
    weeks.run(0.5, evenings(PHONE, TV))
    assert weeks.findings() == []


@pytest.mark.req("R14", "N4")
def test_time_in_which_the_sensor_was_away_does_not_count(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    with weeks.store.transaction():
        weeks.store.gaps.sensor_gone(weeks.at)
    weeks.run(4, lambda _hour: {})
    with weeks.store.transaction():
        weeks.store.gaps.sensor_listens(weeks.at, weeks.at)
    weeks.run(0.5, lambda _hour: {})
    assert weeks.findings() == []


@pytest.mark.req("R15")
@pytest.mark.parametrize("device_id", [None, "d-laptop"])
def test_an_away_time_mutes_it_and_is_no_part_of_what_is_usual(weeks: Any, device_id: str | None) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    assert away(weeks, weeks.at, 6, device_id) is None
    weeks.run(6, evenings(PHONE, TV))
    assert weeks.findings() == []
    weeks.run(3, evenings(*HOME))
    usual = weeks.past.baseline(
        weeks.record.registry.by_id("d-laptop"),
        weeks.hour,
        weeks.past.use(weeks.record.registry.by_id("d-laptop"), first=0, last=weeks.hour),
        weeks.past.seen(weeks.record.registry.by_id("d-laptop"), weeks.hour),
    )
    assert usual is not None
    assert usual.usual_day == pytest.approx(6.0, abs=0.5)


@pytest.mark.req("R15")
def test_an_away_time_closes_what_is_open_and_its_end_lets_it_speak_again(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    weeks.run(2, evenings(PHONE, TV))
    assert len(weeks.findings()) == 1
    assert away(weeks, weeks.at, 10, "d-laptop") is None
    weeks.run(0.2, evenings(PHONE, TV))
    assert [item.closed_because for item in weeks.findings(state="closed")] == ["An away time was entered."]
    with weeks.store.transaction():
        assert weeks.away.end(EndAway(away_id=weeks.away.known[0].away_id), at=weeks.at) is None
    weeks.run(3, evenings(PHONE, TV))
    assert [item.device_id for item in weeks.findings()] == ["d-laptop"]


@pytest.mark.req("R14")
def test_a_device_that_is_joined_and_idle_is_information(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    with weeks.store.transaction():
        weeks.stays.joined(LAPTOP, weeks.at)
    weeks.run(6, evenings(PHONE, TV))
    (finding,) = weeks.findings()
    assert (finding.severity, finding.grade) == ("information", Grade.LOW)
    assert "joined to the network and idle" in finding.reasons[0]


@pytest.mark.req("R26", "R28")
def test_a_silence_that_turns_out_to_be_less_is_not_told_every_hour(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    weeks.run(4, evenings(PHONE, TV))
    (before,) = weeks.findings()
    assert before.grade is Grade.MEDIUM
    with weeks.store.transaction():
        weeks.stays.joined(LAPTOP, weeks.at)
    weeks.run(2, evenings(PHONE, TV))
    (after,) = weeks.findings()
    assert after.grade is Grade.MEDIUM
    assert after.revision <= before.revision + 2


@pytest.mark.req("N10", "R55")
def test_visibility_goes_with_the_leave(weeks: Any) -> None:
    household(weeks)
    weeks.run(1.2, evenings(*HOME))
    laptop = weeks.record.registry.by_id("d-laptop")
    assert laptop.visibility is not None
    with weeks.store.transaction():
        weeks.record.keep(replace(laptop, standing=Standing.GUEST))
    weeks.run(0.1, evenings(PHONE))
    assert weeks.record.registry.by_id("d-laptop").visibility is None


@pytest.mark.req("R14", "N5")
def test_a_restart_in_the_middle_changes_nothing(weeks: Any) -> None:
    household(weeks)
    weeks.run(10, evenings(*HOME))
    weeks.start()
    weeks.run(11, evenings(*HOME))
    weeks.run(2, evenings(PHONE, TV))
    (before,) = weeks.findings()
    weeks.start()
    weeks.run(1, evenings(PHONE, TV))
    (after,) = weeks.findings()
    assert (after.finding_id, after.grade) == (before.finding_id, Grade.MEDIUM)


@pytest.mark.req("N5")
def test_a_change_to_summer_time_raises_nothing(weeks: Any) -> None:
    household(weeks)
    weeks.run(28, evenings(*HOME))
    weeks.run(10, lambda hour: evenings(*HOME)(hour + 1))
    assert weeks.findings() == []
    assert weeks.findings(state="closed") == []


@pytest.mark.req("N5")
def test_before_two_weeks_nothing_is_said(weeks: Any) -> None:
    household(weeks)
    weeks.run(12, evenings(*HOME))
    weeks.run(4, evenings(PHONE, TV))
    assert [item for item in weeks.findings() if item.device_id == "d-laptop"] == []


@pytest.mark.req("R55", "R61")
def test_nothing_is_kept_or_said_of_a_device_without_leave(weeks: Any) -> None:
    household(weeks)
    weeks.device("d-guest", PLUG, Standing.GUEST, "phone")
    weeks.run(21, evenings(*HOME, PLUG))
    assert weeks.store.activity.first([PLUG]) is None, "what slipped in is dropped with the next hour"
    weeks.run(3, evenings(PHONE, TV))
    assert {item.device_id for item in weeks.findings()} == {"d-laptop"}
    narrow = weeks.scope.authority.model_copy(update={"clauses": weeks.scope.authority.clauses[:1]})
    weeks.scope = Scope(authority=narrow)
    weeks.run(0.2, evenings(*HOME))
    assert weeks.store.activity.addresses() == []


@pytest.mark.req("N5")
def test_a_household_s_own_device_is_never_silent(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    weeks.run(5, evenings(LAPTOP))
    assert weeks.findings() == []


@pytest.mark.req("R17")
def test_a_device_that_is_joined_to_another_brings_its_past(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    weeks.run(0.1, lambda _hour: {})
    phone = weeks.device("d-new", PLUG, category="laptop")
    laptop = weeks.record.registry.by_id("d-laptop")
    with weeks.store.transaction():
        weeks.record.keep(_with(laptop, phone))
        weeks.record.changed += 1
    weeks.run(4, lambda hour: evenings(PHONE, TV)(hour) | ({PLUG: {}} if 16 <= hour % 24 < 22 else {}))
    assert weeks.findings() == [], "it is used under its other address"


@pytest.mark.req("N4")
def test_devices_beyond_the_bound_are_counted(weeks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.keeper.household import rhythm as module

    monkeypatch.setattr(module, "MAX_WATCHED", 2)
    household(weeks)
    weeks.run(0.2, evenings(*HOME))
    assert weeks.rhythm.overflow == 1
    assert past_module.MAX_WATCHED == 256


@pytest.mark.req("R63")
def test_texts_speak_of_devices_in_plain_words(weeks: Any) -> None:
    household(weeks)
    weeks.run(21, evenings(*HOME))
    weeks.run(6, evenings(PHONE, TV))
    for finding in weeks.findings():
        assert finding.alternatives
        text = json.dumps([*finding.reasons, *finding.alternatives]).lower()
        assert not [word for word in ("breach", "offender", "median", "dns", "mac address") if word in text]
        assert finding.kind is FindingKind.SILENT_DEVICE


def _with(device: Any, other: Any) -> Any:
    return replace(device, addresses=(*device.addresses, *other.addresses))


KINDS = (FindingKind.SILENT_DEVICE, FindingKind.TREND, FindingKind.UNSEEN_USE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6, deadline=None)
@given(st.data())
def test_any_use_gives_findings_only_about_registered_devices(weeks: Any, data: Any) -> None:
    """The weeks go on from example to example, so that there is a past to compare with."""
    known = {item.finding.finding_id for item in weeks.store.findings._all("1 = 1")}
    standings = {LAPTOP: data.draw(st.sampled_from(list(Standing))), PHONE: data.draw(st.sampled_from(list(Standing)))}
    for number, (mac, standing) in enumerate(standings.items()):
        weeks.device(f"d-{number}", mac, standing, "phone")
    counts = st.fixed_dictionaries(
        {
            "flows": st.integers(0, 2**53 - 1),
            "unnamed": st.integers(0, 2**53 - 1),
            "others": st.integers(0, 2**53 - 1),
            "classes": st.dictionaries(st.sampled_from(["push", "time", "other"]), st.integers(0, 2**40)),
        }
    )
    for _ in range(3):
        played = {mac: data.draw(counts) for mac in data.draw(st.sets(st.sampled_from([LAPTOP, PHONE])))}
        length = data.draw(st.integers(1, 24))
        weeks.hour += data.draw(st.sampled_from([0, 0, 24, 24 * 30, -5]))
        weeks.run(2, lambda hour, length=length, played=played: played if hour % 24 < length else {})
    for stored in weeks.store.findings._all("1 = 1"):
        if stored.finding.finding_id not in known and stored.finding.device_id is not None:
            device = weeks.record.registry.by_id(stored.finding.device_id)
            assert device is not None
            assert device.standing is Standing.REGISTERED
            assert stored.finding.kind in KINDS
            assert stored.finding.alternatives
