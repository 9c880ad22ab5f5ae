"""The way of a new box as scripts: what is seen and what comes, and what is shown and done."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest

from appliance.fitting import holding
from appliance.fitting.channel import Brought, Reported
from appliance.fitting.holding import Holder
from appliance.fitting.looks import Way
from appliance.fitting.uplink import Desk
from appliance.fresh import Problem, Seen
from wire.enrolment import EnrolmentRequest, Uplink, request_bytes

WELL = Seen(port=True, cable=True, address=True, same_network=False, gateway=True, time=True)


def wifi_only(service: Any, box: Any) -> Brought:
    """An answer that says nothing of the way out."""
    return Brought(answer=service.answer(box, network=service.network(box, uplink=Uplink())).decode())


@pytest.mark.req("R9")
def test_from_no_cable_to_enrolled(holder: Holder, machine: Any, box: Any, service: Any, now: float) -> None:
    machine.seen, machine.way = Seen(port=True, cable=False, time=True), Way()
    holder.tick(now, 0.0)
    assert holder.fresh(now, 0.0).problem is Problem.NO_CABLE
    machine.seen = WELL
    holder.tick(now, 5.0)
    holder.reported(Reported(names=False), 6.0)
    assert holder.fresh(now, 6.0).problem is Problem.NO_NAMES
    holder.reported(Reported(names=True, desk=Desk.REFUSED, says="not in stock"), 16.0)
    shown = holder.show(now, 16.0)
    assert (shown.problem, shown.says, shown.stage) == ("not-known", "not in stock", "asking")
    holder.reported(Reported(desk=Desk.WAITING), 30.0)
    shown = holder.show(now, 30.0)
    assert (shown.problem, shown.says, shown.stage) == ("", "", "unclaimed")
    assert holder.brought(wifi_only(service, box), now)
    shown = holder.show(now, 31.0)
    assert (shown.stage, shown.label, shown.request, shown.wifi_passphrase) == ("enrolled", "", "", "")
    assert not holder.brought(wifi_only(service, box), now), "once is enough"
    assert machine.applied == 0


def test_the_request_is_signed_anew_and_asks_for_the_same(holder: Holder, box: Any, now: float) -> None:
    holder.tick(now, 0.0)
    one = EnrolmentRequest.model_validate_json(holder.show(now, 0.0).request)
    holder.tick(now + 1, 1.0)
    assert EnrolmentRequest.model_validate_json(holder.show(now, 1.0).request) == one
    later = holding.REQUEST_SECONDS
    holder.tick(now + later, later)
    other = EnrolmentRequest.model_validate_json(holder.show(now, later).request)
    assert other.at > one.at
    assert (other.csr, other.card) == (one.csr, one.card) == (box.csr, box.card)
    assert other.signature != one.signature
    assert request_bytes(one.card, one.csr, one.at) != request_bytes(other.card, other.csr, other.at)


@pytest.mark.req("R10")
def test_an_answer_by_hand_that_does_not_count_is_told_to_who_brought_it(
    holder: Holder, box: Any, service: Any, now: float
) -> None:
    assert holder.fresh(now, 0.0).problem is None, "before the first look nothing is known"
    assert not holder.brought(Brought(answer="A" * 100, by_hand=True), now)
    assert "cannot be used" in holder.show(now, 0.0).told
    assert holder.fresh(now, 0.0).problem is None, "what somebody brings says nothing of the service"
    assert not holder.brought(Brought(answer="A" * 100), now)
    assert holder.fresh(now, 0.0).problem is Problem.BAD_ANSWER
    holder.reported(Reported(desk=Desk.ANSWERED), 1.0)
    assert holder.fresh(now, 1.0).problem is Problem.BAD_ANSWER, "the same answer again is no news"
    assert holder.brought(wifi_only(service, box), now)
    assert holder.show(now, 1.0).told == ""


@pytest.mark.req("R5")
def test_where_the_router_before_uses_our_range_another_is_taken(holder: Holder, machine: Any, now: float) -> None:
    before = holder.house.lan.network
    machine.seen = WELL.model_copy(update={"same_network": True})
    machine.way = Way(networks=(before,), router="00:00:5e:00:53:01")
    holder.tick(now, 0.0)
    assert not holder.house.lan.network.overlaps(before)
    assert machine.applied == 1
    assert holder.fresh(now, 0.0).problem is Problem.SAME_NETWORK
    machine.way = Way(networks=(IPv4Network("0.0.0.0/0"),), router="00:00:5e:00:53:01")
    for second in range(5, 100, 5):
        holder.tick(now, float(second))
    assert machine.applied == 1, "it does not chase about"


@pytest.mark.req("R8")
def test_a_wifi_of_the_router_before_is_said_and_looked_for_seldom(holder: Holder, machine: Any, now: float) -> None:
    machine.wifi = True
    for second in range(0, 1200, 5):
        holder.tick(now, float(second))
    assert holder.show(now, 1200.0).upstream_wifi
    assert machine.scans == 2
    machine.way = Way()
    holder.tick(now, 5000.0)
    assert machine.scans == 2, "without a router there is nothing to compare"


def test_what_was_heard_by_another_cable_is_forgotten(holder: Holder, machine: Any, now: float) -> None:
    holder.tick(now, 0.0)
    holder.reported(Reported(names=False, desk=Desk.UNREACHABLE), 1.0)
    assert holder.fresh(now, 1.0).problem is Problem.NO_NAMES
    machine.seen = Seen(port=True, cable=False, time=True)
    holder.tick(now, 5.0)
    machine.seen = WELL
    holder.tick(now, 10.0)
    assert holder.fresh(now, 10.0).problem is None


def test_names_that_were_answered_long_ago_say_nothing_of_now(holder: Holder, now: float) -> None:
    holder.tick(now, 0.0)
    holder.reported(Reported(names=False), 0.0)
    assert holder.fresh(now, holding.NAMES_STALE + 1).seen.names is None


def test_a_disk_that_takes_nothing_is_told(
    holder: Holder, box: Any, service: Any, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(holding.taking, "take", full)
    assert not holder.brought(Brought(answer=wifi_only(service, box).answer, by_hand=True), now)
    assert "Use another box" in holder.show(now, 0.0).told


@pytest.mark.req("R57")
def test_another_range_that_cuts_the_box_off_is_taken_back(holder: Holder, machine: Any, now: float) -> None:
    before = holder.house
    machine.seen = WELL.model_copy(update={"same_network": True})
    machine.way = Way(networks=(before.lan.network,), router="00:00:5e:00:53:01")
    machine.then = lambda _home: None
    holder.tick(now, 0.0)
    assert (machine.applied, holder.house) == (1, before)
