from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import icmp6
from appliance.sensor.packet.cursor import Cursor, ParseError

ROUTER = bytes.fromhex("00005e0053fe")
SOURCE = b"\x01\x01" + ROUTER


def advertisement(options: bytes) -> bytes:
    return bytes((134, 0, 0, 0)) + pack("!BBHII", 64, 0x80, 1800, 0, 0) + options


def read(data: bytes) -> icmp6.Message:
    message = icmp6.parse(Cursor(data))
    assert message is not None
    return message


@pytest.mark.parametrize("kind", [133, 134])
def test_router_messages_have_no_target(kind: int) -> None:
    assert read(bytes((kind, 0, 0, 0))) == icmp6.Message(kind=kind, target=None)


@pytest.mark.parametrize("kind", [135, 136])
def test_neighbour_messages_name_a_target(kind: int) -> None:
    target = bytes(range(16))
    assert read(bytes((kind, 0, 0, 0)) + bytes(4) + target) == icmp6.Message(kind=kind, target=target)


def test_flags_of_an_advertisement() -> None:
    rest = bytes(3) + bytes(16) + b"\x02\x01" + ROUTER
    message = read(bytes((136, 0, 0, 0, 0xA0)) + rest)
    assert (message.from_router, message.solicited, message.override) == (True, False, True)
    assert (message.target_link, message.source_link) == (ROUTER, None)
    assert not read(bytes((135, 0, 0, 0, 0xA0)) + rest).from_router, "those bits are reserved in a solicitation"


@pytest.mark.req("R11")
def test_what_a_router_advertises(build: Any) -> None:
    prefix = b"\x03\x04" + pack("!BBII4x", 64, 0xC0, 86400, 14400) + build.address("2001:db8:1::")
    resolvers = b"\x19\x05" + bytes(6) + build.address("2001:db8::53") + build.address("2001:db8::54")
    portal = b"\x25\x04" + b"https://portal.example/".ljust(30, b"\0")
    message = read(advertisement(SOURCE + prefix + b"\x05\x01\0\0\0\0\x05\xdc" + resolvers + portal))
    assert message.router == icmp6.Router(hop_limit=64, managed=True, other=False, lifetime=1800)
    assert message.source_link == ROUTER
    assert message.prefixes == (
        icmp6.Prefix(
            address=build.address("2001:db8:1::"),
            length=64,
            on_link=True,
            autonomous=True,
            valid=86400,
            preferred=14400,
        ),
    )
    assert message.resolvers == (build.address("2001:db8::53"), build.address("2001:db8::54"))
    assert (message.mtu, message.captive_portal, message.complete) == (1500, "https://portal.example/", True)


def test_a_solicitation_of_a_router_names_its_sender() -> None:
    assert read(bytes((133, 0, 0, 0)) + bytes(4) + SOURCE).source_link == ROUTER


@pytest.mark.parametrize("damage", [b"\x03\x00", b"\x03\x04", b"\x03", b"\x03\x01" + bytes(6), b"\x19\x02" + bytes(14)])
def test_damaged_options_leave_what_stands_before(damage: bytes) -> None:
    message = read(advertisement(SOURCE + damage))
    assert message.source_link == ROUTER
    assert not message.complete


def test_options_are_bounded() -> None:
    unknown = b"\xfd\x01" + bytes(6)
    assert read(advertisement(unknown * icmp6.MAX_OPTIONS)).complete
    message = read(advertisement(unknown * icmp6.MAX_OPTIONS + SOURCE))
    assert (message.complete, message.source_link) == (False, None)


def test_resolvers_are_bounded() -> None:
    most = icmp6.MAX_RESOLVERS
    message = read(advertisement(bytes((25, 1 + 2 * (most + 1))) + bytes(6) + bytes(16) * (most + 1)))
    assert (len(message.resolvers), message.complete) == (most, False)


def test_other_messages_say_nothing() -> None:
    assert icmp6.parse(Cursor(bytes((128, 0, 0, 0)))) is None


@given(st.binary(max_size=200), st.sampled_from([b"", *(bytes((kind, 0, 0, 0)) for kind in range(133, 137))]))
def test_any_bytes(rest: bytes, start: bytes) -> None:
    data = start + rest
    try:
        message = icmp6.parse(Cursor(data))
    except ParseError:
        return
    assert message is None or message.target is None or len(message.target) == 16
