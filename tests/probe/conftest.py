"""Shared by the probe's tests: this box on a made-up network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest

from appliance.probe.own import Own


@pytest.fixture(scope="session")
def own() -> Own:
    return Own(
        mac="02:00:5e:10:00:01",
        address=IPv4Address("192.0.2.1"),
        network=IPv4Network("192.0.2.0/28"),
        link_local=IPv6Address("fe80::1"),
        port=40000,
        number=0xA1B2C3D4,
    )
