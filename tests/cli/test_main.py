from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from appliance.cli import _COMMANDS, main


def test_help_names_every_command_without_loading_it() -> None:
    code = "import sys\nfrom appliance.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nassert 'appliance.cli.up' not in sys.modules"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    for name, words in _COMMANDS.items():
        assert f"{name} " in shown.stdout
        assert words.split(";")[0] in " ".join(shown.stdout.split())


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_has_help(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) > 4


def test_version() -> None:
    shown = CliRunner().invoke(main, ["--version"])
    assert shown.output.startswith("gatehouse, version ")


def test_unknown_command_is_wrong_use() -> None:
    shown = CliRunner().invoke(main, ["listen-in"])
    assert shown.exit_code == 2
    assert "No such command" in shown.output
