from __future__ import annotations

import json
from struct import pack
from typing import Any

import pytest

from appliance.messages import ActivitySeen, SignalSeen, Via
from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import Fact, Kind, MessageHeard, NeighbourHeard, Parsed
from appliance.sensor.frame import Tap
from appliance.sensor.lines import _MESSAGES, line, signal_line
from appliance.sensor.packet import dhcp6, dns, handshake, http, icmp6, nbns, ssdp, svcb, syn, tcp, tls
from appliance.signals import Signal


def fact(kind: Kind, message: Parsed) -> MessageHeard:
    return MessageHeard(
        ts=1.0,
        tap=Tap.FILE,
        mac="00:00:5e:00:53:01",
        via=Via.FLOW,
        src="192.0.2.7",
        sport=40000,
        dst="198.51.100.9",
        dport=443,
        kind=kind,
        message=message,
    )


SERVICE = svcb.Svcb(priority=1, target="", alpn=("h3",), ipv4hint=("192.0.2.1",), ech=b"key")
ANSWERS = (
    dns.Answer(name="shop.example", rtype=dns.HTTPS, ttl=60, value="", data=SERVICE),
    dns.Answer(
        name="_ipp._tcp.local",
        rtype=dns.SRV,
        ttl=60,
        value="printer.local",
        data=dns.Srv(priority=0, weight=0, port=631, target="printer.local"),
    ),
    dns.Answer(name="x._ipp._tcp.local", rtype=dns.TXT, ttl=60, value=None, data=(b"ty=Printer", b"\xff\0")),
)
MADE: tuple[Fact, ...] = (
    fact(
        Kind.DHCP6,
        dhcp6.Message(
            message_type=1,
            transaction=1,
            options=((6, b"\0\x17"), (1, b"x")),
            client_duid=b"\0\x03",
            requested=(23,),
            vendor_class=(311, "MSFT 5.0"),
            fqdn="laptop",
            addresses=(bytes(15) + b"\1",),
        ),
    ),
    fact(
        Kind.LLMNR,
        dns.Message(
            id=7,
            response=True,
            opcode=0,
            rcode=0,
            questions=(dns.Question(name="shop.example", qtype=65),),
            answers=ANSWERS,
            complete=True,
        ),
    ),
    fact(
        Kind.NBNS,
        nbns.Message(
            transaction=1,
            response=True,
            opcode=0,
            rcode=0,
            name="*",
            suffix=0,
            owned=(nbns.Owned(name="LAPTOP", suffix=32, group=False),),
        ),
    ),
    fact(Kind.SSDP, ssdp.Message(method="NOTIFY", headers=(("NT", "upnp:rootdevice"), ("SERVER", "tv/1")))),
    fact(Kind.HTTP_REQUEST, http.Request(method="GET", host="news.example", user_agent="phone/1", version="1.1")),
    fact(Kind.TCP_SYN, syn.Syn(version=4, ttl=57, window=64240, mss=1460, scale=8, options=(2, 1, 3), quirks=("df",))),
    fact(Kind.HANDSHAKE, handshake.Handshake(protocol="wireguard", detail=(("type", "initiation"),))),
    fact(Kind.DTLS_CLIENT_HELLO, tls.ClientHello(legacy_version=0xFEFD, ciphers=(), extensions=())),
    NeighbourHeard(
        ts=1.0,
        tap=Tap.FILE,
        mac="00:00:5e:00:53:01",
        via=Via.ND,
        src="fe80::1",
        kind=134,
        target=None,
        message=icmp6.Message(
            kind=134,
            target=None,
            router=icmp6.Router(hop_limit=64, managed=True, other=False, lifetime=1800),
            source_link=bytes.fromhex("00005e005301"),
            prefixes=(
                icmp6.Prefix(
                    address=bytes.fromhex("20010db8").ljust(16, b"\0"),
                    length=64,
                    on_link=True,
                    autonomous=True,
                    valid=1,
                    preferred=1,
                ),
            ),
            resolvers=(bytes.fromhex("20010db8").ljust(16, b"\1"),),
            mtu=1500,
        ),
    ),
)


def with_edns(question: bytes) -> bytes:
    """A question with an OPT record that holds a cookie (RFC 6891, RFC 7873)."""
    option = pack("!HH", 10, 8) + bytes(8)
    return question[:10] + b"\0\1" + question[12:] + pack("!BHHBBHH", 0, 41, 1232, 0, 0, 0x8000, len(option)) + option


