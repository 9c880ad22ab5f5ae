from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.signs.weigh import UPSTREAM_CROWD, severity
from appliance.signals import Signal
from wire.base import Standing
from wire.findings import FindingKind, Grade, Severity

MAC = "02:00:00:00:00:09"


@pytest.mark.req("N11", "R18")
def test_whoever_hands_out_addresses_is_told(script: Any) -> None:
    (sign,) = script().hear(Signal.DHCP_SERVER, "4").network(MAC)
    assert (sign.kind, sign.grade, sign.subject) == (FindingKind.OTHER_DHCP, Grade.HIGH, MAC)
    assert any("under the address of another" in text for text in sign.alternatives), "an address proves little"
    (expected,) = script().knowing(standing=Standing.INFRASTRUCTURE).hear(Signal.DHCP_SERVER, "4").network(MAC)
    assert expected.grade is Grade.LOW


@pytest.mark.req("N11", "R18")
def test_a_second_router_is_told_and_a_hub_is_not_taken_for_one(script: Any) -> None:
    (sign,) = script().hear(Signal.ROUTER, "advertisement").network(MAC)
    assert (sign.kind, sign.grade) == (FindingKind.SECOND_ROUTER, Grade.HIGH)
    (hub,) = script().knowing(category="speaker").hear(Signal.ROUTER, "advertisement").network(MAC)
    assert hub.grade is Grade.LOW
    both = script().hear(Signal.ROUTER, "advertisement").hear(Signal.DHCP_SERVER, "6").network(MAC)
    assert {(item.kind.value, item.signals) for item in both} == {("other-dhcp-server", 2), ("second-router", 2)}


@pytest.mark.req("N11")
def test_a_device_upstream_is_graded_by_how_it_speaks(script: Any) -> None:
    (quiet,) = script().hear(Signal.UPSTREAM, "arp").network(MAC)
    assert (quiet.kind, quiet.grade, quiet.subject) == (FindingKind.UPSTREAM_DEVICE, Grade.LOW, MAC)
    (speaks,) = script().hear(Signal.UPSTREAM, "arp").hear(Signal.UPSTREAM, "mdns").network(MAC)
    assert (speaks.grade, speaks.signals) == (Grade.MEDIUM, 2)
    (provider,) = script().knowing(gateway=True).hear(Signal.UPSTREAM, "mdns").network(MAC)
    assert provider.grade is Grade.LOW
    (asks,) = script().knowing(gateway=True).hear(Signal.UPSTREAM, "dhcp").network(MAC)
    assert asks.grade is Grade.MEDIUM, "whoever gives the addresses asks for none"
    (crowd,) = script().knowing(upstream=UPSTREAM_CROWD + 1).hear(Signal.UPSTREAM, "dhcp").network(MAC)
    assert crowd.grade is Grade.LOW
    assert any("provider's own network" in text for text in crowd.reasons)


def test_infrastructure_is_for_information() -> None:
    assert severity(FindingKind.SECOND_ROUTER, Grade.HIGH, Standing.INFRASTRUCTURE) is Severity.INFORMATION
