from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.sensor.dissect import Dissector
from appliance.sensor.lines import line
from appliance.sensor.packet import tcp


@pytest.fixture
def lines(build: Any) -> dict[str, dict[str, Any]]:
    """One line of every kind, by kind."""
    discover = b"\x35\x01\x01\x0c\x02tv\x37\x02\x01\x03\x32\x04\xc0\x00\x02\x07\xff"
    frames = [
        build.chatter(build.ethernet(build.arp(), ethertype=0x0806)),
        build.frame(build.ipv6(bytes((135, 0, 0, 0)) + bytes(4) + build.address("2001:db8::99"), protocol=58)),
        build.frame(build.ipv6(bytes((133, 0, 0, 0)), protocol=58), ts=1.0),
        build.frame(build.ipv4(build.udp(build.dhcp(discover), dport=67), protocol=17)),
        build.frame(build.ipv4(build.udp(build.question()), protocol=17)),
        build.frame(build.ipv4(build.udp(build.question("tv.local"), dport=5353), protocol=17)),
        build.frame(build.ipv4(build.udp(b"", dport=1900), protocol=17)),
        build.frame(build.ipv4(build.tcp(build.records(build.hello()), flags=tcp.SYN), protocol=6)),
        build.frame(build.ipv4(build.udp(build.initial(build.crypto(0, build.hello())), dport=443), protocol=17)),
    ]
    dissector = Dissector()
    made = [line(fact) for frame in frames for fact in dissector.feed(frame)]
    assert json.loads(json.dumps(made)) == made
    return {item["kind"]: item for item in made}


def test_kinds(lines: dict[str, dict[str, Any]]) -> None:
    assert set(lines) == {
        "arp",
        "nd",
        "dhcp4",
        "dns",
        "mdns",
        "ssdp",
        "flow",
        "tls_client_hello",
        "quic_client_hello",
    }
    for item in lines.values():
        assert item["src_mac"] == "00:00:5e:00:53:01"
        assert {"ts", "src"} <= set(item)


def test_dhcp_options_are_in_the_clients_order(lines: dict[str, dict[str, Any]]) -> None:
    item = lines["dhcp4"]
    assert [option["code"] for option in item["options"]] == [53, 12, 55, 50]
    assert (item["host_name"], item["parameters"], item["requested_ip"]) == ("tv", [1, 3], "192.0.2.7")
    assert (item["message_type"], item["client_mac"], item["vendor_class"]) == (1, "00:00:5e:00:53:01", None)


def test_hellos(lines: dict[str, dict[str, Any]]) -> None:
    for kind in ("tls_client_hello", "quic_client_hello"):
        item = lines[kind]
        assert (item["sni"], item["alpn"], item["ciphers"]) == ("shop.example", ["h2"], [4865])
        assert (item["src"], item["sport"], item["dst"], item["dport"]) == ("192.0.2.7", 40000, "198.51.100.9", 443)


def test_dns(lines: dict[str, dict[str, Any]]) -> None:
    item = lines["dns"]
    assert (item["qname"], item["qtype"], item["response"], item["rcode"], item["answers"]) == (
        "news.example",
        1,
        False,
        0,
        [],
    )
    assert lines["mdns"]["qname"] == "tv.local"


def test_every_kind_and_field_is_in_the_document(lines: dict[str, dict[str, Any]], root: Any) -> None:
    text = (root / "docs" / "replay.md").read_text(encoding="utf-8")
    for kind, item in lines.items():
        assert f"`{kind}`" in text
        for field in set(item) - {"kind"}:
            assert f"`{field}`" in text, field
