"""Catalogues of the pages' languages hold every text, and say the same thing with the same places to fill in."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from dashboard.i18n import MACHINE_MADE, NAMES

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = sorted((ROOT / "dashboard" / "translations").glob("*/LC_MESSAGES/messages.po"))
PLACE = re.compile(r"%\((\w+)\)[sd]")


def messages(path: Path) -> list[Message]:
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


def test_there_is_a_catalogue_for_every_language_but_the_one_that_is_written() -> None:
    assert {path.parts[-3] for path in CATALOGUES} == set(NAMES) - {"en"}


def test_catalogues_are_up_to_date() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "tools" / "translations.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_text_is_translated_and_has_the_same_places(path: Path) -> None:
    for message in messages(path):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(said), f"not translated: {ids[0]}"
        wanted = {place for text in ids for place in PLACE.findall(text)}
        for text in said:
            # A form for one or two may say the number as a word.
            assert set(PLACE.findall(text)) <= wanted, text
            assert wanted - set(PLACE.findall(text)) <= {"num", "number", "count"}, text


def test_a_language_that_nobody_read_says_so() -> None:
    assert set(NAMES) >= MACHINE_MADE
