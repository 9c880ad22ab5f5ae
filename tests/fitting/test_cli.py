"""The commands of a new box; those that need nothing of one are in tests/cli."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli.label import label
from appliance.fitting import card as cards
from firmware import layout


@pytest.mark.req("R2", "R69")
def test_first_boot_as_it_is_started_and_nothing_secret_in_its_words(unborn: Any) -> None:
    command = [str(Path(sys.executable).with_name("gatehouse")), "first-boot", "--root", str(unborn.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    sticker = cards.load_sticker(unborn)
    assert sticker is not None
    assert sticker.site in done.stdout
    for secret in (sticker.code, sticker.wifi_passphrase):
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize(("name", "begins"), [("l.svg", b"<svg"), ("l.pdf", b"%PDF"), ("l.png", b"\x89PNG")])
def test_the_label_is_written_for_its_owner_alone(box: Any, tmp_path: Path, name: str, begins: bytes) -> None:
    out = tmp_path / name
    done = CliRunner().invoke(label, ["--root", str(box.root), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(begins)
    assert out.stat().st_mode & 0o077 == 0


def test_a_label_that_cannot_be_is_refused(box: Any, tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(label, ["--root", str(box.root), "--out", str(tmp_path / "l.doc")]).exit_code == 2
    box.places.at(layout.LABEL_FILE).unlink()
    done = run.invoke(label, ["--root", str(box.root), "--out", str(tmp_path / "l.svg")])
    assert done.exit_code == 2
    assert "no label" in done.output
