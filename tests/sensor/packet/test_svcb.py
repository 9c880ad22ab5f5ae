from __future__ import annotations

from struct import pack
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import svcb
from appliance.sensor.packet.cursor import Cursor, ParseError


def parsed(parameters: bytes, *, priority: int = 1) -> svcb.Svcb:
    return svcb.parse(priority, "svc.example", Cursor(parameters))


def parameter(key: int, value: bytes) -> bytes:
    return pack("!HH", key, len(value)) + value


@pytest.mark.req("R11")
def test_reads_what_dnspython_writes() -> None:
    text = (
        '1 svc.example. mandatory="alpn,port" alpn="h3,h2" no-default-alpn port="8443" ipv4hint="192.0.2.1,192.0.2.2" '
        'ech="AARhYmNk" ipv6hint="2001:db8::1" dohpath="/dns-query{?dns}" key65400="x"'
    )
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.HTTPS, text)
    wire = rdata.to_wire()
    assert wire is not None
    assert parsed(wire[2 + len(b"\x03svc\x07example\0") :]) == svcb.Svcb(
        priority=1,
        target="svc.example",
        keys=(0, 1, 2, 3, 4, 5, 6, 7, 65400),
        mandatory=(1, 3),
        alpn=("h3", "h2"),
        default_alpn=False,
        port=8443,
        ipv4hint=("192.0.2.1", "192.0.2.2"),
        ech=b"\0\x04abcd",
        ipv6hint=("2001:db8::1",),
        dohpath="/dns-query{?dns}",
    )


def test_an_alias_has_no_parameters() -> None:
    alias = parsed(b"", priority=0)
    assert (alias.priority, alias.target, alias.keys, alias.ech) == (0, "svc.example", (), None)


@pytest.mark.parametrize(
    "parameters",
    [
        parameter(3, pack("!H", 443)) + parameter(1, b"\x02h2"),  # not ascending
        parameter(3, pack("!H", 443)) * 2,
        parameter(0, b""),
        parameter(0, b"\0"),
        parameter(1, b""),
        parameter(1, b"\0"),
        parameter(1, b"\x05h2"),
        parameter(2, b"x"),
        parameter(3, b"\x01"),
        parameter(4, b""),
        parameter(4, b"abc"),
        parameter(6, bytes(15)),
        pack("!HH", 1, 9) + b"\x02h2",
        b"\0",
    ],
)
def test_damaged_parameters(parameters: bytes) -> None:
    with pytest.raises(ParseError):
        parsed(parameters)


def test_parameters_are_bounded() -> None:
    most = b"".join(parameter(key, b"") for key in range(100, 100 + svcb.MAX_PARAMETERS))
    assert len(parsed(most).keys) == svcb.MAX_PARAMETERS
    with pytest.raises(ParseError, match="parameters"):
        parsed(most + parameter(200, b""))


@pytest.mark.parametrize(
    ("key", "entry", "field"),
    [
        (svcb.MANDATORY, b"\0\x01", "mandatory"),
        (svcb.ALPN, b"\x02h2", "alpn"),
        (svcb.IPV4HINT, bytes(4), "ipv4hint"),
        (svcb.IPV6HINT, bytes(16), "ipv6hint"),
    ],
)
def test_lists_are_bounded(key: int, entry: bytes, field: str) -> None:
    for count, cut in ((svcb.MAX_ENTRIES, False), (svcb.MAX_ENTRIES + 1, True)):
        record = parsed(parameter(key, entry * count))
        assert (len(getattr(record, field)), record.cut) == (svcb.MAX_ENTRIES, cut)


@pytest.mark.req("N8")
@given(st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=12)), max_size=5), st.binary(max_size=6))
def test_accepts_no_more_than_dnspython(made: list[tuple[int, bytes]], tail: bytes) -> None:
    """Whatever we read, dnspython reads alike, or refuses for the content of a value that we do not look into."""
    wire = b"".join(parameter(key, value) for key, value in made) + tail
    try:
        ours = parsed(wire)
    except ParseError:
        return
    whole = b"\0\x01\x03svc\x07example\0" + wire
    try:
        theirs: Any = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.SVCB, whole, 0, len(whole))
    except (dns.exception.DNSException, ValueError):
        # A mandatory key that is absent, an ECHConfigList or path of the wrong form, an `ohttp` with a value.
        assert {svcb.MANDATORY, svcb.ECH, svcb.DOHPATH, 8, svcb.NO_DEFAULT_ALPN} & set(ours.keys)
        return
    assert ours.keys == tuple(sorted(int(key) for key in theirs.params))