@pytest.fixture
def lines(build: Any) -> dict[str, dict[str, Any]]:
    """One line of every kind, by kind: made by the dissector where a frame is quickly made, else from a fact."""
    discover = b"\x35\x01\x01\x0c\x02tv\x37\x02\x01\x03\x32\x04\xc0\x00\x02\x07\xff"
    frames = [
        build.chatter(build.ethernet(build.arp(), ethertype=0x0806)),
        build.frame(build.ipv4(build.udp(build.dhcp(discover), dport=67), protocol=17)),
        build.frame(build.ipv4(build.udp(with_edns(build.question())), protocol=17)),
        build.frame(build.ipv4(build.udp(build.question("tv.local"), dport=5353), protocol=17)),
        build.frame(build.ipv4(build.tcp(build.records(build.hello()), flags=tcp.SYN), protocol=6)),
        build.frame(build.ipv4(build.udp(build.initial(build.crypto(0, build.hello())), dport=443), protocol=17)),
    ]
    dissector = Dissector()
    facts = [fact for frame in frames for fact in dissector.feed(frame)]
    made = [line(fact) for fact in (*facts, *MADE)]
    assert json.loads(json.dumps(made)) == made
    return {item["kind"]: item for item in made}


@pytest.mark.req("R11", "R12")
def test_kinds(lines: dict[str, dict[str, Any]]) -> None:
    assert set(lines) == {"arp", "nd", "flow", *(kind.value for kind in Kind)}
    for item in lines.values():
        assert item["src_mac"] == "00:00:5e:00:53:01"
        assert {"ts", "src"} <= set(item)


def test_every_parsed_message_has_a_line() -> None:
    assert set(_MESSAGES) == set(Parsed.__args__)


@pytest.mark.req("R11")
def test_what_a_dhcp_server_says(build: Any) -> None:
    options = b"\x35\x01\x05\x36\x04\xc0\0\x02\x01\x6c\x04\0\0\x07\x08\x72\x09urn:x-any\xff"
    packet = build.ipv4(build.udp(build.dhcp(options, operation=2), sport=67, dport=68), protocol=17)
    item = line(*Dissector().feed(build.frame(packet)))
    assert (item["server_id"], item["ipv6_only_wait"], item["captive_portal"]) == ("192.0.2.1", 1800, "urn:x-any")
    assert not item["prefers_ipv6_only"]
    asking = build.ipv4(build.udp(build.dhcp(b"\x35\x01\x01\x37\x02\x01\x6c\xff"), dport=67), protocol=17)
    assert line(*Dissector().feed(build.frame(asking)))["prefers_ipv6_only"]


def test_dhcp_options_are_in_the_clients_order(lines: dict[str, dict[str, Any]]) -> None:
    item = lines["dhcp4"]
    assert [option["code"] for option in item["options"]] == [53, 12, 55, 50]
    assert (item["host_name"], item["parameters"], item["requested_ip"]) == ("tv", [1, 3], "192.0.2.7")
    assert (item["message_type"], item["client_mac"], item["vendor_class"]) == (1, "00:00:5e:00:53:01", None)
    item = lines["dhcp6"]
    assert [option["code"] for option in item["options"]] == [6, 1]
    assert (item["from_client"], item["requested"], item["client_duid"], item["fqdn"]) == (True, [23], "0003", "laptop")
    assert item["vendor_class"] == {"enterprise": 311, "data": "MSFT 5.0"}
    assert item["addresses"] == ["::1"]


def test_hellos(lines: dict[str, dict[str, Any]]) -> None:
    for kind, carrier in (("tls_client_hello", "t"), ("quic_client_hello", "q")):
        item = lines[kind]
        assert (item["sni"], item["alpn"], item["ciphers"]) == ("shop.example", ["h2"], [4865])
        assert (item["src"], item["sport"], item["dst"], item["dport"]) == ("192.0.2.7", 40000, "198.51.100.9", 443)
        assert item["ja4"].startswith(f"{carrier}12d0102h2_")
        assert len(item["ja3"]) == 32
        assert (item["ech"], item["early_data"], item["resumes"]) == ("none", False, False)
    assert lines["dtls_client_hello"]["sni"] is None


