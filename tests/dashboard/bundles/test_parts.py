from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.bundles.parts import BundleError, unpack

SIGNATURE = base64.b64encode(bytes(64))
WHOLE = b"A{}\nR{1}\nL00\nR{2}\nB{}\nS" + SIGNATURE + b"\n"


def test_lines_go_to_their_files_in_order() -> None:
    files = unpack(zlib.compress(WHOLE))
    assert files["records.jsonl"] == b"{1}\n{2}\n"
    assert files["leaves.txt"] == b"00\n"
    assert files["lists.jsonl"] == b""
    assert (files["box.json"], files["box.sig"]) == (b"{}", bytes(64))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (WHOLE[:-1], "cut off"),
        (b"X{}\n" + WHOLE, "no file"),
        (WHOLE + b"B{}\n", "statement"),
        (b"A{}\n", "statement"),
        (b"B{}\nS****\n", "base64"),
        (b"B{}\nSAAAA\n", "length"),
    ],
)
def test_what_is_no_data_part_is_refused_in_words(text: bytes, why: str) -> None:
    with pytest.raises(BundleError, match=why):
        unpack(zlib.compress(text))


def test_nothing_grows_without_bound() -> None:
    with pytest.raises(BundleError, match="more than 1000 octets"):
        unpack(zlib.compress(b"R" + bytes(10_000_000) + b"\n"), most=1000)


def test_what_is_cut_off_or_added_to_is_refused() -> None:
    packed = zlib.compress(WHOLE)
    for wrong in (packed[:-1], packed + b"x", b"x" + packed):
        with pytest.raises(BundleError):
            unpack(wrong)


@given(st.binary(max_size=300), st.booleans())
def test_any_octets_raise_nothing_else(raw: bytes, packed: bool) -> None:
    try:
        files = unpack(zlib.compress(raw) if packed else raw)
    except BundleError:
        return
    assert len(files["box.sig"]) == 64
