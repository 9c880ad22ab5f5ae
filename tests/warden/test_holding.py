"""What an order makes of the sets."""

from __future__ import annotations

import pytest

from appliance.messages import MAX_FILTERS, MAX_MASKED, MAX_REFUSED, Enforcement, Filter
from appliance.warden import holding
from firmware import names

MAC, OTHER = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"


def order(*filters: Filter) -> Enforcement:
    return Enforcement(generation=1, quarantined=(), filters=filters)


def test_rules_and_messages_agree_about_their_bounds() -> None:
    assert (len(names.FILTERS), names.QUARANTINE_SIZE, names.REFUSED_SIZE) == (MAX_FILTERS, MAX_MASKED, MAX_REFUSED)


@pytest.mark.parametrize(
    ("filters", "why"),
    [
        ([Filter(number=1, macs=(MAC,)), Filter(number=1, macs=(OTHER,))], "said twice"),
        ([Filter(number=1, macs=(MAC,)), Filter(number=2, macs=(MAC,))], "in two filters"),
        ([Filter(number=1, macs=(MAC,), refused=("example.com",))], "not an address"),
        ([Filter(number=1, macs=(MAC,), refused=("192.0.2.1 }; flush ruleset; {",))], "not an address"),
        ([Filter(number=1, macs=(MAC,), refused=("0.0.0.0/0",))], "whole internet"),
        ([Filter(number=1, macs=("nobody",))], "hardware address"),
        (
            [Filter(number=1, macs=(MAC,), refused=tuple(f"10.{n >> 8}.{n & 255}.0/25" for n in range(2049)))],
            "more than",
        ),
    ],
)
def test_an_order_that_cannot_be_is_refused_whole(filters: list[Filter], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        holding.from_order(order(*filters), 0.0)


@pytest.mark.req("R57")
def test_an_address_of_everybody_is_never_held() -> None:
    """Dropping what goes to it would take the household's broadcasts: addresses and names for all."""
    everybody = ("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:00:00:00:01", "00:00:00:00:00:00")
    wanted = Enforcement(generation=1, quarantined=(*everybody, MAC), filters=(Filter(number=1, macs=everybody),))
    held = holding.from_order(wanted, 0.0)
    assert {place: members.leased for place, members in held.sets.items()} == {
        (family, names.QUARANTINED): (MAC,) for family in names.QUARANTINE_FAMILIES
    }


def test_what_the_kernel_holds_is_an_order_too() -> None:
    place = ("inet", names.FILTERS[0].macs)
    held = holding.from_kernel({place: {MAC: 20, OTHER: None}}, 100.0)
    assert (held.left(100.0), held.left(119.5), held.left(121.0)) == (20, 0, 0)
    assert held.add(100.0) == f"add element inet gatehouse filtered_1 {{ {OTHER}, {MAC} timeout 20s }}\n"
    assert held.add(125.0) == f"add element inet gatehouse filtered_1 {{ {OTHER} }}\n"
