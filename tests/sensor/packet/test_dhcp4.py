from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import dhcp4
from appliance.sensor.packet.cursor import Cursor, ParseError


def option(code: int, value: bytes) -> bytes:
    return bytes((code, len(value))) + value


DISCOVER = (
    option(53, b"\x01")
    + option(61, b"\x01\x00\x00\x5e\x00\x53\x01")
    + option(50, bytes((192, 0, 2, 7)))
    + option(60, b"example-client 1.0")
    + option(12, b"kitchen-tv")
    + option(55, bytes((1, 3, 6, 15)))
)


def test_a_client_says_who_it_is(build: Any) -> None:
    message = dhcp4.parse(Cursor(build.dhcp(DISCOVER + b"\xff")))
    assert message.from_client
    assert message.client_mac == build.phone
    assert message.message_type == 1
    assert message.host_name == "kitchen-tv"
    assert message.vendor_class == "example-client 1.0"
    assert message.client_id == "0100005e005301"
    assert message.parameters == (1, 3, 6, 15)
    assert message.requested_ip == bytes((192, 0, 2, 7))
    assert [code for code, _ in message.options] == [53, 61, 50, 60, 12, 55]


def test_a_name_in_many_parts_is_bounded(build: Any) -> None:
    parts = option(81, b"\x04\0\0" + b"\x01a" * 126) + option(81, b"\x01a")
    assert dhcp4.parse(Cursor(build.dhcp(parts))).fqdn == ".".join("a" * 127)
    assert dhcp4.parse(Cursor(build.dhcp(parts + option(81, b"\x01a")))).fqdn is None


def test_what_is_absent_is_none_not_empty(build: Any) -> None:
    message = dhcp4.parse(Cursor(build.dhcp(option(50, b"xx") + option(12, b""), operation=2)))
    assert not message.from_client
    assert message.message_type == 0
    assert (message.host_name, message.vendor_class, message.client_id, message.requested_ip) == (None,) * 4
    assert message.parameters == ()
    assert message.option(12) == b""
    assert message.option(60) is None


def test_padding_is_passed_over_and_nothing_after_the_end_is_read(build: Any) -> None:
    message = dhcp4.parse(Cursor(build.dhcp(b"\0\0" + option(53, b"\x03") + b"\xff" + option(12, b"late"))))
    assert message.options == ((53, b"\x03"),)


def test_parts_of_an_option_are_joined(build: Any) -> None:
    message = dhcp4.parse(Cursor(build.dhcp(option(12, b"long-") + option(53, b"\x01") + option(12, b"name"))))
    assert message.host_name == "long-name"


def test_other_hardware_has_no_mac(build: Any) -> None:
    data = bytearray(build.dhcp(b"\xff"))
    data[1] = 32
    assert dhcp4.parse(Cursor(bytes(data))).client_mac is None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"\0\0\0tv.example", "tv.example"),
        (b"\x04\0\0\x02TV\x07example\0", "tv.example"),
        (b"\x04\0\0\x02tv", "tv"),
        (b"\x04\0\0\0", None),
        (b"\x04\0\0\x3ftv", None),
        (b"\x04\0\0\xc0\x0c", None),
        (b"\0\0", None),
    ],
)
def test_name_in_option_81(build: Any, value: bytes, name: str | None) -> None:
    assert dhcp4.parse(Cursor(build.dhcp(option(81, value)))).host_name == name


@pytest.mark.req("R11")
def test_what_a_client_can_do(build: Any) -> None:
    options = option(55, bytes((1, 3, 108, 114))) + option(93, b"\0\x07\0\x09") + option(77, b"\x03abc\x02de")
    message = dhcp4.parse(Cursor(build.dhcp(options + b"\xff")))
    assert message.architectures == (7, 9)
    assert message.user_class == "abc,de"
    assert message.prefers_ipv6_only
    assert (message.ipv6_only_wait, message.captive_portal, message.server_id, message.fqdn) == (None,) * 4


def test_what_a_server_offers(build: Any) -> None:
    options = option(54, bytes((192, 0, 2, 1))) + option(108, b"\0\0\x07\x08") + option(114, b"https://portal.example/")
    message = dhcp4.parse(Cursor(build.dhcp(options + option(55, b"\x6c") + b"\xff", operation=2)))
    assert message.server_id == bytes((192, 0, 2, 1))
    assert (message.ipv6_only_wait, message.captive_portal) == (1800, "https://portal.example/")
    assert not message.prefers_ipv6_only


