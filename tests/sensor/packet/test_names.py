from __future__ import annotations

import re

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import names

LABEL = st.binary(min_size=1, max_size=63)
SPELLED = re.compile(r"(?:[!-~]|\\[0-9]{3})*")


@pytest.mark.parametrize(
    ("given_name", "spelled"),
    [
        (b"Shop.Example", "shop.example"),
        (b"shop.example.", "shop.example"),
        (b"a b.example", r"a\032b.example"),
        (b"\xffx.example", r"\255x.example"),
        (b"\x00", r"\000"),
    ],
)
def test_one_spelling(given_name: bytes, spelled: str) -> None:
    assert names.from_bytes(given_name) == spelled


@given(st.lists(LABEL, min_size=1, max_size=6).filter(lambda labels: sum(map(len, labels)) + len(labels) < 255))
def test_spells_as_dnspython_does(labels: list[bytes]) -> None:
    theirs = dns.name.Name([*labels, b""]).canonicalize().to_text(omit_final_dot=True)
    if len(theirs) <= names.MAX_NAME:
        assert names.from_labels(labels) == theirs
    else:
        assert theirs.endswith("." + names.from_labels(labels))


@given(st.binary(max_size=600))
def test_any_bytes_give_bounded_printable_text(data: bytes) -> None:
    name = names.from_bytes(data)
    assert len(name) <= names.MAX_NAME
    assert SPELLED.fullmatch(name)
    assert name == name.lower()


def test_a_name_too_long_keeps_what_it_lies_under() -> None:
    name = names.from_labels([b"\xff" * 60, b"\xfe" * 60, b"deep", b"example"])
    assert name.endswith(".deep.example")
    assert len(name) <= names.MAX_NAME


def test_a_label_longer_than_any_host_name_is_kept_by_its_end() -> None:
    assert names.from_bytes(b"x" * 300 + b"end") == "x" * 250 + "end"
    cut = names.from_bytes(b"\xff" * 300)
    assert SPELLED.fullmatch(cut)
    assert len(cut) <= names.MAX_NAME


def test_announced_names_are_printable_and_bounded() -> None:
    assert names.announced("Küche".encode()) == "Küche"
    assert names.announced(b"tv\0\0") == "tv"
    assert names.announced(b"\x1b[31mred") == r"\027[31mred"
    assert names.announced(b"\xff") == r"\xff"
    assert len(names.announced(b"\x01" * 5000)) == names.MAX_ANNOUNCED


@given(st.binary(max_size=600))
def test_any_announced_bytes(data: bytes) -> None:
    text = names.announced(data)
    assert text.isprintable()
    assert len(text) <= names.MAX_ANNOUNCED
