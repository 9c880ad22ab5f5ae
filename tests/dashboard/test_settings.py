from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.settings import load
from wire.files import FileError

WHOLE = 'database_url = "sqlite:///d.db"\ntenant = "t"\noperator = "O"\nsecret_key_file = "secret"\n'


def test_paths_count_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "d.toml"
    path.write_text(WHOLE)
    settings = load(path)
    assert settings.secret_key_file == tmp_path / "secret"
    assert (settings.time_zone, settings.poll_seconds, settings.secure_cookies) == ("Europe/London", 30.0, True)
    assert settings.words.person == "person on probation"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('time_zone = "Mars/Base"', "not a known time zone"),
        ('time_zone = "../etc/passwd"', "not a known time zone"),
        ('tenant = "T T"', "tenant"),
        ("poll_seconds = 0", "poll_seconds"),
        ("colour = 1", "colour"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, line: str, text: str) -> None:
    path = tmp_path / "d.toml"
    kept = [old for old in WHOLE.splitlines() if old.split(" ")[0] != line.split(" ", maxsplit=1)[0]]
    path.write_text("\n".join([*kept, line]))
    with pytest.raises(FileError, match=text):
        load(path)