@pytest.mark.parametrize(
    ("value", "text"), [(b"MSFT 5.0", "MSFT 5.0"), (b"iPXE", "iPXE"), (b"\x04abcd", "abcd"), (b"\0", None), (b"", None)]
)
def test_user_class_with_and_without_lengths(build: Any, value: bytes, text: str | None) -> None:
    assert dhcp4.parse(Cursor(build.dhcp(option(77, value)))).user_class == text


@pytest.mark.parametrize("value", [b"", b"\0", b"\0\x07\0"])
def test_architectures_of_half_a_number(build: Any, value: bytes) -> None:
    assert dhcp4.parse(Cursor(build.dhcp(option(93, value)))).architectures == (7,) * (len(value) // 2)


def test_the_octets_of_options_are_bounded(build: Any) -> None:
    assert dhcp4.parse(Cursor(build.dhcp(bytes(dhcp4.MAX_OCTETS)))).options == ()
    with pytest.raises(ParseError, match="octets"):
        dhcp4.parse(Cursor(build.dhcp(bytes(dhcp4.MAX_OCTETS + 1))))


def test_an_option_reaches_no_further_than_its_range(build: Any) -> None:
    data = build.dhcp(option(12, b"tv"))
    for end in range(len(data) - 3, len(data)):
        with pytest.raises(ParseError):
            dhcp4.parse(Cursor(data + bytes(99), 0, end))


@pytest.mark.parametrize(("overload", "codes"), [(1, [52, 12]), (2, [52, 60]), (3, [52, 12, 60]), (0, [52])])
def test_overloaded_fields_are_read_file_first(build: Any, overload: int, codes: list[int]) -> None:
    data = build.dhcp(
        option(52, bytes((overload,))) + b"\xff",
        file=option(12, b"tv") + b"\xff",
        sname=option(60, b"class") + b"\xff",
    )
    assert [code for code, _ in dhcp4.parse(Cursor(data)).options] == codes


def test_an_overload_inside_an_overload_means_nothing(build: Any) -> None:
    inner = option(52, b"\x03") + b"\xff"
    data = build.dhcp(option(52, b"\x03") + b"\xff", file=inner, sname=inner)
    assert len(dhcp4.parse(Cursor(data)).options) == 3


@pytest.mark.parametrize("options", [b"\x0c", b"\x0c\xffabc", b"\x0c\x04abc"])
def test_an_option_that_crosses_the_end(build: Any, options: bytes) -> None:
    with pytest.raises(ParseError):
        dhcp4.parse(Cursor(build.dhcp(options)))


def test_options_are_bounded(build: Any) -> None:
    most = dhcp4.MAX_OPTIONS
    assert len(dhcp4.parse(Cursor(build.dhcp(option(12, b"") * most))).options) == most
    with pytest.raises(ParseError, match="options"):
        dhcp4.parse(Cursor(build.dhcp(option(12, b"") * (most + 1))))


def test_cut_before_its_options(build: Any) -> None:
    with pytest.raises(ParseError, match="octets"):
        dhcp4.parse(Cursor(build.dhcp(b"")[:-1]))


def test_plain_bootp_is_refused(build: Any) -> None:
    with pytest.raises(ParseError, match="cookie"):
        dhcp4.parse(Cursor(build.dhcp(b"").replace(b"\x63\x82\x53\x63", b"abcd")))


def read_all(message: dhcp4.Message) -> None:
    name = message.host_name
    assert name is None or (name.isprintable() and len(name) <= 255)
    assert message.vendor_class is None or message.vendor_class.isprintable()
    assert len(message.parameters) <= 255
    assert len(message.client_id or "") <= 510
    assert 0 <= message.message_type <= 255
    assert message.user_class is None or message.user_class.isprintable()
    assert message.captive_portal is None or message.captive_portal.isprintable()
    assert len(message.architectures) <= 127
    assert message.prefers_ipv6_only == (message.from_client and 108 in message.parameters)
    assert message.server_id is None or len(message.server_id) == 4
    assert message.requested_ip is None or len(message.requested_ip) == 4


@given(st.binary(max_size=400))
def test_any_options(build: Any, options: bytes) -> None:
    with contextlib.suppress(ParseError):
        read_all(dhcp4.parse(Cursor(build.dhcp(options))))


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=12))
def test_mutations(build: Any, mutate: Callable[..., bytes], edits: list[tuple[int, int]]) -> None:
    with contextlib.suppress(ParseError):
        read_all(dhcp4.parse(Cursor(mutate(build.dhcp(DISCOVER + option(81, b"\x04\0\0\x02tv\0") + b"\xff"), edits))))
