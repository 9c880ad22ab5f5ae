from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import ssdp
from appliance.sensor.packet.cursor import Cursor, ParseError

NOTIFY = (
    b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNt: urn:schemas-upnp-org:device:MediaRenderer:1\r\n"
    b"SERVER:Linux/5.4 UPnP/1.0 Example/1.0\r\nUSN: uuid:00000000-0000-4000-8000-000000000001\r\n\r\n"
)
SEARCH = b'M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\nST: ssdp:all\r\nUSER-AGENT: Example/2\r\n\r\n'
ANSWER = b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nEXT:\r\nSERVER: Example\r\n\r\n"


def parsed(data: bytes) -> ssdp.Message:
    return ssdp.parse(Cursor(data))


@pytest.mark.req("R11")
def test_an_announcement() -> None:
    message = parsed(NOTIFY)
    assert (message.method, message.response) == ("NOTIFY", False)
    assert [name for name, _ in message.headers] == ["HOST", "NT", "SERVER", "USN"]
    assert message.header("SERVER") == "Linux/5.4 UPnP/1.0 Example/1.0"
    assert message.header("LOCATION") is None


@pytest.mark.req("R11")
def test_a_search_and_its_answer() -> None:
    search, answer = parsed(SEARCH), parsed(ANSWER)
    assert (search.method, search.header("ST"), search.header("USER-AGENT")) == ("M-SEARCH", "ssdp:all", "Example/2")
    assert (answer.method, answer.response, answer.header("EXT")) == ("RESPONSE", True, "")


@pytest.mark.parametrize(
    "data",
    [b"", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"NOTIFY / HTTP/1.1"],
)
def test_something_else(data: bytes) -> None:
    with pytest.raises(ParseError):
        parsed(data)


def test_lines_that_end_in_lf_alone_and_a_method_in_lower_case() -> None:
    message = parsed(b"notify * http/1.1\nserver : Example\nnonsense\n: empty\n\nAFTER: the end\n")
    assert message.headers == (("SERVER", "Example"),)


def test_values_are_printable() -> None:
    message = parsed("M-SEARCH * HTTP/1.1\r\nX: Küche\r\n".encode() + b"Y: \xfc\r\nZ: \x1b[31m\r\n")
    assert [value for _, value in message.headers] == ["Küche", r"\xfc", r"\027[31m"]


def test_fields_are_bounded() -> None:
    many = parsed(b"NOTIFY * HTTP/1.1\r\n" + b"A: b\r\n" * (ssdp.MAX_HEADERS + 20))
    assert len(many.headers) == ssdp.MAX_HEADERS
    long = parsed(b"NOTIFY * HTTP/1.1\r\n" + b"A: " + b"b" * 3000 + b"\r\n" + b"N" * (ssdp.MAX_NAME + 1) + b": c\r\n")
    assert [(name, len(value)) for name, value in long.headers] == [("A", ssdp.MAX_VALUE)]
    far = parsed(b"NOTIFY * HTTP/1.1\r\nA: " + b"b" * ssdp.MAX_OCTETS + b"\r\nB: c\r\n")
    assert [name for name, _ in far.headers] == ["A"]


def test_lines_that_are_no_fields_are_bounded_too() -> None:
    assert parsed(b"NOTIFY * HTTP/1.1\r\n" + b"x\r\n" * 500 + b"A: b\r\n").headers == ()


@pytest.mark.req("N8")
@given(st.sampled_from([NOTIFY, SEARCH, ANSWER]), st.binary(max_size=300))
def test_any_bytes_behind_a_start_line(start: bytes, data: bytes) -> None:
    message = parsed(start.partition(b"\n")[0] + b"\n" + data)
    assert all(name.isprintable() and value.isprintable() for name, value in message.headers)
    assert all(len(value) <= ssdp.MAX_VALUE for _, value in message.headers)


@pytest.mark.req("N8")
@given(st.binary(max_size=100), st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=10))
def test_any_bytes_and_mutations(mutate: Callable[..., bytes], data: bytes, edits: list[tuple[int, int]]) -> None:
    for each in (data, mutate(NOTIFY, edits)):
        try:
            message = parsed(each)
        except ParseError:
            continue
        assert message.method in {ssdp.NOTIFY, ssdp.SEARCH, ssdp.RESPONSE}
