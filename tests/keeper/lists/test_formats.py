from __future__ import annotations

import io
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists.entries import Entry, Fault, Network, Reach, Why
from appliance.keeper.lists.formats import MAX_HOSTS, Format, parse

E, S, B, X = Reach.EXACT, Reach.SUBTREE, Reach.BELOW, Reach.EXCEPTION


def read(text: str | bytes, format_: Format, plain: Reach | None = None) -> list[tuple[str, Reach] | Network | Why]:
    raw = text.encode() if isinstance(text, str) else text
    found: list[tuple[str, Reach] | Network | Why] = []
    for item in parse(io.BytesIO(raw), format_, plain=plain):
        match item:
            case Entry(name=name, reach=reach):
                found.append((name, reach))
            case Fault(why=why):
                found.append(why)
            case _:
                found.append(item)
    return found


@pytest.mark.req("R24", "N16")
@pytest.mark.parametrize(
    ("format_", "line", "found"),
    [
        (Format.HOSTS, "0.0.0.0 a.example b.example # why", [("a.example", E), ("b.example", E)]),
        (Format.HOSTS, "::1 localhost ip6-localhost", []),
        (Format.HOSTS, "# comment", []),
        (Format.HOSTS, "a.example", [Why.MALFORMED]),
        (Format.HOSTS, "https://a.example/page", [Why.URL]),
        (Format.HOSTS, "0.0.0.0 *.a.example", [Why.UNSUPPORTED]),
        (Format.DOMAINS, "A.Example.", [("a.example", S)]),
        (Format.DOMAINS, "*.a.example", [("a.example", B)]),
        (Format.DOMAINS, "a.*.example", [Why.UNSUPPORTED]),
        (Format.DOMAINS, "*.a*.example", [Why.UNSUPPORTED]),
        (Format.DOMAINS, "a.example/page", [Why.URL]),
        (Format.DOMAINS, "https://a.example/", [Why.URL]),
        (Format.DOMAINS, "two words", [Why.MALFORMED]),
        (Format.DOMAINS, "co.uk", [Why.PUBLIC_SUFFIX]),
        (Format.WILDCARD, "*.a.example", [("a.example", B)]),
        (Format.WILDCARD, "a.example", [("a.example", E)]),
        (Format.WILDCARD, "*", [Why.UNSUPPORTED]),
        (Format.ADBLOCK, "||a.example^", [("a.example", S)]),
        (Format.ADBLOCK, "@@||a.example^", [("a.example", X)]),
        (Format.ADBLOCK, "||*.a.example^", [("a.example", B)]),
        (Format.ADBLOCK, "@@||*.a.example^", [Why.UNSUPPORTED]),
        (Format.ADBLOCK, "||a.example", [Why.UNSUPPORTED]),
        (Format.ADBLOCK, "||a.example^$third-party", [Why.UNSUPPORTED]),
        (Format.ADBLOCK, "||a.example/page", [Why.URL]),
        (Format.ADBLOCK, "||a.example/page^", [Why.URL]),
        (Format.ADBLOCK, "a.example", [Why.UNSUPPORTED]),
        (Format.ADBLOCK, "a.example##.banner", [Why.UNSUPPORTED]),
        (Format.ADBLOCK, "a.example#@#.banner", [Why.UNSUPPORTED]),
        (Format.ADBLOCK, "/banner[0-9]+/", [Why.URL]),
        (Format.ADBLOCK, "! comment", []),
        (Format.ADBLOCK, "[Adblock Plus 2.0]", []),
        (Format.ADBLOCK, "# comment", []),
        (Format.DNSMASQ, "address=/a.example/", [("a.example", S)]),
        (Format.DNSMASQ, "address=/a.example/b.example/0.0.0.0", [("a.example", S), ("b.example", S)]),
        (Format.DNSMASQ, "address=/a.example/#", [("a.example", S)]),
        (Format.DNSMASQ, "local=/a.example/", [("a.example", S)]),
        (Format.DNSMASQ, "server=/a.example/", [("a.example", S)]),
        (Format.DNSMASQ, "server=/a.example/#", [("a.example", X)]),
        (Format.DNSMASQ, "server=/a.example/192.0.2.1", [Why.UNSUPPORTED]),
        (Format.DNSMASQ, "address=/*a.example/", [Why.UNSUPPORTED]),
        (Format.DNSMASQ, "cache-size=0  # comment", [Why.UNSUPPORTED]),
        (Format.DNSMASQ, "no-resolv", [Why.UNSUPPORTED]),
        (Format.DNSMASQ, "# comment", []),
        (Format.DNSMASQ, "what is this", [Why.MALFORMED]),
        (Format.UNBOUND, 'local-zone: "a.example." always_nxdomain', [("a.example", S)]),
        (Format.UNBOUND, "  local-zone: a.example redirect # why", [("a.example", S)]),
        (Format.UNBOUND, 'local-zone: "a.example" transparent', [("a.example", X)]),
        (Format.UNBOUND, 'local-zone: "a.example" inform', [Why.UNSUPPORTED]),
        (Format.UNBOUND, 'local-data: "a.example A 0.0.0.0"', [("a.example", E)]),
        (Format.UNBOUND, 'local-data: "a.example 60 IN AAAA ::"', [("a.example", E)]),
        (Format.UNBOUND, "local-data: 'a.example TXT \"x\"'", [Why.UNSUPPORTED]),
        (Format.UNBOUND, "server:", []),
        (Format.UNBOUND, "verbosity: 1", [Why.UNSUPPORTED]),
        (Format.UNBOUND, "nonsense", [Why.MALFORMED]),
        (Format.ADDRESSES, "192.0.2.7 # why", [ip_network("192.0.2.7/32")]),
        (Format.ADDRESSES, "198.51.100.0/24 ; why", [ip_network("198.51.100.0/24")]),
        (Format.ADDRESSES, "2001:db8::1/64", [ip_network("2001:db8::/64")]),
        (Format.ADDRESSES, "a.example", [Why.MALFORMED]),
        (Format.ADDRESSES, "192.0.2.1 192.0.2.2", [Why.MALFORMED]),
        (Format.ADDRESSES, "192.168.1.0/24", [Why.TOO_WIDE]),
        (Format.ADDRESSES, "0.0.0.0/0", [Why.TOO_WIDE]),
        (Format.ADDRESSES, "::/0", [Why.TOO_WIDE]),
        (Format.ADDRESSES, "2001::/8", [Why.TOO_WIDE]),
        (Format.ADDRESSES, "fe80::1%eth0", [Why.MALFORMED]),
    ],
)
def test_worked_examples(format_: Format, line: str, found: list[object]) -> None:
    assert read(line + "\n", format_) == found


