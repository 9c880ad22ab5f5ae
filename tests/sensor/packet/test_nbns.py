from __future__ import annotations

from collections.abc import Callable
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import nbns
from appliance.sensor.packet.cursor import Cursor, ParseError


def encoded(name: bytes, suffix: int = 0, *, pad: bytes = b" ", scope: bytes = b"\0") -> bytes:
    octets = name.ljust(15, pad) + bytes((suffix,))
    return b"\x20" + bytes(0x41 + half for octet in octets for half in (octet >> 4, octet & 15)) + scope


def registration(name: bytes = b"DESK", suffix: int = 0, *, opcode: int = 5, group: bool = False) -> bytes:
    """As a node broadcasts it (RFC 1002 section 4.2.2)."""
    header = pack("!HHHHHH", 7, opcode << 11 | 0x0110, 1, 0, 0, 1)
    record = b"\xc0\x0c" + pack("!HHIH", 0x20, 1, 300000, 6) + pack("!H", 0x8000 * group) + bytes((192, 0, 2, 7))
    return header + encoded(name, suffix) + pack("!HH", 0x20, 1) + record


def status(names: list[tuple[bytes, int, bool]], unit: bytes) -> bytes:
    """A node status response (RFC 1002 section 4.2.18)."""
    body = bytes((len(names) & 0xFF,))
    body += b"".join(name.ljust(15) + bytes((suffix,)) + pack("!H", 0x8000 * group) for name, suffix, group in names)
    body += unit + bytes(40)
    return (
        pack("!HHHHHH", 7, 0x8400, 0, 1, 0, 0) + encoded(b"*", pad=b"\0") + pack("!HHIH", 0x21, 1, 0, len(body)) + body
    )


def parsed(wire: bytes) -> nbns.Message:
    return nbns.parse(Cursor(wire))


@pytest.mark.req("R11")
@pytest.mark.parametrize("opcode", [5, 8, 9, 15])
def test_a_claim(opcode: int) -> None:
    message = parsed(registration(opcode=opcode))
    assert (message.transaction, message.response, message.opcode, message.rcode) == (7, False, opcode, 0)
    assert (message.name, message.suffix, message.group, message.addresses) == ("DESK", 0, False, ("192.0.2.7",))
    assert message.claims


def test_a_group_is_nobodys_own() -> None:
    message = parsed(registration(b"WORKGROUP", 0x1E, group=True))
    assert (message.name, message.suffix, message.group, message.claims) == ("WORKGROUP", 0x1E, True, False)


def test_a_query_claims_nothing() -> None:
    message = parsed(pack("!HHHHHH", 9, 0x0110, 1, 0, 0, 0) + encoded(b"NAS", 0x20) + pack("!HH", 0x20, 1))
    assert (message.name, message.suffix, message.addresses, message.claims) == ("NAS", 0x20, (), False)


def test_an_answer() -> None:
    body = (pack("!H", 0) + bytes((192, 0, 2, 9))) * 2
    wire = pack("!HHHHHH", 9, 0x8500, 0, 1, 0, 0) + encoded(b"NAS", 0x20) + pack("!HHIH", 0x20, 1, 60, 12) + body
    message = parsed(wire)
    assert (message.name, message.response, message.addresses, message.claims) == (
        "NAS",
        True,
        ("192.0.2.9", "192.0.2.9"),
        False,
    )


@pytest.mark.req("R11")
def test_a_node_status() -> None:
    unit = bytes.fromhex("00005e005307")
    message = parsed(status([(b"DESK", 0, False), (b"WORKGROUP", 0, True)], unit))
    assert message.name == "*"
    assert message.owned == (
        nbns.Owned(name="DESK", suffix=0, group=False),
        nbns.Owned(name="WORKGROUP", suffix=0, group=True),
    )
    assert message.unit == unit
    assert parsed(status([(b"DESK", 0, False)], bytes(6))).unit is None


