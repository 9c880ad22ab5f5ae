from __future__ import annotations

import contextlib
from collections.abc import Callable
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import dtls, tls
from appliance.sensor.packet.cursor import ParseError


def fragment(body: bytes, *, whole: int, offset: int = 0, kind: int = 1, message: int = 0) -> bytes:
    header = bytes((kind,)) + whole.to_bytes(3, "big") + pack("!H", message)
    return header + offset.to_bytes(3, "big") + len(body).to_bytes(3, "big") + body


def record(content: bytes, *, kind: int = 22, version: int = 0xFEFD, epoch: int = 0) -> bytes:
    return pack("!BHHHIH", kind, version, epoch, 0, 0, len(content)) + content


@pytest.mark.parametrize("version", [0xFEFF, 0xFEFD, 0x0100])
def test_a_hello_whole(version: int) -> None:
    data = record(fragment(b"hello", whole=5), version=version)
    assert dtls.may_begin(data)
    assert dtls.fragments(data) == [dtls.Fragment(0, 5, 0, b"hello")]


def test_parts_in_one_record_and_in_several() -> None:
    parts = [fragment(b"hel", whole=5), fragment(b"lo", whole=5, offset=3)]
    wanted = [dtls.Fragment(0, 5, 0, b"hel"), dtls.Fragment(0, 5, 3, b"lo")]
    assert dtls.fragments(record(b"".join(parts))) == wanted
    assert dtls.fragments(b"".join(record(part) for part in parts)) == wanted


def test_other_messages_and_what_is_protected_say_nothing() -> None:
    other = record(fragment(b"x", whole=1, kind=16))
    assert dtls.fragments(other) == []
    hello = record(fragment(b"x", whole=1))
    for behind in (record(b"secret", epoch=1), record(b"\x01", kind=20)):
        assert len(dtls.fragments(hello + behind + hello)) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        record(fragment(b"", whole=0))[:-1],
        record(fragment(b"x", whole=1), version=0x0303),
        record(fragment(b"x", whole=1), kind=23),
        record(fragment(b"x", whole=1, kind=2)),
        record(fragment(b"x", whole=1), epoch=1),
    ],
)
def test_other_datagrams_are_told_at_a_glance(data: bytes) -> None:
    assert not dtls.may_begin(data)


@pytest.mark.parametrize(
    "data",
    [
        record(fragment(b"x", whole=1))[:-1],
        record(fragment(b"xx", whole=1)),
        record(fragment(b"x", whole=2, offset=2)),
        record(fragment(b"x", whole=tls.MAX_HELLO + 1)),
        record(b"\x01\0\0"),
        record(fragment(b"x", whole=1)) + b"\x16\xfe",
        record(fragment(b"x", whole=1), version=0xFEFE),
    ],
)
def test_broken_datagrams(data: bytes) -> None:
    with pytest.raises(ParseError):
        dtls.fragments(data)


def test_records_and_parts_are_bounded() -> None:
    one = record(fragment(b"x", whole=1))
    assert len(dtls.fragments(one * 40)) == dtls.MAX_RECORDS
    with pytest.raises(ParseError, match="fragments"):
        dtls.fragments(record(fragment(b"", whole=1) * 40))


def test_a_cookie_stands_in_the_body(build: Any) -> None:
    plain = build.hello()[4:]
    hello = tls.read_body(plain[:35] + b"\x03abc" + plain[35:], tls.Carrier.DTLS)
    assert hello.sni == "shop.example"
    with pytest.raises(ParseError):
        tls.read_body(plain[:35] + b"\xffabc", tls.Carrier.DTLS)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for candidate in (data, record(data), record(fragment(data, whole=len(data)))):
        dtls.may_begin(candidate)
        with contextlib.suppress(ParseError):
            dtls.fragments(candidate)
    with contextlib.suppress(ParseError):
        tls.read_body(data, tls.Carrier.DTLS)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8))
def test_mutations(build: Any, mutate: Callable[..., bytes], edits: list[tuple[int, int]]) -> None:
    body = build.hello()[4:]
    with contextlib.suppress(ParseError):
        dtls.fragments(mutate(record(fragment(body, whole=len(body))), edits))