def test_the_manifest_may_give_plain_names_another_reach() -> None:
    assert read("a.example\n*.b.example\n", Format.DOMAINS, E) == [("a.example", E), ("b.example", B)]
    assert read("0.0.0.0 a.example\n", Format.HOSTS, S) == [("a.example", S)]
    assert read("a.example\n*.b.example\n", Format.WILDCARD, S) == [("a.example", S), ("b.example", B)]
    assert read("||a.example^\n", Format.ADBLOCK, E) == [("a.example", S)], "its own meaning stays"


def test_faults_have_their_line() -> None:
    items = list(parse(io.BytesIO(b"a.example\n\n# c\n\xff\n?\nhttp://b.example/\ncom\n"), Format.DOMAINS))
    assert [(item.line, item.why) for item in items if isinstance(item, Fault)] == [
        (4, Why.MALFORMED),
        (5, Why.MALFORMED),
        (6, Why.URL),
        (7, Why.PUBLIC_SUFFIX),
    ]


def test_a_hosts_line_is_bounded() -> None:
    line = "0.0.0.0 " + " ".join(f"n{number}.example" for number in range(MAX_HOSTS + 5))
    found = read(line, Format.HOSTS)
    assert len(found) == MAX_HOSTS + 1
    assert found[-1] is Why.MALFORMED


PIECES = st.sampled_from(
    b'|| @@ ^ * . / a.example # ## $ local-zone: " address=/ server= 0.0.0.0 ( ) ; CNAME $ORIGIN $GENERATE \\ '
    b"\xc3\xa4 2001:db8::/ xn-- - IN SOA @ \x00".split(b" ")
) | st.sampled_from([b" ", b"\n", b"\t", b"\r"])


@given(raw=st.lists(PIECES, max_size=40).map(b"".join), format_=st.sampled_from(Format))
def test_nothing_raises_and_every_entry_is_in_its_one_form(raw: bytes, format_: Format) -> None:
    for item in read(raw, format_):
        if isinstance(item, tuple):
            name = item[0]
            assert name.isascii()
            assert name == name.lower()
            assert not {"*", "/", " "} & set(name)
            assert len(name) <= 253


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize("unit", [b"a" * 60 + b".", b"(", b"/", b"@@||", b"$", b"#", b"*.", b'"', b"\\", b"0.0.0.0 "])
def test_hostile_lines_end(format_: Format, unit: bytes) -> None:
    """No pattern goes wild on repetition: the suite's own time limit would end it."""
    raw = (unit * 4000)[:4000] + b"\n"
    assert len(read(raw * 50, format_)) <= 50 * (4000 + 1)