def test_names_of_a_status_are_bounded() -> None:
    message = parsed(status([(b"DESK", 0, False)] * (nbns.MAX_NAMES + 5), bytes(6)))
    assert len(message.owned) == nbns.MAX_NAMES
    assert not message.complete
    assert parsed(status([(b"DESK", 0, False)] * nbns.MAX_NAMES, bytes(6))).complete


def test_addresses_are_bounded() -> None:
    body = (pack("!H", 0) + bytes(4)) * (nbns.MAX_ADDRESSES + 3)
    wire = pack("!HHHHHH", 9, 0x8500, 0, 1, 0, 0) + encoded(b"A") + pack("!HHIH", 0x20, 1, 60, len(body)) + body
    message = parsed(wire)
    assert (len(message.addresses), message.complete) == (nbns.MAX_ADDRESSES, False)


def test_records_are_bounded() -> None:
    other = encoded(b"A") + pack("!HHIH", 0x0A, 1, 60, 0)
    claim = encoded(b"A") + pack("!HHIH", 0x20, 1, 60, 6) + bytes(6)
    wire = pack("!HHHHHH", 9, 0x8500, 0, 65535, 0, 0) + other * nbns.MAX_RECORDS + claim
    assert parsed(wire).addresses == ()
    assert parsed(wire[: -len(claim)].replace(other, claim, 1)).addresses == ("0.0.0.0",)  # noqa: S104 - as data


def test_a_scope_is_passed_over() -> None:
    scoped = encoded(b"DESK", scope=b"\x03lan\x07example\0")
    assert parsed(pack("!HHHHHH", 9, 0, 1, 0, 0, 0) + scoped + pack("!HH", 0x20, 1)).name == "DESK"


def test_old_code_pages_give_escapes() -> None:
    message = parsed(registration(b"K\x9aCHE"))
    assert message.name == r"K\x9aCHE"


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        pack("!HHHHHH", 9, 0, 0, 0, 0, 0),
        pack("!HHHHHH", 9, 0, 2, 0, 0, 0) + encoded(b"A") * 2,
        pack("!HHHHHH", 9, 0, 1, 0, 0, 0) + b"\x04desk\0" + pack("!HH", 0x20, 1),
        pack("!HHHHHH", 9, 0, 1, 0, 0, 0) + encoded(b"A").replace(b"E", b"z") + pack("!HH", 0x20, 1),
        pack("!HHHHHH", 9, 0, 1, 0, 0, 0) + encoded(b"A", scope=b"\xc0\x0c") + pack("!HH", 0x20, 1),
        pack("!HHHHHH", 9, 0, 1, 0, 0, 0) + encoded(b"A", scope=b"\x01a" * 20 + b"\0") + pack("!HH", 0x20, 1),
        pack("!HHHHHH", 9, 0x8500, 0, 1, 0, 0) + b"\xc0\x0c" + pack("!HHIH", 0x20, 1, 60, 0),
    ],
)
def test_not_a_name_service_packet(wire: bytes) -> None:
    with pytest.raises(ParseError):
        parsed(wire)


def test_a_damaged_record_leaves_the_question() -> None:
    message = parsed(registration()[:-3])
    assert (message.name, message.addresses) == ("DESK", ())
    pointing = registration().replace(b"\xc0\x0c", b"\xc0\x0d")
    assert parsed(pointing).addresses == ()


@pytest.mark.req("N8")
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    try:
        parsed(data)
    except ParseError:
        return


@pytest.mark.req("N8")
@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=10), st.booleans())
def test_mutations(mutate: Callable[..., bytes], edits: list[tuple[int, int]], claim: bool) -> None:
    wire = registration() if claim else status([(b"DESK", 0, False)] * 3, bytes(6))
    try:
        message = parsed(mutate(wire, edits))
    except ParseError:
        return
    assert message.name is not None
    assert message.name.isprintable()
