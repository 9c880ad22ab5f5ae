from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.pictures import PICTURES, main


@pytest.mark.browser
@pytest.mark.req("R72")
def test_a_picture_is_taken_of_the_pages_as_they_are(tmp_path: Path) -> None:
    # A process of its own: the browser's driver may be at work in this one.
    command = [sys.executable, "-m", "lab.pictures", "--into", str(tmp_path), "--only", "timeline"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_there_is_not_is_said() -> None:
    result = CliRunner().invoke(main, ["--only", "moon"])
    assert result.exit_code == 2
    assert "there is no picture moon" in result.output


def test_every_picture_of_the_guides_can_be_taken_again() -> None:
    there = {path.stem for path in (Path(__file__).resolve().parents[2] / "docs" / "pictures").glob("*.png")}
    assert there <= {one.name for one in PICTURES}
