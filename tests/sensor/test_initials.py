from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor import initials
from appliance.sensor.initials import MAX_FLOW, DtlsFlows, QuicFlows

KEY = b"192.0.2.7 to 198.51.100.9"


@pytest.fixture
def quic_flows() -> QuicFlows:
    return QuicFlows()


def names(flows: QuicFlows, *datagrams: bytes, key: bytes = KEY) -> list[str | None]:
    return [hello.sni for datagram in datagrams for hello in flows.datagram(key, datagram, 0.0)]


def test_a_hello_in_one_initial(quic_flows: QuicFlows, build: Any) -> None:
    assert names(quic_flows, build.initial(build.crypto(0, build.hello()))) == ["shop.example"]


def test_a_hello_over_two_datagrams_in_either_order(build: Any) -> None:
    hello = build.hello()
    for cut in range(1, len(hello), 7):
        first = build.initial(build.crypto(0, hello[:cut]))
        second = build.initial(build.crypto(cut, hello[cut:]), number=1)
        assert names(QuicFlows(), first, second) == ["shop.example"]
        assert names(QuicFlows(), second, first) == ["shop.example"]


def test_frames_shuffled_within_one_initial(quic_flows: QuicFlows, build: Any) -> None:
    hello = build.hello()
    frames = [build.crypto(at, hello[at : at + 9]) for at in range(0, len(hello), 9)]
    assert names(quic_flows, build.initial(b"\x01".join(frames[::-1]))) == ["shop.example"]


def test_the_rest_comes_under_an_id_the_server_chose(quic_flows: QuicFlows, build: Any) -> None:
    hello = build.hello()
    first = build.initial(build.crypto(0, hello[:20]))
    second = build.initial(build.crypto(20, hello[20:]), number=1, destination=b"server's")
    assert names(quic_flows, first, second) == ["shop.example"]


def test_a_repeated_initial_is_told_once(quic_flows: QuicFlows, build: Any) -> None:
    datagram = build.initial(build.crypto(0, build.hello()))
    assert names(quic_flows, datagram, datagram) == ["shop.example"]


def test_two_connections_of_the_same_ports(quic_flows: QuicFlows, build: Any) -> None:
    one, two = build.hello(b"one.example"), build.hello(b"two.example")
    datagrams = (
        build.initial(build.crypto(0, one[:20]), key_id=b"first-id"),
        build.initial(build.crypto(0, two[:20]), key_id=b"other-id"),
        build.initial(build.crypto(20, one[20:]), key_id=b"first-id", number=1),
        build.initial(build.crypto(20, two[20:]), key_id=b"other-id", number=1),
    )
    assert names(quic_flows, *datagrams) == ["one.example", "two.example"]


def test_the_servers_initials_say_nothing(quic_flows: QuicFlows, build: Any) -> None:
    assert names(quic_flows, build.initial(build.crypto(0, b"\x02\0\0\x05hello"), client=False)) == []
    assert quic_flows.unread == 0


def test_an_initial_without_hello_is_counted(quic_flows: QuicFlows, build: Any) -> None:
    assert names(quic_flows, build.initial(build.crypto(0, b"\x02\0\0\x05hello"))) == []
    assert quic_flows.unread == 1
    assert names(quic_flows, b"\xc0\0\0\0\x01\xff" + bytes(30)) == []
    assert quic_flows.unread == 2


def test_octets_of_a_connection_are_bounded(quic_flows: QuicFlows, build: Any) -> None:
    assert names(quic_flows, build.initial(build.crypto(MAX_FLOW, b"far away"))) == []
    assert quic_flows.overflow == 1


def test_connections_are_bounded(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initials, "MAX_OPEN", 4)
    flows = QuicFlows()
    for number in range(9):
        datagram = build.initial(build.crypto(0, build.hello()[:20]), key_id=b"conn-%03d" % number)
        assert names(flows, datagram, key=b"%d" % number) == []
    assert len(flows._open) == 4
    assert flows.overflow == 5


def test_the_hello_said_again_after_a_retry_is_told_once(quic_flows: QuicFlows, build: Any) -> None:
    frame = build.crypto(0, build.hello())
    again = build.initial(frame, key_id=b"\xf0\x67\xa5\x50\x2a\x42\x62\xb5", token=b"token", number=1)
    assert names(quic_flows, build.initial(frame), again) == ["shop.example"]


