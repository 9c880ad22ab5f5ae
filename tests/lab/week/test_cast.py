"""The cast is data: a wrong file says which field, and a member's own words replace its persona's."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.week import cast
from wire.files import FileError

GOOD = """
title = "A day"
starts = 2030-03-18T00:00:00Z
days = 1

[[member]]
name = "phone"
persona = "iphone"
host_name = "grey-goose"
standing = "household"
stays = [[7.0, 9.0], [12.0, 26.0]]
"""


def test_a_members_own_name_replaces_the_personas(tmp_path: Path) -> None:
    (tmp_path / "cast.toml").write_text(GOOD)
    (member,) = cast.load(tmp_path / "cast.toml").member
    persona = member.spoken_by()
    assert persona.host_name == "grey-goose"
    assert {service.name for service in persona.services} == {"grey-goose"}
    assert member.hours(0) == ((7.0, 9.0), (12.0, 26.0))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[12.0, 26.0]", "[8.0, 26.0]", "stays must follow each other"),
        ('"household"', '"friend"', "standing"),
        ("days = 1", "days = 0", "days"),
        ("days = 1\n", "days = 1\ncolour = 1\n", "colour"),
    ],
)
def test_a_wrong_file_names_itself_and_the_field(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "cast.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(FileError) as error:
        cast.load(path)
    assert str(path) in str(error.value)
    assert words in str(error.value)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cast.toml"
    path.write_text(GOOD + GOOD.partition("days = 1")[2])
    with pytest.raises(FileError, match="called alike"):
        cast.load(path)
