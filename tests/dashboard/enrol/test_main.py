from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def _run(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dashboard.enrol", "--config", str(config)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("", "no [enrol] section"),
        (
            (
                '[enrol]\nhost = "127.0.0.1"\nca = "absent.pem"\nca_key = "absent.key"\n'
                'certificate = "absent.pem"\nkey = "absent.key"\n'
            ),
            "a certificate or key cannot be used",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_one_plain_line(tmp_path: Path, section: str, said: str) -> None:
    config = tmp_path / "enrol.toml"
    config.write_text(
        'database_url = "sqlite:///dashboard.db"\ntenant = "example"\noperator = "the Example Service"\n'
        f'secret_key_file = "absent"\n{section}'
    )
    done = _run(config)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