def test_dns(lines: dict[str, dict[str, Any]]) -> None:
    item = lines["dns"]
    assert (item["qname"], item["qtype"], item["qtype_name"]) == ("news.example", 1, "A")
    assert (item["response"], item["rcode"], item["answers"]) == (False, 0, [])
    assert item["edns"] == {
        "udp_size": 1232,
        "version": 0,
        "extended_rcode": 0,
        "dnssec_ok": True,
        "options": [{"code": 10, "hex": "0000000000000000"}],
    }
    assert (lines["mdns"]["qname"], lines["mdns"]["edns"]) == ("tv.local", None)


def test_records_of_services(lines: dict[str, dict[str, Any]]) -> None:
    item = lines["llmnr"]
    service, server, text = item["answers"]
    assert service["service"] == {
        "priority": 1,
        "target": "",
        "alpn": ["h3"],
        "port": None,
        "ipv4hint": ["192.0.2.1"],
        "ipv6hint": [],
        "ech": True,
    }
    assert (server["value"], server["server"]) == ("printer.local", {"priority": 0, "weight": 0, "port": 631})
    assert text["texts"][0] == "ty=Printer"
    assert all(string.isprintable() for string in text["texts"])
    assert item["qtype_name"] == "HTTPS"


def test_a_type_without_a_name_has_its_number() -> None:
    unknown = dns.Message(
        id=1,
        response=False,
        opcode=0,
        rcode=0,
        questions=(dns.Question(name="x.example", qtype=4711),),
        answers=(),
        complete=True,
    )
    assert line(fact(Kind.DNS, unknown))["qtype_name"] == "TYPE4711"


def test_the_rest(lines: dict[str, dict[str, Any]]) -> None:
    assert lines["nbns"]["owned"] == [{"name": "LAPTOP", "suffix": 32, "group": False}]
    assert lines["ssdp"]["headers"] == [{"name": "NT", "value": "upnp:rootdevice"}, {"name": "SERVER", "value": "tv/1"}]
    item = lines["http_request"]
    assert (item["method"], item["host"], item["user_agent"]) == ("GET", "news.example", "phone/1")
    assert lines["tcp_syn"]["text"]
    assert lines["handshake"]["protocol"] == "wireguard"
    assert lines["handshake"]["detail"] == {"type": "initiation"}
    item = lines["nd"]
    assert (item["type"], item["target"], item["source_link"]) == (134, None, "00:00:5e:00:53:01")
    assert (item["router_lifetime"], item["managed"], item["mtu"]) == (1800, True, 1500)
    assert item["prefixes"] == ["2001:db8::/64"]


def test_every_kind_and_field_is_in_the_document(lines: dict[str, dict[str, Any]], root: Any) -> None:
    text = (root / "docs" / "replay.md").read_text(encoding="utf-8")

    def fields(item: Any) -> set[str]:
        if isinstance(item, list):
            return {name for part in item for name in fields(part)}
        return set(item).union(*map(fields, item.values())) if isinstance(item, dict) else set()

    for kind, item in lines.items():
        assert f"`{kind}`" in text, kind
        for field in fields(item) - {"kind", "initiation"}:
            assert f"`{field}`" in text, f"{kind}: {field}"


def test_a_signal_and_an_activity_are_lines_without_the_masks_generation() -> None:
    mac = "00:00:5e:00:53:01"
    said = SignalSeen(ts=2.0, since=1.0, mac=mac, signal=Signal.DOT, value="hello", generation=9, count=3, port=853)
    assert signal_line(said) == {
        "kind": "signal",
        "ts": 2.0,
        "since": 1.0,
        "mac": mac,
        "signal": "dot",
        "value": "hello",
        "count": 3,
        "server": None,
        "port": 853,
        "octets": None,
    }
    did = ActivitySeen(
        ts=2.0,
        since=1.0,
        mac=mac,
        generation=9,
        flows=4,
        unnamed=1,
        octets=0,
        unnamed_octets=0,
        classes={"push": 2},
        others=5,
    )
    own = {"flows": 4, "unnamed": 1, "classes": {"push": 2}, "others": 5}
    assert signal_line(did) == {"kind": "activity", "ts": 2.0, "since": 1.0, "mac": mac} | own
