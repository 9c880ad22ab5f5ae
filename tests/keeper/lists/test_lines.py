from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists import lines
from appliance.keeper.lists.lines import MAX_LINE, read_blocks, read_lines


def read(raw: bytes) -> list[tuple[int, str | None]]:
    return list(read_lines(io.BytesIO(raw)))


def test_numbers_and_ends() -> None:
    assert read(b"\xef\xbb\xbfa\r\n\nb") == [(1, "a"), (2, ""), (3, "b")]
    assert read(b"") == []
    assert read(b"\xef\xbb\xbf") == [(1, "")]


def test_blocks_end_where_a_line_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK", 7)
    raw = b"".join(b"line %d\n" % number for number in range(50)) + b"last"
    blocks = list(read_blocks(io.BytesIO(raw)))
    assert b"".join(block for _number, block in blocks) == raw + b"\n"
    assert len(blocks) > 20
    assert read(raw) == [(number + 1, f"line {number}") for number in range(50)] + [(51, "last")]


def test_a_line_that_is_no_text_is_only_counted() -> None:
    assert read(b"a\n\xff\nb\n") == [(1, "a"), (2, None), (3, "b")]


def test_a_line_without_end_is_read_over_and_never_held() -> None:
    class Watched(io.BytesIO):
        most = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= MAX_LINE + 1
            line = super().readline(size)
            Watched.most = max(Watched.most, len(line))
            return line

    stream = Watched(b"x" * 1_000_000 + b"\nnext\n" + b"y" * MAX_LINE + b"\n" + b"z" * (MAX_LINE + 1))
    assert list(read_lines(stream)) == [(1, None), (2, "next"), (3, "y" * MAX_LINE), (4, None)]
    assert Watched.most <= MAX_LINE + 1


@given(raw=st.binary(max_size=500))
def test_numbers_rise_by_one(raw: bytes) -> None:
    found = read(raw)
    assert [number for number, _text in found] == list(range(1, len(found) + 1))
    assert len(found) == len(raw.splitlines(keepends=True)) or b"\r" in raw
