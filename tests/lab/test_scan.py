"""How ports are read: of the document, of nft's list, of ss."""

from __future__ import annotations

import pytest

from lab import scan
from lab.host import LabError

DOCUMENT = """
| side | protocol | port | what | who answers |
|---|---|---|---|---|
| lan | tcp | 53 | names | dnsmasq |
| lan | tcp | 80 | page | porch |
| lan | udp | 67 | addresses | dnsmasq |
"""


def test_the_document_s_rows_are_told_apart_by_side_and_protocol() -> None:
    assert scan.documented(DOCUMENT, "lan", "tcp") == {53, 80}
    assert scan.documented(DOCUMENT, "lan", "udp") == {67}
    assert scan.documented(DOCUMENT, "wan", "tcp") == frozenset()


def test_elements_and_ranges_of_a_set_are_read() -> None:
    listing = (
        '{"nftables": [{"metainfo": {}}, {"set": {"name": "x", "elem": '
        '[53, {"range": [60, 62]}, {"elem": {"val": 80, "counter": {}}}, {"elem": {"val": {"range": [90, 91]}}}]}}]}'
    )
    assert scan.ports(listing) == {53, 60, 61, 62, 80, 90, 91}


def test_an_empty_set_has_no_ports() -> None:
    assert scan.ports('{"nftables": [{"set": {"name": "x"}}]}') == frozenset()


def test_no_set_at_all_is_an_error() -> None:
    with pytest.raises(LabError, match="no set"):
        scan.ports('{"nftables": [{"metainfo": {}}]}')


def test_what_only_the_router_itself_hears_is_left_out() -> None:
    listing = (
        "udp   UNCONN 0      0            0.0.0.0:67         0.0.0.0:*\n"
        "tcp   LISTEN 0      32         192.0.2.1:53         0.0.0.0:*\n"
        "tcp   LISTEN 0      32         127.0.0.1:9000       0.0.0.0:*\n"
        "tcp   LISTEN 0      32             [::1]:53            [::]:*\n"
        "udp   UNCONN 0      0      [fe80::1]%br-lan:547        [::]:*\n"
        "udp   UNCONN 0      0            0.0.0.0:42676      0.0.0.0:*\n"
        "short\n"
    )
    assert scan.listening(listing) == {("udp", 67), ("tcp", 53), ("udp", 547)}
