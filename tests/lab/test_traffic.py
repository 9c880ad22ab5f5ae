"""Bulk: what is said to have been sent is what the router saw, and there is a bound."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from lab import traffic
from lab.client import Client
from lab.household import Household

Maker = Callable[..., Client]


@pytest.mark.lab
@pytest.mark.parametrize("family", [4, 6])
def test_every_flow_that_was_sent_went_through_the_router(home: Household, device: Maker, family: Any) -> None:
    client = device()
    client.lease()
    client.address6()
    sent = traffic.flows(client, 900, 3000, family=family)
    assert (sent.flows, sent.refused) == (900, 0), "as many as one device may open at once"
    counted = home.gateway.run(["nft", "list", "set", "inet", "gatehouse", "volume_up"]).stdout
    found = re.search(rf"{client.mac} counter packets (\d+)", counted)
    assert found is not None
    assert int(found[1]) == 900


@pytest.mark.lab
@pytest.mark.parametrize("reverse", [False, True])
def test_bytes_go_through_the_router_both_ways(home: Household, device: Maker, *, reverse: bool) -> None:
    client = device()
    client.lease()
    moved = traffic.bulk(client, home.internet, 1, reverse=reverse)
    assert moved.octets > 0
    assert moved.bits_per_second == pytest.approx(8 * moved.octets / moved.seconds)


@pytest.mark.parametrize(
    ("count", "rate"), [(traffic.MAX_FLOWS + 1, 10_000), (10, traffic.MAX_RATE + 1), (0, 1), (1000, 1)]
)
def test_more_flows_than_the_bound_are_refused(count: int, rate: int) -> None:
    with pytest.raises(ValueError, match="at most"):
        traffic.flows(None, count, rate)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "streams"), [(121, 1), (0, 1), (1, 17)])
def test_longer_transfers_than_the_bound_are_refused(seconds: int, streams: int) -> None:
    with pytest.raises(ValueError, match="at most"):
        traffic.bulk(None, None, seconds, streams=streams)  # type: ignore[arg-type]


def test_the_sink_has_ports_enough_for_the_bound() -> None:
    from lab.addresses import SINK_PORTS

    assert len(SINK_PORTS) * (traffic.LAST_PORT - traffic.FIRST_PORT + 1) >= traffic.MAX_FLOWS