def test_the_rest_of_a_hello_under_the_id_of_a_retry(quic_flows: QuicFlows, build: Any) -> None:
    hello = build.hello()
    first = build.initial(build.crypto(0, hello[:30]))
    again = [
        build.initial(build.crypto(0, hello[:30]), key_id=b"chosen", token=b"token", number=1),
        build.initial(build.crypto(30, hello[30:]), key_id=b"chosen", token=b"token", number=2),
    ]
    assert names(quic_flows, first, *again) == ["shop.example"]


def test_two_initials_coalesced_in_one_datagram(quic_flows: QuicFlows, build: Any) -> None:
    hello = build.hello()
    datagram = build.initial(build.crypto(0, hello[:30]), pad_to=60) + build.initial(
        build.crypto(30, hello[30:]), number=1
    )
    (found,) = quic_flows.datagram(KEY, datagram, 0.0)
    assert found.sni == "shop.example"
    assert found.ja4.startswith("q")


# --- DTLS -------------------------------------------------------------------------------------


def record(body: bytes, *, whole: int, offset: int = 0, message: int = 0) -> bytes:
    header = b"\x01" + whole.to_bytes(3, "big") + pack("!H", message)
    header += offset.to_bytes(3, "big") + len(body).to_bytes(3, "big")
    return pack("!BHHHIH", 22, 0xFEFD, 0, 0, message, len(header) + len(body)) + header + body


@pytest.fixture
def body(build: Any) -> bytes:
    """A hello with a cookie, without its header."""
    plain = build.hello()[4:]
    made: bytes = b"\xfe\xfd" + plain[2:35] + b"\x02ck" + plain[35:]
    return made


def test_a_dtls_hello(body: bytes) -> None:
    flows = DtlsFlows()
    (hello,) = flows.datagram(KEY, record(body, whole=len(body)), 0.0)
    assert hello.sni == "shop.example"
    assert hello.ja4.startswith("dd2d0102h2_")
    assert flows.datagram(KEY, record(body, whole=len(body)), 0.0) == [], "said again, not told again"


def test_a_dtls_hello_in_parts_in_any_order(body: bytes) -> None:
    for cut in range(1, len(body), 7):
        parts = [record(body[cut:], whole=len(body), offset=cut), record(body[:cut], whole=len(body))]
        flows = DtlsFlows()
        assert flows.datagram(KEY, parts[0], 0.0) == []
        (hello,) = flows.datagram(KEY, parts[1], 0.0)
        assert hello.sni == "shop.example"
        (at_once,) = DtlsFlows().datagram(KEY, b"".join(parts), 0.0)
        assert at_once.sni == "shop.example"
        assert len(flows._open) == 0


def test_a_dtls_hello_said_again_with_a_cookie_is_another(body: bytes) -> None:
    flows = DtlsFlows()
    for message in range(2):
        assert len(flows.datagram(KEY, record(body, whole=len(body), message=message), 0.0)) == 1


def test_broken_dtls_is_counted(body: bytes) -> None:
    flows = DtlsFlows()
    for broken in (record(body[:20], whole=20), record(body, whole=10), record(body, whole=len(body))[:-1]):
        assert flows.datagram(KEY, broken, 0.0) == []
    assert flows.unread == 3


def test_dtls_connections_are_bounded(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initials, "MAX_OPEN", 4)
    flows = DtlsFlows()
    for number in range(9):
        assert flows.datagram(b"%d" % number, record(body[:20], whole=len(body)), 0.0) == []
    assert (len(flows._open), flows.overflow) == (4, 5)


def test_dtls_parts_are_bounded() -> None:
    flows = DtlsFlows()
    for at in range(0, 300, 4):
        flows.datagram(KEY, record(b"x", whole=1000, offset=at), 0.0)
    assert flows.refused > 0
    assert flows.overflow == flows.refused


@given(st.binary(max_size=200))
def test_any_datagrams(data: bytes) -> None:
    for flows in (QuicFlows(), DtlsFlows()):
        flows.datagram(KEY, data, 0.0)
        flows.datagram(KEY, b"\x16\xfe\xfd\0\0" + bytes(6) + data, 0.0)
        flows.datagram(KEY, b"\xc3\0\0\0\x01" + data, 0.0)
