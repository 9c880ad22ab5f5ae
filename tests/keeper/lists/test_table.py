from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists import table
from appliance.keeper.lists.compiling import compile_table, in_memory
from appliance.keeper.lists.entries import Entry, Reach
from appliance.keeper.lists.table import HEADER, NARROW, WIDE, Table, TableError, digest, open_table, size_of

KEY = bytes(range(32))
ENTRIES = [Entry(name=f"n{number}.example", reach=Reach(number % 4)) for number in range(600)]


def image(*, confidential: bool = False) -> bytes:
    made, _tally = in_memory(ENTRIES, key=KEY, confidential=confidential)
    return bytes(made._data)


@pytest.mark.parametrize("confidential", [False, True])
def test_what_was_put_in_is_found_with_its_reach(tmp_path: Path, confidential: bool) -> None:
    path = tmp_path / "list"
    compile_table(ENTRIES, path, key=KEY, source=b"s" * 32, confidential=confidential)
    opened = open_table(path, KEY)
    assert (len(opened), opened.source, opened.confidential) == (600, b"s" * 32, confidential)
    assert opened.width == (WIDE if confidential else NARROW)
    for entry in ENTRIES:
        assert opened.reach(digest(KEY, entry.name)) is entry.reach
    assert not any(opened.reach(digest(KEY, f"m{number}.example")) for number in range(2000))
    assert opened.reach(bytes(16)) is opened.reach(b"\xff" * 16) is None


@pytest.mark.req("N16")
def test_nothing_readable_is_in_the_file() -> None:
    for confidential in (False, True):
        assert b"example" not in image(confidential=confidential)


def test_another_key_hashes_otherwise_and_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list"
    compile_table(ENTRIES, path, key=KEY, source=bytes(32))
    with pytest.raises(TableError, match=r"list: .*another key"):
        open_table(path, b"other")
    assert digest(KEY, "a.example") != digest(b"other", "a.example")


@pytest.mark.parametrize("confidential", [False, True])
def test_damage_at_any_octet_is_refused(confidential: bool) -> None:
    """Every octet of header and index, and one in seven of the rest; each bit somewhere."""
    whole = image(confidential=confidential)
    for place in (*range(HEADER + 64), *range(HEADER + 64, len(whole), 7), len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises(TableError):
            Table(bytes(damaged), key=KEY)


@pytest.mark.parametrize("confidential", [False, True])
def test_of_one_checked_before_header_and_index_are_read_and_no_look_up_raises(confidential: bool) -> None:
    whole = image(confidential=confidential)
    for place in (*range(112), *range(112, len(whole), 13)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        try:
            opened = Table(bytes(damaged), key=KEY, checked=True)
        except TableError:
            continue
        assert place > 100, "the header is always checked"
        for number in range(0, 600, 7):
            opened.reach(digest(KEY, f"n{number}.example"))


@pytest.mark.parametrize("confidential", [False, True])
def test_a_file_of_another_length_is_refused(confidential: bool) -> None:
    whole = image(confidential=confidential)
    for length in (*range(HEADER + 8), *range(HEADER + 8, len(whole), 101), len(whole) - 1):
        with pytest.raises(TableError):
            Table(whole[:length], key=KEY)
    with pytest.raises(TableError, match="too long"):
        Table(whole + b"\0", key=KEY)


@pytest.mark.parametrize(
    ("bits", "index"),
    [(1, [0, 4, 3]), (1, [1, 2, 3]), (1, [0, 2, 2]), (1, [0, 2**32 - 1, 3])],
)
def test_a_well_signed_index_that_points_outside_is_refused(bits: int, index: list[int]) -> None:
    """Whoever can write the file can make its digests too: a look-up must not run off the end even then."""
    start = size_of(0, bits=bits, width=NARROW)
    body = b"".join(number.to_bytes(4, "little") for number in index).ljust(start - HEADER, b"\0") + bytes(3 * NARROW)
    whole = table.body_digest()
    whole.update(body)
    head = table.header(width=NARROW, bits=bits, count=3, key=KEY, source=bytes(32), body=whole.digest())
    with pytest.raises(TableError, match="index"):
        Table(head + body, key=KEY)


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = image()
    monkeypatch.setattr(table, "VERSION", 2)
    with pytest.raises(TableError, match="another version"):
        Table(whole, key=KEY)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "absent", tmp_path / "empty", tmp_path):
        with pytest.raises(TableError, match="cannot be read"):
            open_table(path, KEY)


@given(raw=st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused(raw: bytes) -> None:
    with pytest.raises(TableError):
        Table(raw, key=KEY)


@given(raw=st.binary(max_size=400), hashed=st.binary(min_size=16, max_size=16))
def test_any_signed_body_never_raises_in_a_look_up(raw: bytes, hashed: bytes) -> None:
    count = max(0, len(raw) - 8) // NARROW
    body = (bytes(4) + count.to_bytes(4, "little") + bytes(size_of(0, bits=0, width=NARROW) - HEADER - 8)) + raw[
        8 : 8 + count * NARROW
    ].ljust(count * NARROW, b"\0")
    whole = table.body_digest()
    whole.update(body)
    head = table.header(width=NARROW, bits=0, count=count, key=KEY, source=bytes(32), body=whole.digest())
    found = Table(head + body, key=KEY).reach(hashed)
    assert found is None or found in Reach
