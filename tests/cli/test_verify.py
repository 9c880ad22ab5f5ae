from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli import main
from lab.faults import bundling


@pytest.mark.req("R68", "N3")
def test_the_command_says_what_the_verifier_says(tmp_path: Path) -> None:
    made = bundling.make(tmp_path)
    path = tmp_path / "b.zip"
    path.write_bytes(made.zip)
    done = CliRunner().invoke(main, ["verify", str(path), "--box", bundling.key_id(made.box)])
    assert done.exit_code == 0
    assert "The box's key is the one expected" in done.output
    path.write_bytes(made.zip[:-1])
    assert CliRunner().invoke(main, ["verify", str(path)]).exit_code == 2
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "none.zip")]).exit_code == 2


def test_another_box_s_bundle_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(bundling.make(tmp_path).zip)
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "b.zip"), "--box", "0" * 16]).exit_code == 1
