"""Who tries passphrases: hostapd's lines in, counts out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import PassphraseGuessed
from appliance.warden.guesses import MAX_GUESSERS, REPORT_SECONDS, Guesses, guesser

MAC = "02:00:5e:00:53:0a"


def test_a_try_is_hostapds_own_word() -> None:
    assert guesser(f"<3>AP-STA-POSSIBLE-PSK-MISMATCH {MAC.upper()}\n".encode()) == MAC
    assert guesser(f"<3>AP-STA-CONNECTED {MAC}".encode()) is None
    assert guesser(f"<3>AP-STA-POSSIBLE-PSK-MISMATCH {MAC}{' ' * 300}".encode()) is None


@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing(event: bytes) -> None:
    guesser(event)
    guesser(b"<3>AP-STA-POSSIBLE-PSK-MISMATCH " + event)


@pytest.mark.req("N9", "R28")
def test_tries_are_counted_and_told_together() -> None:
    guesses = Guesses()
    assert guesses.due(0.0) == ()
    for second in range(5):
        guesses.tried(MAC, now=1000.0 + second, monotonic=float(second))
    assert guesses.due(REPORT_SECONDS - 1) == ()
    assert guesses.due(REPORT_SECONDS) == (PassphraseGuessed(ts=1004.0, since=1000.0, mac=MAC, count=5),)
    assert guesses.due(REPORT_SECONDS + 1) == ()


@pytest.mark.req("N9")
def test_addresses_beyond_the_bound_are_counted_as_one() -> None:
    guesses = Guesses()
    for number in range(MAX_GUESSERS + 500):
        guesses.tried(f"02:00:5e:01:{number // 256:02x}:{number % 256:02x}", now=1000.0, monotonic=0.0)
    told = guesses.due(REPORT_SECONDS)
    assert len(told) == MAX_GUESSERS + 1
    assert [(each.count, each.addresses) for each in told if each.mac is None] == [(500, 500)]
    assert guesses.overflow == 500


def test_a_clock_that_is_set_back_tells_no_end_before_the_beginning() -> None:
    guesses = Guesses()
    guesses.tried(MAC, now=1000.0, monotonic=0.0)
    guesses.tried(MAC, now=10.0, monotonic=1.0)
    assert guesses.due(REPORT_SECONDS)[0].ts == 1000.0
