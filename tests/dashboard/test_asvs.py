"""The list of what is met names tests that exist, and says something in each row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs" / "asvs.md").read_text().splitlines()
    if line.startswith("| V")
]
STATES = {"Met", "Met in part", "Not met", "Not met here", "Not applicable"}


def test_each_named_test_and_file_exists() -> None:
    assert len(ROWS) > 50
    for section, _, state, proof in ROWS:
        assert state in STATES, section
        assert len(proof) > 10, section
        for path, name in re.findall(r"`((?:tests|docs)/[\w/]+\.\w+)(?:::(\w+))?`", proof):
            file = ROOT / path
            assert file.exists(), (section, path)
            if name:
                there = {item.name for item in ast.parse(file.read_text()).body if isinstance(item, ast.FunctionDef)}
                assert name in there, (section, path, name)


def test_every_chapter_of_the_standard_is_answered() -> None:
    assert {row[0].split(".")[0] for row in ROWS} == {f"V{number}" for number in range(1, 18)}
