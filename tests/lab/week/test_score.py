"""The score counts what it says: by hand on households of two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lab.week.score import Score, score
from wire.base import Standing
from wire.findings import Finding, FindingKind, Rule, Severity
from wire.models import Address, Device, Proposal

AT = datetime(2030, 3, 18, tzinfo=UTC)
ONE, ANEW, TWO = "02:00:00:00:00:01", "02:00:00:00:00:11", "02:00:00:00:00:02"
TRUTH = {ONE: "phone", ANEW: "phone", TWO: "tablet"}


def device(name: str, *macs: str, into: str | None = None) -> Device:
    addresses = tuple(Address(mac=mac, locally_administered=True, first_seen=AT, last_seen=AT) for mac in macs)
    return Device(
        device_id=name,
        revision=1,
        standing=Standing.UNKNOWN,
        addresses=addresses,
        first_seen=AT,
        last_seen=AT,
        merged_into=into,
    )


def unregistered(number: int, device_id: str) -> Finding:
    return Finding(
        finding_id=f"f-{number}",
        revision=1,
        kind=FindingKind.UNREGISTERED_DEVICE,
        severity=Severity.TODAY,
        device_id=device_id,
        state="open",
        first_seen=AT,
        last_seen=AT,
        raised_at=AT,
        count=1,
        rule=Rule(id="r", version="1", authority_id="a", authority_number=1, clause="1"),
        confidence=0.9,
        reasons=(),
        alternatives=(),
    )


def judged(*devices: Device, findings: tuple[Finding, ...] = (), proposals: tuple[Proposal, ...] = ()) -> Score:
    by_id: dict[str, Any] = {proposal.proposal_id: proposal for proposal in proposals}
    return score(
        devices={item.device_id: item for item in devices},
        known_by={item.device_id: tuple(address.mac for address in item.addresses) for item in devices},
        findings={item.finding_id: item for item in findings},
        proposals=by_id,
        first=by_id,
        truth=TRUTH,
    )


def test_each_device_once_is_right() -> None:
    found = judged(device("a", ONE, ANEW), device("b", TWO), findings=(unregistered(1, "a"), unregistered(2, "b")))
    assert (found.true_devices, found.counted, found.false_merges, found.false_splits) == (2, 2, (), {})
    assert found.alarms == {}


@pytest.mark.req("R47")
def test_two_devices_in_one_are_a_false_merge() -> None:
    assert judged(device("a", ONE, TWO)).false_merges == (("phone", "tablet"),)
    merged = judged(device("a", ONE), device("b", TWO, into="a"))
    assert merged.false_merges == (("phone", "tablet"),)
    assert merged.counted == 1
    assert any("false merges (goal 0)          1" in line for line in merged.lines())


@pytest.mark.req("R17")
def test_one_device_twice_is_a_false_split_and_its_second_finding_an_alarm() -> None:
    found = judged(
        device("a", ONE), device("b", ANEW), device("c", TWO), findings=(unregistered(1, "a"), unregistered(2, "b"))
    )
    assert found.false_splits == {"phone": 1}
    assert found.alarms == {"phone": 1}
    joined = judged(device("a", ONE), device("b", ANEW, into="a"), device("c", TWO))
    assert joined.false_splits == {}


def test_merges_in_a_ring_are_walked_once() -> None:
    assert judged(device("a", ONE, into="b"), device("b", TWO, into="a")).counted in {1, 2}


@pytest.mark.req("N8")
def test_proposals_are_right_where_the_two_are_one() -> None:
    def proposal(number: int, other: str) -> Proposal:
        return Proposal(
            proposal_id=f"p-{number}",
            revision=1,
            device_id="a",
            other_id=other,
            probability=0.7,
            reasons=(),
            state="open",
            raised_at=AT,
        )

    found = judged(
        device("a", ONE), device("b", ANEW), device("c", TWO), proposals=(proposal(1, "b"), proposal(2, "c"))
    )
    assert [(item.right, item.members) for item in found.proposals] == [
        (True, ("phone", "phone")),
        (False, ("phone", "tablet")),
    ]
    assert "proposals wrong                1: phone = tablet 70% open" in found.lines()


def test_an_address_of_nobody_is_said() -> None:
    assert judged(device("a", "02:00:00:00:00:99")).strays == ("02:00:00:00:00:99",)
