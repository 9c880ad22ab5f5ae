"""Personas are data: the shipped ones are whole, and a wrong one says which file and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import personas
from wire.files import FileError

GOOD = """
name = "thing"
title = "A thing"
mac = "02:00:5e:00:00:01"
parameters = [1, 3, 6]
"""


def test_the_shipped_ones_are_all_readable_and_differ() -> None:
    everybody = [personas.load(name) for name in personas.names()]
    assert {persona.name for persona in everybody} >= {
        "registered-laptop",
        "household-phone",
        "smart-tv",
        "unregistered-phone",
        "games-console",
        "printer",
    }
    assert len({persona.mac for persona in everybody}) == len(everybody)
    assert len({persona.parameters for persona in everybody}) == len(everybody), "each asks in its own way"


def test_the_unregistered_phone_hides_its_maker_and_its_name() -> None:
    phone = personas.load("unregistered-phone")
    assert int(phone.mac[:2], 16) & 2
    assert phone.host_name is None


def write(folder: Path, text: str) -> None:
    (folder / "thing.toml").write_text(text)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert personas.load("thing", tmp_path).parameters == (1, 3, 6)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('mac = "00:11:22:33:44:55"', "mac: Value error, may be somebody's"),
        ('mac = "01:00:5e:00:53:01"', "mac: Value error, is a group address"),
        ('mac = "02-00-5e-00-00-01"', "mac"),
        ("parameters = []", "parameters"),
        ("parameters = [0]", "parameters.0"),
        ("parameters = [255]", "parameters.0"),
        ('host_name = "-x"', "host_name"),
        ('vendor_class = "a\\"; send x 1"', "vendor_class"),
        ('habits = ["www.real-site.com"]', "habits.0"),
        ('ssdp = ["a\\r\\nb"]', "ssdp.0"),
        ("colour = 1", "colour"),
        ('name = "other"', "name: is 'other'"),
    ],
)
def test_a_wrong_file_names_itself_and_the_field(tmp_path: Path, line: str, field: str) -> None:
    key = line.partition(" =")[0]
    kept = "\n".join(old for old in GOOD.splitlines() if not old.startswith(f"{key} ="))
    write(tmp_path, f"{kept}\n{line}\n")
    with pytest.raises(FileError) as error:
        personas.load("thing", tmp_path)
    assert str(tmp_path / "thing.toml") in str(error.value)
    assert field in str(error.value)


def test_an_unknown_name_lists_the_known(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(FileError, match="there is no persona 'nobody'; known are thing"):
        personas.load("nobody", tmp_path)
