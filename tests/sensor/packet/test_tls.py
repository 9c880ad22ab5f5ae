from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import tls
from appliance.sensor.packet.cursor import ParseError
from appliance.sensor.packet.ech import Ech


def openssl_hello(name: str) -> bytes:
    """What OpenSSL sends first: a stream with a real hello."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_a_hello_of_openssl() -> None:
    stream = openssl_hello("Shop.example")
    read = tls.read_stream(stream)
    assert read is not None
    hello, taken = read
    assert taken == len(stream)
    assert hello.sni == "shop.example"
    assert hello.alpn == (b"h2", b"http/1.1")
    assert 0x0304 in hello.supported_versions
    assert 0x1301 in hello.ciphers
    assert {0, 10, 13, 16, 43, 51} <= set(hello.extensions)
    assert hello.groups
    assert hello.signature_algorithms
    assert hello.point_formats


def test_the_hello_of_rfc_8448() -> None:
    read = tls.read_stream(
        bytes.fromhex(
            "16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece70000061301130313"
            "02010000910000000b0009000006736572766572ff01000100000a00140012001d001700180019010001010102010301040023"
            "0000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304"
            "000d0020001e040305030603020308040805080604010501060102010402050206020202002d00020101001c00024001"
        )
    )
    assert read is not None
    hello, taken = read
    assert taken == 201
    assert hello.sni == "server"
    assert hello.ciphers == (0x1301, 0x1303, 0x1302)
    assert hello.extensions == (0, 0xFF01, 10, 35, 51, 43, 13, 45, 28)
    assert hello.groups == (29, 23, 24, 25, 256, 257, 258, 259, 260)
    assert hello.key_shares == (29,)
    assert not hello.ticket
    assert not hello.resumes
    assert not hello.early_data
    assert hello.ech is Ech.NONE
    assert hello.ja3_text == "771,4865-4867-4866,0-65281-10-35-51-43-13-45-28,29-23-24-25-256-257-258-259-260,"
    assert hello.ja4 == "t13d030900_55b375c5d22e_59cd3dafc54d"


def test_a_client_that_was_here_before(build: Any) -> None:
    ticket = tls.read_handshake(build.hello(extensions=build.extension(35, b"ticket")))
    assert ticket is not None
    assert (ticket.ticket, ticket.resumes, ticket.early_data) == (True, True, False)
    key = tls.read_handshake(build.hello(extensions=build.extension(42, b"") + build.extension(41, b"key")))
    assert key is not None
    assert (key.ticket, key.resumes, key.early_data) == (False, True, True)


def test_a_hidden_name_is_judged(build: Any) -> None:
    body = b"\0\0\x01\0\x01\x07\0\0\0\x90" + bytes(144)
    hello = tls.read_handshake(build.hello(extensions=build.extension(0xFE0D, body)))
    assert hello is not None
    assert (hello.ech, hello.ech_body) == (Ech.REAL, body)


@pytest.mark.parametrize("body", [b"", b"\0", b"\0\x05\0\x1d\0\x09x", b"\0\x09\0\x1d\0\x01x"])
def test_malformed_key_shares_are_none(build: Any, body: bytes) -> None:
    hello = tls.read_handshake(build.hello(extensions=build.extension(51, body)))
    assert hello is not None
    assert (hello.key_shares, hello.extensions) == ((), (51,))


@pytest.mark.parametrize("body", [b"\0\x03\x05h2", b"\0\x09\x02h2", b"\0\x00"])
def test_malformed_protocols_are_none(build: Any, body: bytes) -> None:
    hello = tls.read_handshake(build.hello(extensions=build.extension(16, body)))
    assert hello is not None
    assert hello.alpn == ()
    assert hello.ja4[8:10] == "00"


def test_a_hello_in_the_form_of_ssl_2_is_none() -> None:
    hello = b"\x80\x2e\x01\x03\x01\0\x15\0\0\0\x10" + bytes(37)
    assert not tls.may_begin(hello)
    with pytest.raises(ParseError):
        tls.read_stream(hello)


def test_long_lists_are_read_but_not_remembered(build: Any) -> None:
    many = tuple(range(1000))
    hello = tls.read_handshake(build.hello(ciphers=many))
    assert hello is not None
    assert hello.ciphers == many


def test_order_and_grease_are_kept(build: Any) -> None:
    ciphers = (0x0A0A, 4867, 4865, 4866)
    extensions = build.extension(0x1A1A, b"") + build.extension(43, b"\x04\x1a\x1a\x03\x04") + build.sni(b"a.example")
    hello = tls.read_handshake(build.hello(extensions=extensions, ciphers=ciphers))
    assert hello is not None
    assert hello.ciphers == ciphers
    assert hello.extensions == (0x1A1A, 43, 0)
    assert hello.supported_versions == (0x1A1A, 0x0304)


def test_no_server_name_is_none(build: Any) -> None:
    hello = tls.read_handshake(build.hello(None))
    assert hello is not None
    assert hello.sni is None


def test_extensions_may_be_absent(build: Any) -> None:
    bare = build.hello(extensions=b"")[4:-2]
    hello = tls.read_handshake(b"\x01" + len(bare).to_bytes(3, "big") + bare)
    assert hello is not None
    assert hello.extensions == ()


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"\0\x09\0\0\x01x", b"\0\x05\0\0\x0fxy", b"\0\x03\0\0\0", b"\0\x04\x01\0\x01x", b"\0\x01\0"]
)
def test_a_malformed_server_name_does_not_hide_the_hello(build: Any, body: bytes) -> None:
    hello = tls.read_handshake(build.hello(extensions=build.extension(0, body)))
    assert hello is not None
    assert hello.extensions == (0,)
    assert hello.sni is None


def test_the_first_of_a_repeated_extension_counts(build: Any) -> None:
    hello = tls.read_handshake(build.hello(extensions=build.sni(b"first.example") + build.sni(b"second.example")))
    assert hello is not None
    assert hello.sni == "first.example"
    assert hello.extensions == (0, 0)


def test_unknown_versions_are_recorded(build: Any) -> None:
    message = bytearray(build.hello())
    message[4:6] = b"\x03\x09"
    hello = tls.read_handshake(bytes(message))
    assert hello is not None
    assert hello.legacy_version == 0x0309


@pytest.mark.parametrize("size", [1, 7, 40, 16384])
def test_a_hello_over_several_records(build: Any, size: int) -> None:
    stream = build.records(build.hello(), size=size)
    if size == 1:
        with pytest.raises(ParseError, match="records"):
            tls.read_stream(stream)
        return
    for end in range(len(stream)):
        assert tls.may_begin(stream[:end])
        assert tls.read_stream(stream[:end]) is None
    read = tls.read_stream(stream + b"more")
    assert read is not None
    assert read[1] == len(stream)


def test_a_second_hello_behind_change_cipher_spec(build: Any) -> None:
    change = bytes((20, 3, 3, 0, 1, 1))
    stream = change + build.records(build.hello())
    for end in range(len(stream)):
        assert tls.may_begin(stream[:end])
        assert tls.read_stream(stream[:end]) is None
    read = tls.read_stream(stream)
    assert read is not None
    assert read[0].sni == "shop.example"


@pytest.mark.parametrize(
    "prefix",
    [
        b"GET / HTTP/1.1",
        b"\x16\x02\x01",
        b"\x16\x03\x01\0\x05\x02",
        b"\x14\x03\x03\0\x01\x02",
        b"\x14\x03\x03\0\x01\x01x",
    ],
)
def test_other_content_is_told_at_a_glance(prefix: bytes) -> None:
    assert not tls.may_begin(prefix)


@pytest.mark.parametrize(
    "stream",
    [
        b"\x16\x03\x01\0\0",
        b"\x16\x03\x01\xff\xff" + bytes(9),
        b"\x16\x04\x01\0\x01\x01",
        b"\x15\x03\x01\0\x02\x01\x00",
        b"\x16\x03\x01\0\x04\x02\0\0\0",
        b"\x16\x03\x01\0\x04\x01\xff\xff\xff",
        b"\x16\x03\x01\0\x05\x01\0\0\x01\0",
    ],
)
def test_what_is_no_hello(stream: bytes) -> None:
    with pytest.raises(ParseError):
        tls.read_stream(stream)


def test_a_handshake_needs_its_length_first() -> None:
    for end in range(4):
        assert tls.read_handshake(b"\x01\0\0\x09"[:end]) is None


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    for read in (tls.read_stream, tls.read_handshake):
        for candidate in (
            data,
            b"\x16\x03\x01" + pack("!H", len(data)) + data,
            b"\x01" + len(data).to_bytes(3, "big") + data,
        ):
            tls.may_begin(candidate)
            try:
                read(candidate)
            except ParseError:
                continue


@given(st.binary(max_size=300))
def test_any_extensions(build: Any, extensions: bytes) -> None:
    try:
        hello = tls.read_handshake(build.hello(extensions=extensions))
    except ParseError:
        return
    assert hello is not None
    assert hello.sni is None or len(hello.sni) <= 253
    assert len(hello.ja4) == 36
    assert len(hello.ja3) == 32


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=12))
def test_mutations(build: Any, mutate: Callable[..., bytes], edits: list[tuple[int, int]]) -> None:
    with contextlib.suppress(ParseError):
        tls.read_stream(mutate(build.records(build.hello(), size=30), edits))
