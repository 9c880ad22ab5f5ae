from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from appliance.cli.first_boot import first_boot


def test_without_the_operators_card_it_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(first_boot, ["--root", str(tmp_path)])
    assert done.exit_code == 2
    assert "operator.toml" in done.output
    assert "at the station" in done.output
