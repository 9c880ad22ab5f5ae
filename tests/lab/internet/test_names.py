"""The lab's resolver gives whole answers, and takes any bytes."""

from __future__ import annotations

from pathlib import Path

import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import addresses
from lab.internet import names
from lab.internet.names import Names

NAMES = Names()


def ask(name: str, kind: str = "A", known: Names = NAMES) -> dns.message.Message:
    response = known.answer(dns.message.make_query(name, kind).to_wire(), asked="203.0.113.10")
    assert response is not None
    return response


def records(response: dns.message.Message) -> list[str]:
    return [line for found in response.answer for line in found.to_text().splitlines()]


def test_a_chain_is_followed_where_it_crosses_zones() -> None:
    assert records(ask("www.news.example")) == [
        "www.news.example. 300 IN CNAME news.global.example.",
        "news.global.example. 300 IN CNAME edge-1.cdn.test.",
        "edge-1.cdn.test. 60 IN A 203.0.113.85",
        "edge-1.cdn.test. 60 IN A 203.0.113.86",
    ]


def test_a_cname_itself_can_be_asked_for() -> None:
    assert records(ask("www.news.example", "CNAME")) == ["www.news.example. 300 IN CNAME news.global.example."]


def test_everybody_is_told_who_answers_for_the_root() -> None:
    assert records(ask(".", "NS")) == [". 300 IN NS root.example."]
    assert records(ask(".", "TXT")) == []


@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_any_name_below_the_zones_lives_at_a_web_server(kind: str) -> None:
    four, six = addresses.site_of("x.y.z.test")
    assert records(ask("x.y.z.test", kind))[0].endswith(f"IN {kind} {four if kind == 'A' else six}")
    assert (str(four), str(six)) in addresses.SITES
    assert addresses.site_of("X.Y.z.test.") == (four, six)


def test_https_records_come_with_addresses() -> None:
    assert 'alpn="h3,h2"' in records(ask("news.example", "HTTPS"))[0]
    assert records(ask("news.example", "A"))
    assert records(ask("tv.example", "HTTPS")) == ["tv.example. 300 IN HTTPS 0 video.example."]


@pytest.mark.parametrize(("name", "kind"), [("four.only.example", "AAAA"), ("six.only.example", "A"), ("a.test", "MX")])
def test_no_record_of_a_type_is_told_with_the_soa(name: str, kind: str) -> None:
    response = ask(name, kind)
    assert response.rcode() == dns.rcode.NOERROR
    assert not response.answer
    assert " SOA " in response.authority[0].to_text()


@pytest.mark.parametrize("name", ["nobody.invalid", "www.elsewhere.arpa", "."])
def test_everything_else_does_not_exist(name: str) -> None:
    assert ask(name).rcode() == dns.rcode.NXDOMAIN


def test_it_tells_which_address_was_asked() -> None:
    assert records(ask("answered-by.example", "TXT")) == ['answered-by.example. 0 IN TXT "203.0.113.10"']


def test_a_loop_of_names_ends(tmp_path: Path) -> None:
    soa = "@ 60 IN SOA ns.test. h.test. 1 1 1 1 1\n@ 60 IN NS ns.test.\n"
    (tmp_path / "test.zone").write_text(soa + "a 60 IN CNAME b.test.\nb 60 IN CNAME a.test.\n")
    assert len(ask("a.test", "A", Names(tmp_path)).answer) <= names.MAX_CHAIN


@given(st.binary(max_size=512))
def test_any_bytes_are_taken(wire: bytes) -> None:
    response = NAMES.answer(wire, asked="203.0.113.10")
    assert response is None or response.to_wire(max_size=65535)


@given(st.binary(min_size=1, max_size=8), st.integers(0, 40))
def test_a_spoilt_question_is_taken(noise: bytes, at: int) -> None:
    wire = bytearray(dns.message.make_query("www.news.example", "A").to_wire())
    wire[at : at + len(noise)] = noise
    response = NAMES.answer(bytes(wire), asked="203.0.113.10")
    assert response is None or response.to_wire(max_size=65535)
