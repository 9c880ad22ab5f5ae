"""Phones that are near: a number an hour, and nothing of any of them."""

from __future__ import annotations

import gc

import pytest

from appliance.warden import nearby
from appliance.warden.nearby import HOUR, MAX_HEARD, Nearby, sender

NEAR, OTHER, JOINED = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b", "02:00:5e:00:53:0c"


@pytest.mark.parametrize(
    ("event", "mac"),
    [
        (b"<3>RX-PROBE-REQUEST sa=02:00:5E:00:53:0A signal=-61", NEAR),
        (b"<3>RX-PROBE-REQUEST sa=02:00:5e:00:53:0a\n", NEAR),
        (b"<3>AP-STA-CONNECTED 02:00:5e:00:53:0a", None),
        (b"<3>RX-PROBE-REQUEST sa=nobody", None),
        (b"OK\n", None),
        (b"", None),
        (b"\xff" * 5000, None),
    ],
)
def test_senders_are_read(event: bytes, mac: str | None) -> None:
    assert sender(event) == mac


@pytest.mark.req("R21")
def test_an_hour_gives_one_number_of_those_that_did_not_join() -> None:
    count = Nearby()
    count.heard(NEAR)
    assert count.due(now=10.0, monotonic=HOUR * 9) is None, "nobody asked for it"
    count.wanted(True, now=1000.0, monotonic=0.0)
    for mac in (NEAR, NEAR, OTHER, JOINED):
        count.heard(mac)
    count.joined(JOINED)
    assert count.due(now=2000.0, monotonic=HOUR - 1) is None
    counted = count.due(now=1000.0 + HOUR, monotonic=HOUR)
    assert counted is not None
    assert (counted.since, counted.ts, counted.count) == (1000.0, 1000.0 + HOUR, 2)
    again = count.due(now=1000.0 + 2 * HOUR, monotonic=2 * HOUR)
    assert again is not None
    assert again.count == 0, "the next hour begins with nothing"
    for mac in (NEAR, JOINED):
        count.heard(mac)
    third = count.due(now=1000.0 + 3 * HOUR, monotonic=3 * HOUR)
    assert third is not None
    assert third.count == 1, "who joined earlier and is still here is not only near"
    count.left(JOINED)
    count.wanted(False, now=0.0, monotonic=0.0)


@pytest.mark.req("R21")
def test_no_address_is_kept_and_no_mark_outlives_its_hour() -> None:
    count = Nearby()
    count.wanted(True, now=1000.0, monotonic=0.0)
    count.heard(NEAR)
    first = set(count._heard)
    assert NEAR not in str(gc.get_referents(count)), "not in any of its fields"
    count.due(now=1000.0 + HOUR, monotonic=HOUR)
    count.heard(NEAR)
    assert not first & count._heard, "the same phone cannot be known again"
    count.wanted(False, now=5000.0, monotonic=HOUR + 1)
    assert not count._heard
    assert count._key == b""
    assert not count.counting


def test_more_than_fit_are_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "MAX_HEARD", 2)
    count = Nearby()
    count.wanted(True, now=0.0, monotonic=0.0)
    for mac in (NEAR, OTHER, JOINED, NEAR):
        count.heard(mac)
    assert count.overflow == 1
    assert MAX_HEARD == 4096
