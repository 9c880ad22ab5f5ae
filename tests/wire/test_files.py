from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from wire.files import FileError, load_toml, replace, toml_text


class _Inner(BaseModel):
    path: Path


class _Settings(BaseModel):
    name: str
    count: int = 0
    inner: _Inner
    more: tuple[_Inner, ...] = ()


def test_paths_count_from_the_files_folder(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('name = "a"\n[inner]\npath = "b/c"\n[[more]]\npath = "/d"\n')
    loaded = load_toml(file, _Settings, purpose="the file")
    assert loaded.inner.path == tmp_path / "b/c"
    assert loaded.more[0].path == Path("/d")
    assert (loaded.name, loaded.count) == ("a", 0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name =", "not valid TOML"),
        (b"\xff", "not valid TOML"),
        (b'count = "x"\n', "name: Field required; count: "),
    ],
)
def test_what_is_wrong_is_said(content: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    with pytest.raises(FileError, match=says) as caught:
        load_toml(file, _Settings, purpose="the file")
    assert str(file) in str(caught.value)


def test_a_missing_file_says_what_it_would_be_for(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="give the settings file"):
        load_toml(tmp_path / "absent.toml", _Settings, purpose="the settings file")


def test_replacing_leaves_the_new_file_whole_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_bytes(b"old and longer")
    replace(file, b"new", mode=0o640)
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_the_mode_is_the_one_asked_for_whatever_the_process_masks(tmp_path: Path) -> None:
    file = tmp_path / "register"
    before = os.umask(0o077)
    try:
        replace(file, b"for others to read", mode=0o644)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o644


class _Whole(BaseModel):
    text: str = 'a "quoted" \\ text\nof lines, DEL \x7f and a \U0001f3e1'
    yes: bool = True
    number: float = 1.5
    plain: tuple[str, ...] = ("a", "b")
    none: str | None = None
    empty: tuple[_Inner, ...] = ()
    inner: _Inner = _Inner(path=Path("/x"))
    more: tuple[_Settings, ...] = (
        _Settings(name="one", inner=_Inner(path=Path("/y"))),
        _Settings(name="two", inner=_Inner(path=Path("/z")), more=(_Inner(path=Path("/w")),)),
    )
    by_name: dict[str, int] = Field(default_factory=lambda: {"a-b": 1, "with space": 2})


def test_what_is_written_as_toml_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "whole.toml"
    file.write_text(toml_text(_Whole()), encoding="utf-8")
    assert load_toml(file, _Whole, purpose="the file") == _Whole()


def test_what_is_as_by_default_can_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text(toml_text(_Whole(none="here"), only_set=True), encoding="utf-8")
    assert file.read_text(encoding="utf-8") == 'none = "here"\n'
    assert load_toml(file, _Whole, purpose="the file") == _Whole(none="here")


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=6), st.text(max_size=20), max_size=4), st.lists(st.integers(), max_size=3))
def test_any_text_survives(texts: dict[str, str], numbers: list[int]) -> None:
    class Free(BaseModel):
        texts: dict[str, str]
        numbers: list[int]

    whole = Free(texts=texts, numbers=numbers)
    assert Free.model_validate(tomllib.loads(toml_text(whole))) == whole


def test_what_toml_cannot_hold_is_refused() -> None:
    class Nested(BaseModel):
        lists: list[list[None]] = Field(default_factory=lambda: [[None]])

    with pytest.raises(TypeError, match="no value of TOML"):
        toml_text(Nested())
