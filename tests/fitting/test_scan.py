from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.fitting.scan import MAX_FOUND, MAX_TEXT, bssids

PRINTED = b"""BSS 02:00:5e:00:53:10(on wlan0)
\tlast seen: 1.5s [boottime]
\tsignal: -40.00 dBm
\tSSID: BSS 02:00:5e:00:53:66(on wlan0)
BSS 02:00:5e:00:53:11(on wlan0) -- associated
\tSSID: \\x0aBSS 02:00:5e:00:53:77(on wlan0)
BSS 02:00:5e:00:53:10(on wlan0)
"""


def test_addresses_are_read_and_names_are_not() -> None:
    assert bssids(PRINTED) == ("02:00:5e:00:53:10", "02:00:5e:00:53:11")


def test_what_is_too_much_is_left_out() -> None:
    many = b"".join(b"BSS 02:00:5e:00:%02x:%02x(on wlan0)\n" % divmod(number, 256) for number in range(2000))
    assert len(bssids(many)) == MAX_FOUND
    assert bssids(b" " * MAX_TEXT + b"\nBSS 02:00:5e:00:53:10(on wlan0)") == ()


@given(st.binary(max_size=300))
def test_any_octets_are_read_without_a_fault(junk: bytes) -> None:
    assert all(len(found) == 17 for found in bssids(PRINTED[:40] + junk + b"\n" + PRINTED))
