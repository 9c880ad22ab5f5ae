"""Templates: nothing that is not given, and no sign is changed."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from firmware.templating import environment, fill


def test_what_is_not_given_raises() -> None:
    with pytest.raises(UndefinedError):
        fill("chrony.conf")


def test_text_stands_as_it_is_given() -> None:
    assert 'a "quoted" <name> & more\n' in environment().from_string("{{ x }}\n").render(x='a "quoted" <name> & more')


def test_every_file_says_what_it_is_and_ends_its_last_line(rendered: dict[str, str]) -> None:
    for path, text in rendered.items():
        assert text.endswith("\n"), path
        assert "Gatehouse" in text[:80], path
        assert "\n\n\n" not in text, path
        assert "\r" not in text, path
