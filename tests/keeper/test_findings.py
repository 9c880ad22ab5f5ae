from __future__ import annotations

import pytest

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.now import Now
from appliance.messages import Via
from wire.base import Standing


def device(mac: str) -> Device:
    return Device(
        device_id="d-1",
        revision=1,
        standing=Standing.UNKNOWN,
        addresses=(Address(mac=mac, first_seen=1.0, last_seen=1.0),),
        first_seen=1.0,
        last_seen=1.0,
        reported_at=1.0,
    )


@pytest.mark.req("R29", "R63")
@pytest.mark.parametrize("via", [*Via, None])
def test_each_way_of_being_seen_has_words(scope: Scope, via: Via | None) -> None:
    finding = findings.unregistered(
        device("02:00:00:00:00:01"), clause="2", via=via, now=Now(scope=scope, ts=1.0, at=2.0), finding_id="f-1"
    )
    assert finding.reasons[1].startswith("It was first seen when")
    text = finding.model_dump_json().lower()
    for word in ("breach", "person", "offender", "user", "dhcp-", "mac address"):
        assert word not in text


@pytest.mark.req("R47")
def test_a_made_up_address_is_less_sure(scope: Scope) -> None:
    made_up, real = (
        findings.unregistered(device(mac), clause="2", via=None, now=Now(scope=scope, ts=1.0, at=2.0), finding_id="f-1")
        for mac in ("02:00:00:00:00:01", "00:00:5e:00:53:01")
    )
    assert made_up.confidence < real.confidence < 1
    assert len(made_up.alternatives) == len(real.alternatives) + 1


@pytest.mark.req("R26")
def test_repeats_and_closing(scope: Scope) -> None:
    first = findings.unregistered(
        device("02:00:00:00:00:01"), clause="2", via=None, now=Now(scope=scope, ts=10.0, at=10.0), finding_id="f-1"
    )
    late = findings.again(findings.again(first, 30.0), 20.0)
    assert (late.count, late.last_seen.timestamp(), late.revision) == (3, 30.0, 1)
    closed = findings.closed(late, "Because.")
    assert (closed.revision, closed.state, closed.closed_because) == (2, "closed", "Because.")
    assert first.state == "open"
