"""Opaque ids."""

from __future__ import annotations

import re

from appliance.keeper.devices.ids import id_source


def test_an_id_is_its_prefix_and_fifty_random_bits() -> None:
    octets = iter((bytes(range(7)), b"\xff" * 7))
    new_id = id_source("d", lambda count: next(octets)[:count])
    first, second = new_id(), new_id()
    assert first != second
    assert second == "d-7777777777"
    assert re.fullmatch(r"d-[a-z2-7]{10}", first)
