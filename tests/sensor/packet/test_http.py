from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import http
from appliance.sensor.packet.cursor import ParseError

HEAD = b"GET /a/path?q=1 HTTP/1.1\r\nHost: Shop.example:8080\r\nUser-Agent: Example/1.0 (test)\r\nAccept: */*\r\n\r\n"


@pytest.mark.req("R43")
def test_a_request() -> None:
    read = http.read_stream(HEAD + b"body")
    assert read is not None
    request, taken = read
    assert taken == len(HEAD)
    assert request == http.Request(method="GET", host="shop.example", user_agent="Example/1.0 (test)", version="1.1")
    assert "path" not in repr(request), "a name, and nothing of a page"
    assert "body" not in repr(request)


def test_a_request_cut_anywhere_waits_for_more() -> None:
    for end in range(len(HEAD)):
        assert http.may_begin(HEAD[:end])
        assert http.read_stream(HEAD[:end]) is None


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"GET http://name.example/path HTTP/1.1", "name.example"),
        (b"GET http://user:secret@name.example:81?q HTTP/1.1", "name.example"),
        (b"CONNECT name.example:443 HTTP/1.1", "name.example"),
        (b"CONNECT [2001:db8::1]:443 HTTP/1.1", "2001:db8::1"),
        (b"OPTIONS * HTTP/1.0", "other.example"),
        (b"GET http:/// HTTP/1.1", "other.example"),
    ],
)
def test_the_authority_of_the_target_stands_over_host(target: bytes, host: str) -> None:
    read = http.read_stream(target + b"\r\nhOST:other.example \r\n\r\n")
    assert read is not None
    assert read[0].host == host
    assert read[0].user_agent is None


def test_never_said_differs_from_said_empty() -> None:
    read = http.read_stream(b"GET / HTTP/1.1\nHost:\nUser-Agent:\n\n")
    assert read is not None
    assert (read[0].host, read[0].user_agent) == (None, "")


def test_no_fields_at_all() -> None:
    read = http.read_stream(b"GET / HTTP/1.0\r\n\r\nmore")
    assert read is not None
    assert read[0].host is None
    assert read[1] == 18


def test_the_first_of_a_repeated_field_counts() -> None:
    read = http.read_stream(b"GET / HTTP/1.1\r\nHost: one.example\r\nHost: two.example\r\n\r\n")
    assert read is not None
    assert read[0].host == "one.example"


@pytest.mark.parametrize("prefix", [b"get / ", b"GETS / ", b"SSH-2.0-x", b"\x16\x03\x01", b"NOTIFY * ", b"PRI * "])
def test_other_content_is_told_at_a_glance(prefix: bytes) -> None:
    assert not http.may_begin(prefix)


@pytest.mark.parametrize(
    "stream",
    [
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / RTSP/1.0\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"NOTIFY / HTTP/1.1\r\n\r\n",
        b"\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * http.MAX_HEAD,
        b"GET / HTTP/1.1\r\nX: " + b"x" * http.MAX_HEAD,
        b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * (http.MAX_FIELDS + 1) + b"\r\n",
    ],
)
def test_what_is_no_request_or_over_a_bound(stream: bytes) -> None:
    with pytest.raises(ParseError):
        http.read_stream(stream)


def test_values_are_bounded() -> None:
    read = http.read_stream(b"GET / HTTP/1.1\r\nHost: " + b"h" * 2000 + b"\r\nUser-Agent: " + b"u" * 2000 + b"\r\n\r\n")
    assert read is not None
    assert read[0].host is not None
    assert read[0].user_agent is not None
    assert len(read[0].host) <= 253
    assert len(read[0].user_agent) == http.MAX_TEXT


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for candidate in (
        data,
        b"GET / HTTP/1.1\r\n" + data,
        b"GET " + data,
        b"GET / HTTP/1.1\r\nHost:" + data + b"\r\n\r\n",
    ):
        http.may_begin(candidate)
        with contextlib.suppress(ParseError):
            http.read_stream(candidate)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8))
def test_mutations(mutate: Callable[..., bytes], edits: list[tuple[int, int]]) -> None:
    with contextlib.suppress(ParseError):
        http.read_stream(mutate(HEAD, edits))
