from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import dhcp6
from appliance.sensor.packet.cursor import Cursor, ParseError

LLT = b"\0\x01\0\x01" + bytes(4) + bytes.fromhex("00005e005301")
LL = b"\0\x03\0\x01" + bytes.fromhex("00005e005302")


def option(code: int, value: bytes) -> bytes:
    return pack("!HH", code, len(value)) + value


def message(options: bytes, *, kind: int = 1) -> bytes:
    return bytes((kind, 1, 2, 3)) + options


def relayed(inner: bytes, *, kind: int = 12) -> bytes:
    return bytes((kind, 0)) + bytes(32) + option(18, b"port-1") + option(9, inner)


def read(data: bytes) -> dhcp6.Message:
    return dhcp6.parse(Cursor(data))


SOLICIT = (
    option(1, LLT)
    + option(6, pack("!4H", 23, 24, 39, 31))
    + option(8, b"\0\0")
    + option(16, pack("!IH", 311, 8) + b"MSFT 5.0")
    + option(39, b"\x01\x06laptop")
    + option(3, bytes(12))
)


@pytest.mark.req("R11")
def test_a_client_says_who_it_is() -> None:
    found = read(message(SOLICIT))
    assert (found.message_type, found.transaction, found.from_client, found.relays) == (1, 0x010203, True, 0)
    assert [code for code, _ in found.options] == [1, 6, 8, 16, 39, 3]
    assert found.requested == (23, 24, 39, 31)
    assert found.vendor_class == (311, "MSFT 5.0")
    assert found.client_duid == LLT
    assert (found.fqdn, found.server_duid, found.addresses) == ("laptop", None, ())


def test_a_server_gives_addresses(build: Any) -> None:
    one, two = build.address("2001:db8:1::7"), build.address("2001:db8:1::8")
    lease = option(5, one + bytes(8)) + option(13, b"\0\0")
    found = read(
        message(option(2, LL) + option(3, bytes(12) + lease) + option(4, bytes(4) + option(5, two + bytes(8))), kind=7)
    )
    assert not found.from_client
    assert found.addresses == (one, two)
    assert (found.server_duid, found.client_duid) == (LL, None)


@pytest.mark.parametrize(
    "duid", [LL, LLT + b"\0", b"\0\x04" + bytes(16), b"\0\x02\0\0\x01\x37example", b"\0\x03\0\x06" + bytes(6)]
)
def test_an_identifier_of_any_kind_is_kept_as_it_is(duid: bytes) -> None:
    assert read(message(option(1, duid))).client_duid == duid


@pytest.mark.parametrize("duid", [b"", bytes(131)])
def test_what_is_no_identifier_is_none(duid: bytes) -> None:
    assert read(message(option(1, duid))).client_duid is None


def test_out_of_relays() -> None:
    found = read(relayed(relayed(message(SOLICIT)), kind=13))
    assert (found.message_type, found.relays, found.fqdn) == (1, 2, "laptop")


def test_relays_are_bounded() -> None:
    data = message(SOLICIT)
    for _ in range(dhcp6.MAX_RELAYS):
        data = relayed(data)
    assert read(data).relays == dhcp6.MAX_RELAYS
    with pytest.raises(ParseError, match="relays"):
        read(relayed(data))


@pytest.mark.parametrize("data", [bytes((12, 0)) + bytes(32), relayed(b""), bytes((12,)), bytes((12, 0)) + bytes(20)])
def test_a_relay_message_with_nothing_in_it(data: bytes) -> None:
    with pytest.raises(ParseError):
        read(data)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"\0\x02TV\x07example\0", "tv.example"),
        (b"\0\x02tv", "tv"),
        (b"\0\0", None),
        (b"\0", None),
        (b"\0\x3ftv", None),
        (b"\0\xc0\x0c", None),
        (b"\0" + b"\x01a" * 127 + b"\0", ".".join("a" * 127)),
        (b"\0" + b"\x01a" * 128, None),
    ],
)
def test_a_name(value: bytes, name: str | None) -> None:
    assert read(message(option(39, value))).fqdn == name


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"", None),
        (bytes(3), None),
        (b"\0\0\1\x37", (311, "")),
        (b"\0\0\1\x37\0\x09ab", (311, "ab")),
        (b"\0\0\1\x37\0\x01ab", (311, "a")),
    ],
)
def test_vendor_class(value: bytes, found: tuple[int, str] | None) -> None:
    assert read(message(option(16, value))).vendor_class == found


def test_text_is_bounded() -> None:
    found = read(message(option(16, pack("!IH", 311, 60000) + b"\xff" * 60000)))
    assert found.vendor_class is not None
    assert len(found.vendor_class[1]) == 255


def test_options_are_bounded() -> None:
    most = dhcp6.MAX_OPTIONS
    assert len(read(message(option(8, b"") * most)).options) == most
    with pytest.raises(ParseError, match="options"):
        read(message(option(8, b"") * (most + 1)))


def test_addresses_and_what_is_read_for_them_are_bounded() -> None:
    lease = option(5, bytes(24))
    assert len(read(message(option(3, bytes(12) + lease * 99))).addresses) == dhcp6.MAX_ADDRESSES
    filled = option(13, b"") * dhcp6.MAX_OPTIONS
    assert read(message(option(3, bytes(12) + filled + lease))).addresses == ()


def test_a_damaged_association_keeps_what_stands_before() -> None:
    assert read(message(option(3, bytes(12) + option(5, bytes(24)) + b"\0\x05\0\x18"))).addresses == (bytes(16),)
    assert read(message(option(3, bytes(3)) + option(4, bytes(4) + option(5, bytes(15))))).addresses == ()


def test_requested_codes_are_bounded_and_half_a_code_is_left_out() -> None:
    assert read(message(option(6, bytes(2 * 300)))).requested == (0,) * dhcp6.MAX_REQUESTED
    assert read(message(option(6, b"\0\x17\0"))).requested == (23,)


@pytest.mark.parametrize("data", [b"", b"\1", b"\1\0\0", message(b"\0"), message(b"\0\1\0\2a")])
def test_cut_short(data: bytes) -> None:
    with pytest.raises(ParseError):
        read(data)


@given(st.binary(max_size=300), st.sampled_from([b"", b"\1\0\0\0", b"\x0c" + bytes(33) + b"\0\x09"]))
def test_any_bytes(rest: bytes, start: bytes) -> None:
    try:
        found = read(start + rest)
    except ParseError:
        return
    assert len(found.options) <= dhcp6.MAX_OPTIONS
    assert all(len(address) == 16 for address in found.addresses)
    assert found.fqdn is None or found.fqdn.isprintable()


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=12))
def test_mutations(mutate: Any, edits: list[tuple[int, int]]) -> None:
    lease = option(3, bytes(12) + option(5, bytes(24)))
    try:
        found = read(mutate(relayed(message(SOLICIT + lease)), edits))
    except ParseError:
        return
    assert found.relays <= dhcp6.MAX_RELAYS
