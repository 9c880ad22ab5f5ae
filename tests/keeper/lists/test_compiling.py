from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists import compiling
from appliance.keeper.lists.compiling import Tally, compile_table, in_memory
from appliance.keeper.lists.entries import Entry, Fault, Item, Reach, Why, joined
from appliance.keeper.lists.table import digest, open_table

KEY = b"k"


def entries(count: int) -> Iterator[Item]:
    for number in range(count):
        yield Entry(name=f"n{number}.example", reach=Reach.SUBTREE)


def test_what_a_list_held_is_counted() -> None:
    items: list[Item] = [
        *entries(3),
        Entry(name="n1.example", reach=Reach.SUBTREE),
        ip_network("192.0.2.0/24"),
        *(Fault(line=number, why=Why.MALFORMED) for number in range(1, 150)),
        Fault(line=7, why=Why.URL),
    ]
    table, tally = in_memory(items)
    assert (len(table), tally.entries, tally.duplicates, tally.networks) == (3, 3, 1, 1)
    assert tally.faults[Why.MALFORMED] == 149
    assert tally.lines[Why.MALFORMED] == list(range(1, 101)), "the first hundred"
    assert (tally.faults[Why.URL], tally.lines[Why.URL], tally.faults[Why.TOO_WIDE]) == (1, [7], 0)


@pytest.mark.parametrize("confidential", [False, True])
def test_a_list_larger_than_memory_is_sorted_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, confidential: bool
) -> None:
    monkeypatch.setattr(compiling, "SPILL", 100)
    path = tmp_path / "list"
    tally = compile_table((*entries(950), *entries(10)), path, key=KEY, source=bytes(32), confidential=confidential)
    assert (tally.entries, tally.duplicates) == (950, 10)
    table = open_table(path, KEY)
    assert all(table.reach(digest(KEY, f"n{number}.example")) is Reach.SUBTREE for number in range(950))
    whole, _tally = in_memory(entries(950), key=KEY, confidential=confidential)
    assert path.read_bytes() == bytes(whole._data), "the same file, in whatever pieces it was made"
    assert [item.name for item in tmp_path.iterdir()] == ["list"]


def test_few_wait_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "SPILL", 64)
    monkeypatch.setattr(compiling, "AT_ONCE", 16)
    most = 0
    add = compiling._Pieces.add

    def watched(self: compiling._Pieces, hashes: Iterable[bytes], reaches: list[Reach]) -> None:
        nonlocal most
        add(self, hashes, reaches)
        most = max(most, sum(len(waiting) for waiting in self._waiting))

    monkeypatch.setattr(compiling._Pieces, "add", watched)
    compile_table(entries(1000), tmp_path / "list", key=KEY, source=bytes(32))
    assert 0 < most <= 64


def test_what_goes_over_the_bound_is_counted(tmp_path: Path) -> None:
    tally = compile_table(entries(10), tmp_path / "list", key=KEY, source=bytes(32), limit=4)
    assert (tally.entries, tally.overflow, len(open_table(tmp_path / "list", KEY))) == (4, 6, 4)


def test_an_old_table_stays_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list"
    compile_table(entries(5), path, key=KEY, source=bytes(32))
    before = path.read_bytes()
    old = open_table(path, KEY)

    def broken() -> Iterator[Item]:
        yield from entries(3)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        compile_table(broken(), path, key=KEY, source=bytes(32))
    assert path.read_bytes() == before
    assert list(tmp_path.glob(f"{compiling._TEMPORARY}*")) == []

    def fails(_handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="Input/output"):
            compile_table(entries(3), path, key=KEY, source=bytes(32))
    assert path.read_bytes() == before
    compile_table(entries(2), path, key=KEY, source=bytes(32))
    assert (len(open_table(path, KEY)), len(old)) == (2, 5)
    assert old.reach(digest(KEY, "n4.example")) is Reach.SUBTREE, "who has the old one mapped reads on"


def test_what_a_power_cut_left_is_found(tmp_path: Path) -> None:
    (tmp_path / f"{compiling._TEMPORARY}x").touch()
    (tmp_path / "list").touch()
    assert [path.name for path in tmp_path.glob(f"{compiling._TEMPORARY}*")] == [f"{compiling._TEMPORARY}x"]


@given(
    held=st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(list(Reach))), max_size=40),
    confidential=st.booleans(),
)
def test_a_name_that_is_there_often_has_all_its_reaches(held: list[tuple[str, Reach]], confidential: bool) -> None:
    expected: dict[str, Reach] = {}
    for name, reach in held:
        expected[name] = joined(expected[name], reach) if name in expected else reach
    table, tally = in_memory(
        [Entry(name=name, reach=reach) for name, reach in held], key=KEY, confidential=confidential
    )
    assert {name: table.reach(digest(KEY, name)) for name in expected} == expected
    assert (tally.entries, tally.entries + tally.duplicates) == (len(expected), len(held))
    assert isinstance(tally, Tally)
