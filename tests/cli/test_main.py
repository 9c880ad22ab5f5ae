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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["listen-in"], "gatehouse: No such command 'listen-in'. See gatehouse --help.\n"),
        (["status", "--bogus"], "gatehouse status: No such option '--bogus'. See gatehouse status --help.\n"),
        (["status"], "gatehouse status: Missing option '--config'. See gatehouse status --help.\n"),
        (["doctor"], "gatehouse doctor: Missing option '--config'. See gatehouse doctor --help.\n"),
        (["up"], "gatehouse up: Missing option '--config'. See gatehouse up --help.\n"),
        (["replay"], "gatehouse replay: Missing argument 'FILE'. See gatehouse replay --help.\n"),
        (
            ["authority", "keygen"],
            "gatehouse authority keygen: Missing option '--out'. See gatehouse authority keygen --help.\n",
        ),
    ],
)
def test_wrong_use_is_one_plain_line(words: list[str], said: str) -> None:
    shown = CliRunner().invoke(main, words, prog_name="gatehouse")
    assert (shown.exit_code, shown.stderr, shown.stdout) == (2, said, "")


def test_a_reader_that_leaves_is_no_fault() -> None:
    command = "import sys\nfrom appliance.cli import main\nmain(['doctor', '--help'])"
    with subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.close()
        assert program.stderr is not None
        assert program.stderr.read() == b""
