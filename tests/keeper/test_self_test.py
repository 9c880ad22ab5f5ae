"""The detection test against a script of probe and sensor: passed, missed, mended, and nobody hides behind it."""

from __future__ import annotations

import itertools

import pytest

from appliance import messages as m
from appliance.keeper.authority import Scope
from appliance.keeper.lists.match import Lists
from appliance.keeper.self_test import AGAIN, LATE, TEST_LIST, UNASKED, WITHIN, SelfTest
from appliance.keeper.signs.model import Sign
from appliance.keeper.store.database import Store
from wire.findings import FindingKind

NAME = "detection-test.gatehouse.invalid"
MONTH = 30 * 86400.0
NOTHING = m.ProbeLeave(why="Nothing is wanted and nothing is due.")


class Teller:
    """Takes findings down."""

    def __init__(self) -> None:
        self.open: dict[tuple[FindingKind, str], Sign] = {}

    def tell_box(self, sign: Sign, *, scope: Scope | None, at: float) -> None:
        assert sign.device_id is None
        assert sign.alternatives
        assert at >= sign.ts
        del scope
        self.open[sign.kind, sign.subject] = sign

    def end(self, device_id: str | None, kind: FindingKind, subject: str, because: str, at: float) -> None:
        assert device_id is None
        assert because
        assert at
        self.open.pop((kind, subject), None)


class Bench:
    def __init__(self, store: Store, scope: Scope) -> None:
        self.store, self.scope, self.at = store, scope, 1_000_000.0
        self.teller, self.lists = Teller(), Lists()
        numbers = itertools.count(1)
        self.test = SelfTest(
            store, self.lists, self.teller, name=NAME, every=MONTH, new_mac=lambda: f"02:00:00:00:00:{next(numbers):02x}"
        )  # fmt: skip

    def wait(self, seconds: float, scope: Scope | None = None) -> None:
        self.at += seconds
        self.test.tick(scope=scope or self.scope, at=self.at)

    def ask(self, kind: m.ProbeKind | None = None) -> m.ProbeLeave:
        return self.test.leave(NOTHING, kind, self.scope, self.at)

    def hear(self, mac: str, name: str = NAME) -> bool:
        heard = m.NameLookedUp(ts=self.at, mac=mac, name=name, how=m.How.DNS, generation=1)
        return self.test.takes(heard, scope=self.scope, at=self.at)

    def missed(self) -> bool:
        return (FindingKind.TEST_MISSED, TEST_LIST) in self.teller.open

    def miss(self) -> None:
        assert self.ask().test is not None
        self.wait(WITHIN + 1)


@pytest.fixture
def bench(store: Store, scope: Scope) -> Bench:
    return Bench(store, scope)


@pytest.mark.req("R33")
def test_a_name_that_comes_back_passes_for_a_month(bench: Bench) -> None:
    leave = bench.ask()
    assert leave.kinds == (m.ProbeKind.TEST,)
    assert leave.test is not None
    assert leave.test.name == NAME
    assert {bench.test.named} == {leave.test.mac}
    assert bench.ask() is NOTHING, "one at a time"
    assert bench.hear(leave.test.mac)
    state = bench.test.state(bench.scope)
    assert state is not None
    assert state.passed_at is not None
    assert state.detail.endswith("it works.")
    assert bench.ask() is NOTHING
    assert not bench.test.named
    bench.at += MONTH
    assert bench.ask().test is not None


@pytest.mark.req("R33")
def test_missed_twice_is_a_finding_that_a_pass_ends(bench: Bench) -> None:
    bench.miss()
    assert not bench.missed()
    assert bench.ask() is NOTHING
    bench.wait(AGAIN)
    bench.miss()
    assert bench.missed()
    state = bench.test.state(bench.scope)
    assert state is not None
    assert state.passed_at is None
    assert "did not come back" in state.detail
    bench.wait(AGAIN)
    leave = bench.ask()
    assert leave.test is not None
    bench.hear(leave.test.mac)
    assert not bench.missed()


def test_what_the_probe_could_not_send_is_said(bench: Bench) -> None:
    bench.ask()
    bench.test.done(m.ProbeDone(ts=bench.at, kind=m.ProbeKind.TEST, sent=0, answers=0))
    bench.wait(WITHIN + 1)
    assert "could not be sent" in str(bench.store.get("test_detail"))


def test_no_probe_for_an_hour_counts_as_missed(bench: Bench) -> None:
    bench.wait(1)
    bench.wait(UNASKED + 1)
    bench.wait(AGAIN + 1)
    bench.wait(UNASKED + 1)
    assert bench.missed()
    assert "No probe has come" in str(bench.store.get("test_detail"))


def test_another_name_or_another_address_proves_nothing(bench: Bench) -> None:
    leave = bench.ask()
    assert leave.test is not None
    assert bench.hear(leave.test.mac, "other.example"), "it is the test's, and no device's"
    assert bench.test.named is not None
    assert not bench.hear("02:00:00:00:99:99"), "a device that asks for the name is a device"
    assert bench.test.named is not None


def test_nobody_hides_behind_the_test_s_address(bench: Bench) -> None:
    leave = bench.ask()
    assert leave.test is not None
    sighting = m.Sighting(ts=bench.at, mac=leave.test.mac, via=m.Via.DNS)
    assert bench.test.takes(sighting, scope=bench.scope, at=bench.at + WITHIN + LATE)
    assert not bench.test.takes(sighting, scope=bench.scope, at=bench.at + WITHIN + LATE + 1)
    bench.wait(WITHIN + 1)
    bench.wait(AGAIN)
    again = bench.ask()
    assert again.test is not None
    assert again.test.mac != leave.test.mac


@pytest.mark.req("R55")
def test_without_an_authority_nothing_is_asked(bench: Bench) -> None:
    assert bench.test.leave(NOTHING, None, None, bench.at) is NOTHING
    assert bench.test.leave(NOTHING, m.ProbeKind.TEST, None, bench.at).refused
    bench.test.tick(scope=None, at=bench.at + 10 * UNASKED)
    assert not bench.missed()
    assert bench.test.state(None) is None


def test_asked_for_it_runs_at_any_time(bench: Bench) -> None:
    leave = bench.ask()
    assert leave.test is not None
    bench.hear(leave.test.mac)
    assert bench.ask(m.ProbeKind.SWEEP) is NOTHING
    assert bench.ask(m.ProbeKind.TEST).test is not None
