"""What is due is gone from every file, and the search that says so can find."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from lab.faults import purge


@pytest.mark.req("N17", "R64", "R55")
def test_what_is_due_is_in_no_file(tmp_path: Path) -> None:
    result = purge.run(tmp_path, short=True, say=print)
    assert result.kept, dict(result.figures)


@pytest.mark.parametrize(
    "hidden",
    [
        b"..quillfeather-7.example..",
        b"..QuillFeather..",
        "xquillfeather".encode("utf-16-le"),
        b"quillfeather".hex().encode(),
        *(base64.b64encode(b"." * before + b"quillfeather-7.example") for before in range(6)),
    ],
)
def test_the_search_finds(tmp_path: Path, hidden: bytes) -> None:
    (tmp_path / "file").write_bytes(b"\0" * 9 + hidden + b"\0" * 9)
    assert purge.search(tmp_path, ["quillfeather"]), hidden
    assert not purge.search(tmp_path, ["sparrowhawk"])
