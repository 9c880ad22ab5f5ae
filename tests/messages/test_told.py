from __future__ import annotations

import pytest

from appliance.messages import MessageError, decode, encode
from appliance.messages.told import Enforcement, Filter

ONE, TWO = "02:00:00:00:00:01", "02:00:00:00:00:02"


def test_all_filtered_devices_whatever_their_filter() -> None:
    order = Enforcement(
        generation=1, quarantined=(), filters=(Filter(number=1, macs=(ONE,)), Filter(number=3, macs=(TWO,)))
    )
    assert order.filtered == (ONE, TWO)
    assert decode(encode([order])) == [order]


@pytest.mark.parametrize("lease", [0.0, 601.0])
def test_a_lease_that_never_ends_or_never_holds_is_no_message(lease: float) -> None:
    with pytest.raises(MessageError):
        decode(encode([Enforcement(generation=1, quarantined=(), lease=lease)]))
