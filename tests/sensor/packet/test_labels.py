from __future__ import annotations

from struct import pack

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import labels
from appliance.sensor.packet.cursor import Cursor, ParseError


def name_at(wire: bytes, start: int) -> str:
    return labels.Names().read(Cursor(wire, start))


def test_a_pointer_to_itself_ends() -> None:
    with pytest.raises(ParseError, match="backward"):
        name_at(b"\xc0\x00", 0)


def test_two_pointers_at_each_other_end() -> None:
    with pytest.raises(ParseError, match="backward"):
        name_at(b"\xc0\x02\xc0\x00", 2)


def test_a_pointer_into_the_labels_it_ends() -> None:
    with pytest.raises(ParseError, match="backward"):
        name_at(b"\x01a\x01b\xc0\x02", 0)


def test_3000_chained_pointers_end() -> None:
    wire = b"\0" + b"\0" + b"".join(pack("!H", 0xC000 | 2 * number) for number in range(3000))
    with pytest.raises(ParseError, match="pointers"):
        name_at(wire, len(wire) - 2)
    assert name_at(wire, 2 * labels.MAX_POINTERS) == ""


def test_a_name_over_255_octets() -> None:
    longest = b"\x3f" + b"x" * 63
    assert name_at(longest * 3 + b"\x3d" + b"y" * 61 + b"\0", 0) == ".".join(["x" * 63] * 3 + ["y" * 61])
    with pytest.raises(ParseError, match="too long"):
        name_at(longest * 3 + b"\x3e" + b"y" * 62 + b"\0", 0)


@pytest.mark.parametrize("wire", [b"\x40a", b"\x80a", b"\x05ab", b"\xc0", b""])
def test_broken_names(wire: bytes) -> None:
    with pytest.raises(ParseError):
        name_at(wire, 0)


def test_longest_names_with_pointers() -> None:
    """254 octets of labels and a pointer to the root are 255 octets; the pointer itself does not count."""
    wire = (
        b"\0"
        + b"\x3fxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" * 3
        + b"\x3d"
        + b"y" * 61
        + b"\xc0\0"
    )
    assert name_at(wire, 1).endswith("." + "y" * 61)
    with pytest.raises(ParseError, match="too long"):
        name_at(b"\0" + wire[1:-2].replace(b"\x3d", b"\x3e", 1) + b"y\xc0\0", 1)


def test_a_known_tail_that_makes_a_name_too_long() -> None:
    tail = b"\x3f" + b"x" * 63
    wire = tail * 3 + b"\0" + b"\x3e" + b"y" * 62 + b"\xc0\0"
    read = labels.Names()
    first = read.at(wire, 0, len(wire))
    assert first == (".".join(["x" * 63] * 3), 193)
    with pytest.raises(ParseError, match="too long"):
        read.at(wire, 193, len(wire))
    assert read.at(wire, len(wire) - 2, len(wire)) == (first[0], len(wire))


def test_a_name_over_255_octets_behind_pointers() -> None:
    part = b"\x3f" + b"x" * 63
    wire = part * 2 + b"\0" + part * 2 + b"\xc0\0"
    with pytest.raises(ParseError, match="too long"):
        name_at(wire, 129)


def test_pointers_count_the_same_whether_or_not_their_targets_were_read() -> None:
    wire = b"\0\0" + b"".join(pack("!H", 0xC000 | 2 * number) for number in range(labels.MAX_POINTERS + 1))
    read = labels.Names()
    for at in range(2, 2 * labels.MAX_POINTERS + 1, 2):
        assert read.at(wire, at, len(wire)) == ("", at + 2)
    with pytest.raises(ParseError, match="pointers"):
        read.at(wire, 2 * labels.MAX_POINTERS + 2, len(wire))


def test_labels_are_counted_over_all_names() -> None:
    wire = b"\x01a" * 126 + b"\0"
    read = labels.Names()
    for _ in range(labels.MAX_LABELS // 126):
        read.at(wire, 0, len(wire))
    with pytest.raises(ParseError, match="labels"):
        read.at(wire, 0, len(wire))


def test_pointers_to_known_names_are_counted_too() -> None:
    wire = b"\x01a" * 126 + b"\0\xc0\0"
    read = labels.Names()
    read.at(wire, 0, len(wire))
    for _ in range(labels.MAX_LABELS // 126 - 1):
        read.at(wire, 253, len(wire))
    with pytest.raises(ParseError, match="labels"):
        read.at(wire, 253, len(wire))


def test_a_name_that_could_not_be_read_is_charged() -> None:
    read = labels.Names()
    for _ in range(labels.MAX_LABELS // 127 + 1):
        read.charge()
    with pytest.raises(ParseError, match="labels"):
        read.at(b"\0", 0, 1)


@pytest.mark.req("N8")
@given(st.binary(max_size=600), st.lists(st.integers(0, 599), min_size=1, max_size=20))
def test_any_bytes_at_any_places(data: bytes, places: list[int]) -> None:
    """What a name reads as does not depend on what was read before it."""
    read = labels.Names()
    for at in places:
        try:
            text, end = read.at(data, at, len(data))
        except ParseError:
            continue
        assert at < end <= len(data)
        assert len(text) <= 253
        assert labels.Names().at(data, at, len(data)) == (text, end)


@given(st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=5).filter(lambda ls: sum(map(len, ls)) < 200))
def test_reads_names_as_dnspython_does(labels: list[bytes]) -> None:
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    theirs = dns.name.from_wire(wire, 0)[0].canonicalize().to_text(omit_final_dot=True)
    ours = name_at(wire, 0)
    assert ours == theirs or (len(theirs) > 253 and theirs.endswith("." + ours))
