from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address

import dns.message
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.fitting import names

LOOPBACK = IPv4Address("127.0.0.1")


def test_the_question_is_one_that_others_read() -> None:
    asked = dns.message.from_wire(names.question(77))
    assert (asked.id, asked.question[0].rdtype, asked.question[0].name.to_text()) == (77, dns.rdatatype.NS, ".")


def _reply(make: Callable[[bytes], bytes]) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            asked, client = server.recvfrom(512)
            server.sendto(make(asked), client)

        thread = threading.Thread(target=serve)
        thread.start()
        found = names.answered([LOOPBACK], port=server.getsockname()[1], wait=2.0)
        thread.join()
        return found


def _answer(asked: bytes, *, code: int = 0, number: int = 0) -> bytes:
    made = dns.message.make_response(dns.message.from_wire(asked))
    made.answer = list(dns.message.from_text("id 1\n;ANSWER\n. 60 IN NS a.example.").answer)
    made.set_rcode(code)  # type: ignore[arg-type]
    made.id = (made.id + number) & 0xFFFF
    return made.to_wire()


def test_an_answer_is_known() -> None:
    assert _reply(_answer)


@pytest.mark.parametrize(
    "make",
    [
        lambda asked: asked,
        lambda asked: _answer(asked, code=2),
        lambda asked: _answer(asked, number=1),
        lambda _asked: b"",
        lambda _asked: b"short",
    ],
)
def test_what_is_no_answer_is_known_too(make: Callable[[bytes], bytes]) -> None:
    assert not _reply(make)


def test_where_nobody_is_no_name_is_answered() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert not names.answered([LOOPBACK], port=port, wait=0.2)


@given(st.binary(max_size=64), st.integers(0, 65535))
def test_any_datagram_is_an_answer_or_none(raw: bytes, number: int) -> None:
    assert names.is_answer(raw, number) in {True, False}
