"""A phone that makes up a new address every night, for seven nights: how many devices, how many findings."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.traits import Trait
from wire.base import Standing
from wire.findings import Finding
from wire.models import JoinedBy, Proposal
from wire.orders import AnswerProposal

NIGHTS = 7
ALIKE = (
    (Trait.DHCP4_VENDOR_CLASS, "android-dhcp-14"),
    (Trait.DHCP4_PARAMETERS, "1,3,6,15,26,28,51,58,59,43,114,108"),
    (Trait.DHCP4_HOST_NAME, "Galaxy-S24"),
)
DUID = (Trait.DHCP6_DUID, "0004c0ffee00c0ffee00c0ffee00c0ffee01")
"""Of a device that keeps it over changes of address (RFC 8415 11)."""


def address(night: int) -> str:
    return f"02:00:00:00:{night:02x}:0a"


def live(bench: Any, *, key: str | None, identifier: bool) -> tuple[Counter[str], list[Counter[str]]]:
    """Findings of the first day, and of each day after it; the officer registers it and confirms once."""
    days: list[Counter[str]] = []
    confirmed = False
    for night in range(NIGHTS + 1):
        mac, sent = address(night), []
        if key:
            sent += bench.payloads(bench.station(mac, key))
        else:
            sent += bench.payloads(bench.sight(mac))
        for trait, value in (*ALIKE, *([DUID] if identifier else [])):
            sent += bench.payloads(bench.trait(mac, trait, value))
        for _ in range(10):
            sent += bench.payloads(bench.wait(1))
        if night == 0:
            bench.down(bench.command(bench.device(mac).device_id, Standing.REGISTERED, label="Phone"))
        for proposal in [item for item in sent if isinstance(item, Proposal) and item.state == "open"][-1:]:
            if not confirmed:
                bench.order(AnswerProposal(proposal_id=proposal.proposal_id, confirm=True))
                confirmed = True
        for _ in range(60):
            sent += bench.payloads(bench.wait(60))
            sent += bench.payloads(bench.sight(mac))
            bench.acknowledge()
        bench.station(mac, joined=False)
        sent += bench.payloads(bench.wait(10 * 3600))
        bench.acknowledge()
        raised = {item.finding_id: item.kind.value for item in sent if isinstance(item, Finding) and item.revision == 1}
        days.append(Counter(raised.values()))
    return days[0], days[1:]


@pytest.fixture
def week(make_bench: Any, signed: Any) -> Any:
    """A keeper whose authority lasts for the week."""
    made = make_bench(signed(not_after=datetime.fromtimestamp(1_900_000_000 + 14 * 86400, UTC)))
    made.online(credit=100_000)
    return made


@pytest.mark.req("R17", "N8", "N9", "R11")
def test_with_its_passphrase_it_is_one_device_and_never_new_again(week: Any) -> None:
    first, nights = live(week, key="key-7", identifier=False)
    assert first == {"unregistered-device": 1}
    assert nights == [Counter()] * NIGHTS
    device = week.device(address(0))
    assert [item.joined_by for item in device.addresses] == [None, *[JoinedBy.KEY] * NIGHTS]
    assert week.rows("device") == 1


@pytest.mark.req("R17", "N8", "R11")
def test_with_an_identifier_that_was_confirmed_once_it_is_one_device_from_then_on(week: Any) -> None:
    """The first change of address asks the officer once; the six nights after say nothing."""
    first, nights = live(week, key=None, identifier=True)
    assert first == {"unregistered-device": 1}
    assert nights[0] == {"unregistered-device": 1, "same-device": 1}
    assert nights[1:] == [Counter()] * (NIGHTS - 1)
    device = week.device(address(0))
    joined = [item.joined_by for item in device.addresses]
    assert joined == [None, JoinedBy.PERSON, *[JoinedBy.IDENTIFIER] * (NIGHTS - 1)]
    assert sum(1 for item in week.core._book.registry if item.addresses) == 1


@pytest.mark.req("R17", "R47")
def test_with_neither_nothing_is_joined(week: Any) -> None:
    """Confirming one proposal does not make likeness enough for the next: each night is a device that may be known."""
    _first, nights = live(week, key=None, identifier=False)
    assert [night["unregistered-device"] for night in nights] == [1] * NIGHTS
    assert sum(1 for item in week.core._book.registry if item.addresses) >= NIGHTS
