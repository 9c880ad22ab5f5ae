from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.keeper.authority import Scope
from appliance.keeper.household.tamper import MAX_PORTS, MAX_SENDERS, Clocks, Ground, Tamper
from appliance.keeper.signs.tamper import Place
from appliance.messages import LinkChanged
from wire.authority import CollectClause, DataClass
from wire.base import Standing
from wire.findings import Finding, FindingKind, Grade

START = 1_900_000_000.0
HERE = Place(boot="b1", machine="m1", filesystem="f1", settings=(("the settings of the box", "s1"),))
ROUTER, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"


class Box:
    """A box whose starts, ports and clocks are played."""

    def __init__(self, weeks: Any) -> None:
        self.weeks, self.store = weeks, weeks.store
        self.at, self.wall_ahead, self.monotonic = START, 0.0, 100.0
        self.scope: Scope | None = None
        self.start(HERE)

    def start(self, place: Place | None, wan: str | None = "wan0") -> None:
        self.weeks.start()
        ground = None if place is None else Ground(place=place, wan=wan)
        self.tamper = Tamper(self.weeks.record, self.weeks.signs, ground)
        self.wait(0)

    def restart(self, place: Place, *, after: float, ordered: bool = False) -> None:
        with self.store.transaction():
            self.store.set("time_floor", repr(self.at))
            if ordered:
                self.tamper.stopping()
        self.at += after
        self.start(place)

    def wait(self, seconds: float, step: float = 60.0) -> None:
        left = seconds
        while True:
            with self.store.transaction():
                clocks = Clocks(wall=self.at + self.wall_ahead, monotonic=self.monotonic, at=self.at)
                self.tamper.tick(clocks, self.scope)
            if left <= 0:
                return
            moved = min(step, left)
            self.at, self.monotonic, left = self.at + moved, self.monotonic + moved, left - moved

    def link(self, interface: str, *, up: bool) -> None:
        with self.store.transaction():
            self.tamper.link(LinkChanged(ts=self.at, interface=interface, up=up), self.at, self.scope)

    def broker(self, *, connected: bool) -> None:
        with self.store.transaction():
            self.tamper.broker(self.at, connected=connected)

    def upstream(self, mac: str) -> None:
        with self.store.transaction():
            self.tamper.heard_upstream(mac, self.at, self.scope)

    def found(self, state: str = "open") -> list[Finding]:
        rows = self.store.findings._all("device_id is null and state = ? order by rowid", state)
        return [item.finding for item in rows]

    def kinds(self, state: str = "open") -> list[FindingKind]:
        return [item.kind for item in self.found(state)]


@pytest.fixture
def box(weeks: Any) -> Box:
    return Box(weeks)


@pytest.mark.req("N15", "N4")
def test_a_first_start_is_told_without_an_authority(box: Box) -> None:
    (finding,) = box.found()
    assert finding.kind is FindingKind.BOX_RESET
    assert (finding.device_id, finding.severity, finding.rule.authority_id) == (None, "information", "none")
    box.wait(2 * 86_400, 3600)
    assert box.kinds() == []
    assert box.found("closed")[0].closed_because == "It has not happened again for a day."


@pytest.mark.req("N15", "R19")
def test_a_power_cut_is_told_apart_from_a_restart_in_order(box: Box) -> None:
    box.wait(90_000, 3600)
    box.restart(replace(HERE, boot="b2"), after=30.0, ordered=True)
    assert box.kinds() == []
    box.restart(replace(HERE, boot="b2"), after=30.0)
    assert box.kinds() == [], "the keeper alone was started anew"
    box.restart(replace(HERE, boot="b3"), after=7200.0)
    (cut,) = box.found()
    assert (cut.kind, cut.severity) == (FindingKind.POWER_LOST, "information")
    assert "lost power for 2 hours" in cut.reasons[0]
    for boot in ("b4", "b5"):
        box.wait(600)
        box.restart(replace(HERE, boot=boot), after=60.0)
    (often,) = box.found()
    assert (often.finding_id, often.grade, often.severity) == (cut.finding_id, Grade.MEDIUM, "this_week")
    assert "3 times in a week" in often.reasons[-2]


@pytest.mark.req("N15")
def test_what_changed_while_it_was_off_is_found_once(box: Box) -> None:
    box.wait(90_000, 3600)
    other = replace(HERE, boot="b2", machine="m2", filesystem="f2")
    box.restart(other, after=60.0)
    assert set(box.kinds()) == {FindingKind.STORAGE_CHANGED, FindingKind.POWER_LOST}
    (storage,) = [item for item in box.found() if item.kind is FindingKind.STORAGE_CHANGED]
    assert storage.grade is Grade.HIGH
    box.wait(100_000, 3600)
    box.restart(replace(other, filesystem=None), after=60.0, ordered=True)
    box.restart(other, after=60.0, ordered=True)
    assert box.kinds() == [], "what could not be read once is remembered as it was"


@pytest.mark.req("R19", "N15")
def test_the_internet_is_lost_and_comes_back(box: Box) -> None:
    box.wait(90_000, 3600)
    box.link("wan0", up=False)
    assert not box.tamper.online
    box.wait(240)
    assert box.kinds() == []
    box.wait(120)
    (lost,) = box.found()
    assert (lost.kind, lost.grade) == (FindingKind.WAN_LOST, Grade.LOW)
    box.restart(HERE, after=3600.0, ordered=True)
    box.wait(60)
    assert [item.grade for item in box.found()] == [Grade.MEDIUM], "over a restart of the keeper too"
    box.link("wan0", up=True)
    box.wait(60)
    (over,) = [item for item in box.found("closed") if item.kind is FindingKind.WAN_LOST]
    assert over.closed_because == "The internet came back after 1 hour."
    assert box.tamper.online


