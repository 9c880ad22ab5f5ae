"""First packets without order, and the many that only look a little so."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.home import Home
from appliance.sensor.signals.noise import LEAST, Noise, is_noise
from appliance.sensor.signals.told import Told
from appliance.signals import Signal


def noise(length: int, seed: int = 1) -> bytes:
    return hashlib.shake_128(seed.to_bytes(4, "big")).digest(length)


@pytest.mark.req("R11")
def test_most_noise_is_seen_as_noise() -> None:
    for length in (LEAST, 100, 256):
        assert sum(is_noise(noise(length, seed)) for seed in range(500)) >= 470


@pytest.mark.req("R11")
def test_a_flow_that_begins_with_noise_is_told_with_its_length(facts: Any, home: Home) -> None:
    (one,) = Noise(home, Told()).take(facts.opened(noise(200), protocol=6, dport=8388))
    assert (one.signal, one.value, one.server, one.port) == (Signal.RANDOM_FIRST, "200", "198.51.100.9", 8388)


@pytest.mark.req("R11", "N4")
def test_an_address_that_the_device_was_told_is_passed_over(facts: Any, home: Home) -> None:
    told = Told()
    told.take(facts.told("game.example", facts.address("game.example", "198.51.100.9")))
    assert not list(Noise(home, told).take(facts.opened(noise(200), protocol=6)))


def test_the_household_s_own_is_passed_over(facts: Any, home: Home) -> None:
    assert not list(Noise(home, Told()).take(facts.opened(noise(200), dst="192.0.2.9")))


@pytest.mark.req("N4")
@pytest.mark.parametrize(
    "first",
    [
        noise(LEAST - 1),
        b"\x17\x03\x03\x00" + bytes(100),
        b"EHLO laptop.example and more " + noise(200),
        b"POST /upload HTTP/1.1\r\n" + noise(200),
        b'{"id":1,"method":"login","params":["0123456789abcdef0123456789abcdef"]}' * 3,
        bytes(range(32, 127)) * 2,
        bytes(64) + noise(64),
        noise(32) + b"x" * 32,
        b"\x55\xaa" * 64,
        noise(80) + b"this is a long printable run of text" + noise(80),
        bytes.fromhex("000055aa00000001") + bytes(30) + noise(20),
    ],
)
def test_what_has_some_order_is_no_noise(first: bytes) -> None:
    assert not is_noise(first)


@pytest.mark.req("N4")
@pytest.mark.parametrize(
    ("first", "dport"),
    [
        (b"\x80\x60" + noise(160), 40002),  # RTP, dynamic payload type
        (b"\x90\x6f" + noise(160), 40002),
        (b"\x80\xc8" + noise(60), 40003),  # RTCP
        (b"\x16\xfe\xff" + noise(100), 443),
        (b"\x17\xfe\xfd" + noise(100), 443),
        (b"\x41\x00" + noise(100), 6881),  # uTP
        (b"\x23\x02" + noise(60), 123),
        (b"\x45" + noise(100), 443),  # QUIC that goes on
    ],
)
def test_calls_streams_and_sharing_are_passed_over(facts: Any, home: Home, first: bytes, dport: int) -> None:
    assert not list(Noise(home, Told()).take(facts.opened(first, dport=dport)))


@given(first=st.binary(max_size=256))
def test_no_bytes_raise(first: bytes) -> None:
    assert is_noise(first) in {True, False}
    assert not is_noise(bytes(300) + first)
