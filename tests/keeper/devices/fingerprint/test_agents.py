"""User-Agent headers, read within bounds."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices.fingerprint import agents


def test_system_and_device_are_read() -> None:
    phone = agents.read(
        "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"
    )
    assert phone.os == "Android"
    assert "Samsung" in phone.device
    assert phone.model == "SM-S918B"
    assert agents.read("Microsoft NCSI").model == ""


@given(st.text(max_size=400))
def test_any_header_is_read(header: str) -> None:
    assert isinstance(agents.read(header).os, str)


def test_only_the_beginning_of_a_header_is_looked_at() -> None:
    long = "x" * agents.MAX_AGENT
    assert agents.read(f"{long} (iPhone; CPU iPhone OS 17_0 like Mac OS X)") == agents.read(long)


def test_hostile_headers_end_soon_and_are_forgotten() -> None:
    # Far above what they take (tens of milliseconds), far below what an exponential expression would.
    before = time.process_time()
    for seed in ("a", " ", "(;", "Android ", "Mozilla/5.0 (", "; ", "1.", "iPhone; ", "Linux; U; Android 4; "):
        agents.read((seed * 300)[: agents.MAX_AGENT])
    assert time.process_time() - before < 20
    for number in range(agents.REMEMBERED + 10):
        agents.read(f"curl/{number}")
    assert agents.read.cache_info().currsize == agents.REMEMBERED