@pytest.mark.req("N15")
def test_a_provider_that_says_nothing_is_another_cause_than_a_cable(box: Box) -> None:
    box.wait(90_000, 3600)
    box.broker(connected=False)
    box.wait(900)
    assert box.kinds() == [], "the provider's side was never heard, so silence says nothing"
    box.broker(connected=True)
    box.upstream(ROUTER)
    box.broker(connected=False)
    for _ in range(20):
        box.upstream(ROUTER)
        box.wait(60)
    assert box.kinds() == [], "the provider is there: the server is not"
    box.wait(400)
    (silent,) = box.found()
    assert "the cable is in" in silent.reasons[0]
    assert not box.tamper.online
    box.upstream(ROUTER)
    box.wait(1)
    assert box.kinds() == []
    assert box.tamper.online


@pytest.mark.req("R19")
def test_a_clock_that_is_moved_is_told_by_how_much(box: Box) -> None:
    box.wait(90_000, 3600)
    box.wall_ahead = 100.0
    box.wait(60)
    assert box.kinds() == []
    box.wall_ahead = -7200.0
    box.wait(60)
    (clock,) = box.found()
    assert (clock.kind, clock.grade) == (FindingKind.CLOCK_CHANGED, Grade.MEDIUM)
    assert "back by 2 hours" in clock.reasons[0]


@pytest.mark.req("N15")
def test_a_port_that_is_dark_when_the_box_starts_went_nowhere(box: Box) -> None:
    box.wait(90_000, 3600)
    box.link("br-lan", up=False)
    box.wait(5)
    box.link("lan1", up=True)
    assert box.kinds() == []


def test_a_cable_that_moves_between_ports_is_no_device_that_is_switched_off(box: Box) -> None:
    box.wait(90_000, 3600)
    box.link("lan1", up=True)
    box.link("lan1", up=False)
    box.wait(300)
    box.link("lan2", up=True)
    assert box.kinds() == []
    box.link("lan2", up=False)
    box.wait(10)
    box.link("lan3", up=True)
    (moved,) = box.found()
    assert (moved.kind, moved.grade) == (FindingKind.CABLE_MOVED, Grade.LOW)
    assert "port lan2 went dark, and port lan3 lit up 10 seconds later" in moved.reasons[0]


@pytest.fixture
def leave(make_authority: Callable[..., Any]) -> Scope:
    whose = (Standing.UNKNOWN,)
    classes = (DataClass.PRESENCE, DataClass.SIGNS)
    return Scope(authority=make_authority(clauses=(CollectClause(number="9", standings=whose, classes=classes),)))


def pulled(box: Box, then: str) -> None:
    """The cable to the provider is out for a minute; then somebody is heard there."""
    box.upstream(ROUTER)
    box.wait(120)
    box.link("wan0", up=False)
    box.wait(60)
    box.link("wan0", up=True)
    box.upstream(then)
    box.wait(700)


@pytest.mark.req("N15")
def test_another_device_on_the_provider_s_side_is_found(box: Box, leave: Scope) -> None:
    box.wait(90_000, 3600)
    box.scope = leave
    pulled(box, ROUTER)
    assert box.kinds() == []
    pulled(box, OTHER)
    (moved,) = box.found()
    assert (moved.kind, moved.grade) == (FindingKind.CABLE_MOVED, Grade.MEDIUM)
    assert ROUTER not in (box.store.get("provider_side") or "")


@pytest.mark.req("R55")
def test_without_leave_nobody_on_the_provider_s_side_is_remembered(box: Box) -> None:
    box.wait(90_000, 3600)
    pulled(box, ROUTER)
    pulled(box, OTHER)
    assert box.kinds() == []
    assert box.store.get("provider_side") is None


def test_tables_are_bounded(box: Box, leave: Scope) -> None:
    box.scope = leave
    for number in range(200):
        box.upstream(f"02:00:00:00:01:{number:02x}")
        box.link(f"port{number}", up=True)
    assert len(box.tamper._lit) == MAX_PORTS
    for number in range(200):
        box.link(f"port{number}", up=False)
    box.wait(120)
    assert len(box.tamper._dark) == MAX_PORTS
    assert (box.store.get("provider_side") or "").count(",") == MAX_SENDERS - 1


def test_where_there_is_no_box_nothing_is_said(weeks: Any) -> None:
    box = Box.__new__(Box)
    box.weeks, box.store, box.scope = weeks, weeks.store, None
    box.at, box.wall_ahead, box.monotonic = START, 0.0, 100.0
    box.start(None)
    box.link("wan0", up=False)
    box.wall_ahead = 90_000.0
    box.wait(3600)
    assert box.found() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["up", "down", "broker", "lost", "upstream", "clock", "start"]),
            st.floats(-100_000, 100_000),
            st.sampled_from(["wan0", "lan1", "lan2"]),
        ),
        max_size=12,
    )
)
def test_any_sequence_is_about_the_box_with_innocent_causes(box: Box, steps: list[tuple[str, float, str]]) -> None:
    for what, number, port in steps:
        match what:
            case "up" | "down":
                box.link(port, up=what == "up")
            case "broker" | "lost":
                box.broker(connected=what == "broker")
            case "upstream":
                box.upstream(ROUTER)
            case "clock":
                box.wall_ahead = number
            case _:
                box.restart(replace(HERE, boot=str(number)), after=abs(number))
        box.wait(abs(number) / 100, 100)
    for finding in (*box.found(), *box.found("closed")):
        assert finding.device_id is None
        assert finding.alternatives
        assert "breach" not in finding.model_dump_json()
