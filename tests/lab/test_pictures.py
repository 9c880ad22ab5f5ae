from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.pictures import PICTURES, main
from lab.pictures_install import NAMES


@pytest.mark.browser
@pytest.mark.req("R72")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["timeline", "removal-collect-phone"])
def test_a_picture_is_taken_of_the_pages_as_they_are(name: str, tmp_path: Path) -> None:
    # A process of its own: the browser's driver may be at work in this one.
    command = [sys.executable, "-m", "lab.pictures", "--into", str(tmp_path), "--only", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    (made,) = tmp_path.iterdir()
    assert made.name == f"{name}.png"
    assert made.read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_there_is_not_is_said() -> None:
    result = CliRunner().invoke(main, ["--only", "moon"])
    assert result.exit_code == 2
    assert "there is no picture moon" in result.output


def test_every_picture_of_the_guides_can_be_taken_again() -> None:
    there = {path.stem for path in (Path(__file__).resolve().parents[2] / "docs" / "pictures").glob("*.png")}
    assert there <= {one.name for one in PICTURES} | set(NAMES)
