"""Handshakes of tunnels and greetings of proxies, from bytes; and what looks a little like them."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.dissect import Dissector
from appliance.sensor.home import Home
from appliance.sensor.packet import tcp
from appliance.sensor.signals.tunnels import Tunnels
from appliance.signals import Signal

SERVER = "198.51.100.9"
INITIATION = b"\x01\0\0\0" + bytes(range(7, 7 + 128)) + bytes(16)
DATA = b"\x04\0\0\0" + b"peer" + (5).to_bytes(8, "little") + bytes(range(80))
RESET = b"\x38" + b"session!" + bytes(5)
IKE = b"initiate" + bytes(8) + pack("!BBBBII", 33, 0x20, 34, 8, 0, 28 + 44) + pack("!BBH", 0, 0, 44) + bytes(40)
IKE_AUTH = bytes(4) + b"initiaterespond!" + pack("!BBBBII", 46, 0x20, 35, 8, 1, 200) + bytes(172)


def datagrams(build: Any, home: Home, *payloads: bytes, dport: int = 40001) -> list[tuple[str, str]]:
    dissector, tunnels = Dissector(), Tunnels(home)
    frames = [
        build.frame(build.ipv4(build.udp(payload, sport=40000, dport=dport), protocol=17), ts=1000.0 + at)
        for at, payload in enumerate(payloads)
    ]
    noticed = [one for frame in frames for fact in dissector.feed(frame) for one in tunnels.take(fact)]
    assert all((one.mac, one.server, one.port) == (build.phone.hex(":"), SERVER, dport) for one in noticed)
    return [(one.signal, one.value) for one in noticed]


def stream(build: Any, home: Home, payload: bytes, *, dport: int = 8443, dst: str = SERVER) -> list[tuple[str, str]]:
    dissector, tunnels = Dissector(), Tunnels(home)
    segments = (build.tcp(sequence=100, flags=tcp.SYN, dport=dport), build.tcp(payload, sequence=101, dport=dport))
    frames = [build.frame(build.ipv4(segment, protocol=6, dst=dst)) for segment in segments]
    noticed = [one for frame in frames for fact in dissector.feed(frame) for one in tunnels.take(fact)]
    return [(one.signal, one.value) for one in noticed]


@pytest.mark.req("R11", "S5")
@pytest.mark.parametrize("dport", [53001, 51820, 443, 123])
@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (INITIATION, (Signal.WIREGUARD, "initiation")),
        (DATA, (Signal.WIREGUARD, "data")),
        (RESET, (Signal.OPENVPN, "udp/hard-reset")),
        (IKE, (Signal.IKE, "2")),
    ],
)
def test_a_handshake_is_known_on_any_port(
    build: Any, home: Home, payload: bytes, said: tuple[str, str], dport: int
) -> None:
    assert datagrams(build, home, payload, dport=dport) == [said]


@pytest.mark.req("R11")
def test_each_handshake_of_a_tunnel_is_told_its_data_only_where_it_comes_first(build: Any, home: Home) -> None:
    seen = datagrams(build, home, INITIATION, DATA, DATA, INITIATION, dport=51820)
    assert seen == [(Signal.WIREGUARD, "initiation")] * 2


@pytest.mark.req("R11")
@pytest.mark.parametrize(
    ("payload", "value"), [(bytes(4) + IKE, "2"), (IKE_AUTH, "2"), (b"\xc1\x02\x03\x04\0\0\0\x01" + bytes(64), "esp")]
)
def test_ike_and_what_it_seals_behind_address_translation(build: Any, home: Home, payload: bytes, value: str) -> None:
    assert datagrams(build, home, payload, dport=4500) == [(Signal.IKE, value)]


def test_a_sealed_tunnel_without_ports_is_told(build: Any, home: Home) -> None:
    (fact,) = Dissector().feed(build.frame(build.ipv4(b"\0\0\x10\x01\0\0\0\x01" + bytes(64), protocol=50)))
    (one,) = Tunnels(home).take(fact)
    assert (one.signal, one.value, one.server, one.port) == (Signal.IKE, "esp", SERVER, None)


@pytest.mark.req("R11")
@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (pack("!H", len(RESET)) + RESET, (Signal.OPENVPN, "tcp/hard-reset")),
        (b"SSH-2.0-OpenSSH_9.6 a comment\r\n", (Signal.SSH, "OpenSSH_9.6")),
        (b"\x05\x01\x00", (Signal.SOCKS, "5")),
        (b"\x05\x03\x00\x01\x02", (Signal.SOCKS, "5")),
        (b"\x04\x01\x01\xbb\xc6\x33\x64\x09user\0", (Signal.SOCKS, "4")),
        (b"\x04\x01\x01\xbb\0\0\0\x01\0shop.example\0", (Signal.SOCKS, "4")),
        (b"CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example\r\n\r\n", (Signal.CONNECT, "http")),
        (b"SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1\r\n", (Signal.SSTP, "request")),
    ],
)
def test_first_words_of_a_connection(build: Any, home: Home, payload: bytes, said: tuple[str, str]) -> None:
    assert stream(build, home, payload) == [said]
    assert stream(build, home, payload, dst="192.0.2.44") == [], "a machine of the household"


@pytest.mark.req("R11", "N4")
@pytest.mark.parametrize(
    "payload",
    [
        b"\x01\0\0\0" + bytes(144),  # a game's header of the same length
        b"\x01\0\0\0" + bytes(range(1, 120)),  # another length
        DATA[:-1],
        b"\x04\0\0\0" + bytes(28),
        b"\0\x01\0\x08\x21\x12\xa4\x42transaction!" + b"\x80\x22\0\x04abcd",  # STUN
        b"\x80\x60\0\x01" + bytes(160),  # RTP
        b"\x16\xfe\xfd" + bytes(60),
        b"\x23" + bytes(47),  # NTP
        b"d1:ad2:id20:" + b"x" * 20 + b"e1:q4:ping1:t2:aa1:y1:qe",  # the table of file sharers
        b"\xff\xff\xff\xffTSource Engine Query\0",
        b"",
    ],
)
def test_calls_games_and_clocks_are_no_tunnels(build: Any, home: Home, payload: bytes) -> None:
    for dport in (443, 4500, 3478, 27015):
        if payload[:4] != bytes(4) and dport == 4500 and len(payload) >= 28:
            continue  # on the port of sealed tunnels, what is not marked is sealed (RFC 3948 section 2.1)
        assert datagrams(build, home, payload, dport=dport) == []


@pytest.mark.req("R11", "N4")
@pytest.mark.parametrize(
    "payload",
    [
        b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n",
        b"EHLO laptop.example\r\n",
        b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04name",
        b"\x05\x01\x00extra",
        b"\x05\x02\x00\x00",
        b"\x05\x00",
        b"\x04\x01\0\0\xc6\x33\x64\x09\0",
        b"\x04\x01\x01\xbb\xc6\x33\x64\x09",
        b"\x04\x02\x01\xbb\xc6\x33\x64\x09user\0",
        b"\x13BitTorrent protocol" + bytes(48),
        b"SSTP_OTHER",
    ],
)
def test_mail_messages_and_broken_greetings_are_no_proxies(build: Any, home: Home, payload: bytes) -> None:
    assert stream(build, home, payload) == []


@given(payload=st.binary(max_size=300), dport=st.sampled_from([443, 4500, 1080]))
def test_no_bytes_raise(build: Any, payload: bytes, dport: int) -> None:
    home = Home()
    datagrams(build, home, payload, dport=dport)
    stream(build, home, payload, dport=dport)
